"""Which components are interfaces, what these extend, and which members they write themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...ir.schema import (
    AnyValue,
    Array,
    Boolean,
    Enum,
    Integer,
    Intersection,
    Number,
    Object,
    Property,
    Ref,
    Schema,
    String,
)
from ..schemas import joined, simplified, takes_others
from .components import Components


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """An object with members."""

    bases: tuple[str, ...]
    """The components that it extends: it neither writes their members again nor contradicts them."""
    own: Object
    """What it writes."""
    whole: Object
    """All that it is."""


def interfaces_of(components: Components) -> dict[str, Interface]:
    """By key of the component, whichever are objects with members, in allOf or not."""
    found: dict[str, Interface] = {}
    named: dict[str, str] = {}
    for circle in components.direct_circles:
        for key in circle:
            schema = simplified(components.schemas.components[key].schema)
            if key in components.circles:
                continue
            if isinstance(schema, Ref):
                named[key] = named.get(schema.component, schema.component)
                continue
            parts = [*_parts(schema, named)]
            if all(isinstance(part, Object) or (isinstance(part, str) and part in found) for part in parts):
                interface = _interface(components, key, [part for part in parts if part is not None], found)
                if interface is not None:
                    found[key] = replace(
                        interface, own=replace(interface.own, description=schema.description)
                    )
    return found


def _parts(schema: Schema, named: dict[str, str]) -> Iterator[Object | str | None]:
    """The objects, and the keys of the components, that a schema is all of; None for anything else."""
    waiting = [schema]
    while waiting:
        match simplified(waiting.pop()):
            case Object() as written:
                yield written
            case Intersection(parts=parts):
                waiting += reversed(parts)
            case Ref(component=key):
                yield named.get(key, key)
            case AnyValue():
                pass
            case _:
                yield None


def _interface(
    components: Components, key: str, parts: list[Object | str], found: dict[str, Interface]
) -> Interface | None:
    objects = [found[part].whole if isinstance(part, str) else part for part in parts]
    if not any(part.properties for part in objects):
        return None
    whole = joined(objects)
    bases = tuple(dict.fromkeys(part for part in parts if isinstance(part, str)))
    inline = [part for part in parts if isinstance(part, Object)]
    own = joined(inline) if inline else replace(whole, properties=())
    if not _extends(components, key, own, [(base, found[base].whole) for base in bases]):
        return Interface(bases=(), own=whole, whole=whole)
    return Interface(bases=bases, own=own, whole=whole)


def _extends(components: Components, key: str, own: Object, bases: list[tuple[str, Object]]) -> bool:
    """Whether an interface can extend its bases, with nothing said twice."""
    if any(takes_others(part) for part in (own, *(base for _, base in bases))):
        return False
    names = {member.name.wire for member in own.properties} | components.tags.get(key, {}).keys()
    inherited: dict[str, Property] = {}
    for base, whole in bases:
        told = components.tags.get(base, {})
        for member in whole.properties:
            wire = member.name.wire
            if wire in names or wire in told or inherited.setdefault(wire, member) is not member:
                return False
    return True


def contradictions(components: Components, part: Ref, beside: Object) -> dict[str, bool]:
    """The members of a component that no value could have as the object beside it in an allOf describes them.

    Each with whether the component requires it.
    """
    component = components.schemas.named(part)
    resolved = components.schemas.resolve(part)
    if component is None or not isinstance(resolved, Object) or takes_others(resolved):
        return {}
    tags = components.tags.get(component.name.wire, {})
    members = {member.name.wire: member for member in resolved.properties}
    found: dict[str, bool] = {}
    for member in beside.properties:
        wire = member.name.wire
        if wire in members:
            first, second = (components.schemas.resolve(one.schema) for one in (members[wire], member))
            told = tags.get(wire) or (first.values if isinstance(first, Enum) else ())
            listed = second.values if isinstance(second, Enum) else ()
            literal = wire in tags or len(told) == 1
            other_value = literal and bool(listed) and not any(value in told for value in listed)
            if other_value or (_kind(first) != _kind(second) and _kind(first) and _kind(second)):
                found[wire] = members[wire].required
    return found


def requiring(schema: Object, names: set[str]) -> Object:
    """The object with these members required."""
    members = (
        replace(member, required=member.required or member.name.wire in names) for member in schema.properties
    )
    return replace(schema, properties=tuple(members))


def _kind(schema: Schema) -> str:
    """The type of all values; empty where they may have several."""
    match schema:
        case String():
            return "string"
        case Integer() | Number():
            return "number"
        case Boolean():
            return "boolean"
        case Array():
            return "array"
        case Object():
            return "object"
        case Enum(values=values) if all(isinstance(value, str) for value in values):
            return "string"
        case _:
            return ""
