"""The signatures of a method: one, or an overload for each body and for events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...ir.operation import Operation
from .annotations import Twin, covers, literal, twin_union
from .answers import Answers
from .arguments import Argument, ArgumentList, Body
from .view import Signature, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variant:
    """Arguments that may be given together, and what then comes back."""

    arguments: tuple[Argument, ...]
    media_type: str
    returns: Twin
    defaults: tuple[tuple[str, str], ...] = ()
    """Of arguments whose default is not OMIT."""


def signatures(
    operation: Operation, arguments: ArgumentList, answers: Answers, stream: Argument | None
) -> tuple[Signature, tuple[Signature, ...]]:
    """The signature of the implementation, and the overloads; none where one signature says everything."""
    variants = list(_variants(arguments, answers))
    if stream is not None:
        variants = [streamed for variant in variants for streamed in _by_stream(variant, answers, stream)]
    variants = [
        variant
        for number, variant in enumerate(variants)
        if not any(_hides(earlier, variant) for earlier in variants[:number])
    ]
    whole = _whole(arguments, variants, stream)
    allowed = _positional(operation, whole.arguments)
    own = _signature(whole, allowed)
    if len(variants) == 1:
        return own, ()
    return own, tuple(
        _signature(variant, [name for name in _positional(operation, variant.arguments) if name in allowed])
        for variant in variants
    )


def _variants(arguments: ArgumentList, answers: Answers) -> Iterator[_Variant]:
    """Without a body one; else one per object that a body may be, and per answer that raw content may get."""
    common = tuple(argument for _, argument in arguments.parameters)
    raw = [body for body in arguments.bodies if body.whole and body.groups[0][0].key[0] == "content"]
    if not arguments.bodies:
        yield _Variant(arguments=common, media_type="", returns=answers.annotation("", stream=False))
    for body in arguments.bodies:
        media_type = body.payload.media_type
        if body in raw:
            if body is raw[0]:
                yield from _raw(arguments, answers, raw, common)
            continue
        for number, group in enumerate(body.groups):
            own = group if body is arguments.bodies[0] and not number else _telling(group)
            returns = answers.annotation(media_type, stream=False)
            yield _Variant(arguments=(*common, *own), media_type=media_type, returns=returns)


def _raw(
    arguments: ArgumentList, answers: Answers, raw: list[Body], common: tuple[Argument, ...]
) -> Iterator[_Variant]:
    """Raw content: media types that get the same answer share an overload."""
    choice = arguments.content_type
    alike: dict[Twin, list[Body]] = {}
    for body in raw:
        alike.setdefault(answers.annotation(body.payload.media_type, stream=False), []).append(body)
    for returns, bodies in alike.items():
        content = bodies[0].groups[0][0]
        content = replace(content, annotation=twin_union(*(body.groups[0][0].annotation for body in bodies)))
        own = (content,) if raw[0] is arguments.bodies[0] else _telling((content,))
        media_types = [body.payload.media_type for body in bodies]
        if choice is not None:
            known = not any("*" in media_type for media_type in media_types)
            annotation = Twin.of(literal((*media_types,))) if known else choice.annotation
            own = (*own, replace(choice, annotation=annotation, required=bodies[0] is not raw[0]))
        elif bodies[0] is not raw[0]:
            continue  # nothing could choose it
        yield _Variant(arguments=(*common, *own), media_type=media_types[0], returns=returns)


def _hides(earlier: _Variant, later: _Variant) -> bool:
    """Whether every call that fits the later one fits the earlier one, which would then always be chosen."""
    names = {argument.name: argument for argument in earlier.arguments}
    own = {argument.name: argument for argument in later.arguments}
    return all(
        name in names and covers(names[name].annotation.asynchronous, argument.annotation.asynchronous)
        for name, argument in own.items()
    ) and all(name in own and own[name].required for name, argument in names.items() if argument.required)


def _telling(group: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """Arguments of which one is required, so that an overload after the first can be told apart from it."""
    if any(argument.required for argument in group) or not group:
        return group
    return (replace(group[0], required=True), *group[1:])


def _by_stream(variant: _Variant, answers: Answers, stream: Argument) -> Iterator[_Variant]:
    """Without events, with events, and for a choice that is made at run time."""
    others = tuple(argument for argument in variant.arguments if argument.key != stream.key)
    nullable = "None" in stream.annotation.asynchronous.split(" | ")
    flag = stream.key[0] == "flag"

    def with_stream(annotation: str, *, required: bool, wanted: bool | None) -> _Variant:
        argument = replace(stream, annotation=Twin.of(annotation), required=required)
        defaults = ((stream.name, "False"),) if flag and not required else ()
        returns = answers.annotation(variant.media_type, stream=wanted)
        return replace(variant, arguments=(*others, argument), returns=returns, defaults=defaults)

    off = "Literal[False] | None" if nullable else "Literal[False]"
    yield with_stream(off, required=False, wanted=False)
    yield with_stream("Literal[True]", required=True, wanted=True)
    yield with_stream("bool", required=True, wanted=None)


def _whole(arguments: ArgumentList, variants: list[_Variant], stream: Argument | None) -> _Variant:
    """What the implementation takes: every argument, required where every variant requires it."""

    def always(argument: Argument) -> bool:
        found = [one for variant in variants for one in variant.arguments if one.key == argument.key]
        return len(found) == len(variants) and all(one.required for one in found)

    own = tuple(replace(argument, required=always(argument)) for argument in arguments.all)
    flag = stream is not None and stream.key[0] == "flag"
    return _Variant(
        arguments=own,
        media_type="",
        returns=twin_union(*(variant.returns for variant in variants)),
        defaults=((stream.name, "False"),) if stream is not None and flag else (),
    )


def _positional(operation: Operation, arguments: tuple[Argument, ...]) -> list[str]:
    """The arguments that may go by position: as the spec lists them, up to one that cannot."""
    names: list[str] = []
    optional = False
    for wire in operation.positional:
        argument = next((one for one in arguments if wire in (one.key[1], one.name)), None)
        if argument is None or (optional and argument.required):
            break
        optional = optional or not argument.required
        names.append(argument.name)
    return names


def _signature(variant: _Variant, positional: list[str]) -> Signature:
    slots = {argument.name: _slot(argument, dict(variant.defaults)) for argument in variant.arguments}
    keyword = [slot for name, slot in slots.items() if name not in positional]
    return Signature(
        positional=tuple(slots[name] for name in positional),
        keyword=tuple(sorted(keyword, key=lambda slot: bool(slot.default))),
        returns=variant.returns,
    )


def _slot(argument: Argument, defaults: dict[str, str]) -> Slot:
    if argument.required:
        return Slot(name=argument.name, annotation=argument.annotation, default="")
    default = defaults.get(argument.name, "OMIT")
    annotation = argument.annotation
    if default == "OMIT":
        annotation = Twin(
            asynchronous=f"{annotation.asynchronous} | Omit", synchronous=f"{annotation.synchronous} | Omit"
        )
    return Slot(name=argument.name, annotation=annotation, default=default)
