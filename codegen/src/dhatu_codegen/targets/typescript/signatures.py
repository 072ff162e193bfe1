"""The signatures of a method: one, or an overload for each body that gets another answer, and for events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...ir.operation import Operation
from .answers import Answers
from .arguments import Arguments, Body
from .view import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Arguments that may be given together, and what then comes back."""

    positional: tuple[Slot, ...]
    others: tuple[Slot, ...]
    returns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    slots: tuple[Slot, ...]
    media_type: str


def variants_of(
    operation: Operation, arguments: Arguments, answers: Answers, stream: Slot | None
) -> tuple[list[Variant], tuple[str, ...]]:
    """Every variant, and the names of the positional slots.

    A slot `text|content` is the member of the body that it names first where it is text, else the whole body.
    """
    groups = list(_groups(arguments, answers))
    allowed = _positional(operation, groups, alone=len(groups) == 1 and stream is None)
    found = [
        _placed(slots, returns, allowed)
        for group in groups
        for slots, returns in (
            _by_stream(group, answers, stream)
            if stream is not None and _takes(group, stream)
            else [_plain(group, answers)]
        )
    ]
    return found, allowed


def _takes(group: _Group, stream: Slot) -> bool:
    """Whether events can be asked for with these arguments: the flag may be a member of another body."""
    return stream.key[0] != "body" or any(slot.key == stream.key for slot in group.slots)


def _groups(arguments: Arguments, answers: Answers) -> Iterator[_Group]:
    """Without a body one; else one per object that a body may be, and per answer that raw content may get."""
    common = tuple(slot for _, slot in arguments.parameters)
    raw = [body for body in arguments.bodies if body.whole and body.groups[0][0].key[0] == "content"]
    if not arguments.bodies:
        yield _Group(slots=common, media_type="")
    for body in arguments.bodies:
        if body in raw:
            if body is raw[0]:
                yield from _raw(arguments, answers, raw, common)
            continue
        for number, group in enumerate(body.groups):
            own = group if body is arguments.bodies[0] and not number else _telling(group)
            yield _Group(slots=(*common, *own), media_type=body.payload.media_type)


def _raw(
    arguments: Arguments, answers: Answers, raw: list[Body], common: tuple[Slot, ...]
) -> Iterator[_Group]:
    """Raw content: media types that get the same answer are chosen from by one argument."""
    choice = arguments.content_type
    alike: dict[tuple[str, ...], list[Body]] = {}
    for body in raw:
        alike.setdefault(answers.types_for(body.payload.media_type, stream=False), []).append(body)
    for bodies in alike.values():
        first = bodies[0]
        kinds = dict.fromkeys(body.groups[0][0].type for body in bodies)
        wider = [kind for kind in kinds if not any(one.endswith(f" | {kind}") for one in kinds)]
        own: tuple[Slot, ...] = (replace(first.groups[0][0], type=" | ".join(wider)),)
        own = own if raw[0] is arguments.bodies[0] else _telling(own)
        if choice is not None:
            known = [body.payload.media_type for body in bodies if "*" not in body.payload.media_type]
            kind = (
                " | ".join(f"'{media_type}'" for media_type in known)
                if len(known) == len(bodies)
                else "string"
            )
            own = (*own, replace(choice, type=kind, required=first is not raw[0]))
        elif first is not raw[0]:
            continue  # nothing could choose it
        yield _Group(slots=(*common, *own), media_type=first.payload.media_type)


def _telling(group: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Arguments of which one is required, so that an overload after the first can be told apart from it."""
    if any(slot.required for slot in group) or not group:
        return group
    return (replace(group[0], required=True), *group[1:])


def _plain(group: _Group, answers: Answers) -> tuple[tuple[Slot, ...], tuple[str, ...]]:
    return group.slots, answers.types_for(group.media_type, stream=False)


def _by_stream(
    group: _Group, answers: Answers, stream: Slot
) -> Iterator[tuple[tuple[Slot, ...], tuple[str, ...]]]:
    """Without events, with events, and for a choice that is made at run time."""
    others = tuple(slot for slot in group.slots if slot.key != stream.key)
    nullable = " | null" if "null" in stream.type.split(" | ") else ""
    for kind, required, wanted in (
        (f"false{nullable}", False, False),
        ("true", True, True),
        ("boolean", True, None),
    ):
        slot = replace(stream, type=kind, required=required)
        yield (*others, slot), answers.types_for(group.media_type, stream=wanted)


def _positional(operation: Operation, groups: list[_Group], *, alone: bool) -> tuple[str, ...]:
    """The slots that go by position: as the spec lists them, up to one that cannot be told at run time.

    `alone` says that there is one signature only, so that nothing has to be told.
    """
    names: list[str] = []
    optional = False
    for wire in dict.fromkeys(operation.positional):
        having = [_named(group, wire) for group in groups]
        slots = [slot for slot in having if slot is not None]
        missing = [group for group, slot in zip(groups, having, strict=True) if slot is None]
        if not slots or (optional and any(slot.required for slot in slots)):
            break
        if not alone and not all(slot.scalar for slot in slots):
            break  # it could be taken for the object of the other arguments
        first = slots[0]
        optional = optional or not all(slot.required for slot in slots)
        content = [slot for group in missing for slot in group.slots if slot.key[0] == "content"]
        told = len(content) == len(missing) and all(slot.type == "Content" for slot in content)
        if content and told and all(slot.type == "string" for slot in slots):
            names.append(f"{first.name}|{content[0].name}")
        elif all(any(slot.required and slot.name not in names for slot in group.slots) for group in missing):
            names.append(first.name)  # what lacks it has an object in its place
        else:
            break
    return tuple(names)


def _named(group: _Group, wire: str) -> Slot | None:
    return next((slot for slot in group.slots if wire in (slot.key[1], slot.name)), None)


def _placed(slots: tuple[Slot, ...], returns: tuple[str, ...], allowed: tuple[str, ...]) -> Variant:
    """The slots by position, as far as this variant has them, and the others."""
    by_name = {slot.name: slot for slot in slots}
    positional: list[Slot] = []
    for names in allowed:
        found = next((by_name[name] for name in names.split("|") if name in by_name), None)
        if found is None:
            break
        bytes_alone = "|" in names and found.key[0] == "content"
        positional.append(replace(found, type="Exclude<Content, string>") if bytes_alone else found)
    taken = {slot.name for slot in positional}
    others = sorted((slot for slot in slots if slot.name not in taken), key=lambda slot: not slot.required)
    return Variant(positional=tuple(positional), others=tuple(others), returns=returns)
