"""What a schema comes down to, once references are followed and intersections are merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ..ir.api import Api
from ..ir.schema import (
    AnyValue,
    Array,
    Component,
    Intersection,
    Never,
    Null,
    Object,
    Property,
    Ref,
    Schema,
    Union,
)
from .circles import circles_of

_MAX_SPREAD: Final = 4
"""Unions within one another that an intersection is spread over; one that holds itself has no end of them."""


class Schemas:
    """The components of an API by key."""

    def __init__(self, api: Api) -> None:
        self.components = {component.name.wire: component for component in api.components}
        self._resolved: dict[str, Schema] = {}
        # From the innermost on, so that a chain of references, however long, is never followed to its end.
        direct = {key: direct_references(found.schema) for key, found in self.components.items()}
        for circle in circles_of(direct):
            if len(circle) == 1 and circle[0] not in direct[circle[0]]:
                self._resolved[circle[0]] = self.resolve(self.components[circle[0]].schema)

    def named(self, schema: Schema) -> Component | None:
        """The component that a schema is another word for, if it is."""
        followed = simplified(schema)
        seen: set[str] = set()
        component: Component | None = None
        while isinstance(followed, Ref) and followed.component not in seen:
            seen.add(followed.component)
            component = self.components[followed.component]
            followed = simplified(component.schema)
        return component

    def resolve(self, schema: Schema) -> Schema:
        """The schema as neither a reference nor an intersection; a description on the way is kept."""
        return self._resolve(schema, frozenset())

    def is_object(self, schema: Schema) -> bool:
        """Whether only objects with members of their own are meant."""
        resolved = self.resolve(schema)
        return isinstance(resolved, Object) and bool(resolved.properties)

    def others(self, schema: Object) -> tuple[Schema, ...]:
        """What members may be that the schema does not name: one of these; empty for anything or none."""
        telling = [one for one in _unnamed(schema) if not isinstance(self.resolve(one), Never)]
        return () if any(isinstance(self.resolve(one), AnyValue) for one in telling) else tuple(telling)

    def _resolve(self, schema: Schema, seen: frozenset[str], depth: int = 0) -> Schema:
        simple = simplified(schema)
        match simple:
            case Ref(component=key):
                if key in seen:
                    return AnyValue(source=simple.source, constraints={})
                known = self._resolved.get(key) if not depth else None
                found = known or self._resolve(self.components[key].schema, seen | {key}, depth)
                return replace(found, description=simple.description) if simple.description else found
            case Intersection(parts=parts):
                resolved = [self._resolve(part, seen, depth) for part in parts]
                merged = self._merged(resolved, simple, seen, depth)
                return replace(merged, description=simple.description)
            case _:
                return simple

    def _merged(self, parts: list[Schema], where: Intersection, seen: frozenset[str], depth: int) -> Schema:
        """All parts at once: objects joined, a union spread over them; of other kinds the first speaks."""
        telling = [part for part in parts if not isinstance(part, AnyValue)]
        if depth > _MAX_SPREAD:
            telling = [part for part in telling if not isinstance(part, Union)]
        if not telling:
            return AnyValue(source=where.source, constraints={})
        for index, part in enumerate(telling):
            rest = [*telling[:index], *telling[index + 1 :]]
            if isinstance(part, Union) and rest:
                both = (replace(where, parts=(*rest, variant)) for variant in part.variants)
                variants = [self._resolve(one, seen, depth + 1) for one in both]
                spread = replace(part, variants=tuple(variants), discriminator=None)
                return variants[0] if len(variants) == 1 else spread
        objects = [part for part in telling if isinstance(part, Object)]
        if len(objects) == len(telling):
            return joined(objects)
        return next((part for part in telling if isinstance(part, Never)), telling[0])


def simplified(schema: Schema) -> Schema:
    """The schema; an intersection with one part that says something is that part."""
    if not isinstance(schema, Intersection):
        return schema
    telling = [part for part in schema.parts if not isinstance(part, AnyValue)]
    if len(telling) != 1:
        return schema
    part = simplified(telling[0])
    return replace(part, description=schema.description) if schema.description else part


def direct_references(schema: Schema) -> tuple[str, ...]:
    """The components that a schema is, or may be, with no list and no object around them."""
    found: dict[str, None] = {}
    waiting = [schema]
    while waiting:
        match waiting.pop():
            case Ref(component=key):
                found[key] = None
            case Union(variants=parts) | Intersection(parts=parts):
                waiting += reversed(parts)
            case _:
                pass
    return tuple(found)


def spread(schema: Intersection) -> Iterator[Schema]:
    """The parts that say something, those of intersections among them."""
    waiting = [*reversed(schema.parts)]
    while waiting:
        part = simplified(waiting.pop())
        match part:
            case Intersection(parts=parts):
                waiting += reversed(parts)
            case AnyValue():
                pass
            case _:
                yield part


def _unnamed(schema: Object) -> list[Schema]:
    additional = [schema.additional] if schema.additional is not None else []
    return [*(member for _, member in schema.pattern_properties), *additional]


def _types(schema: Object) -> bool:
    """Whether members without a name seem to have a type: references may lead back and are not followed."""
    found = _unnamed(schema)
    return bool(found) and not any(isinstance(simplified(one), AnyValue) for one in found)


def takes_others(schema: Object) -> bool:
    """Whether the document speaks of members that it does not name; where it is silent, any may come."""
    unsaid = schema.additional is None or schema.additional.source == schema.source
    return bool(schema.pattern_properties) or not unsaid


def without_null(union: Union) -> tuple[Union, bool]:
    """The union of what is not null, and whether null is allowed beside it."""
    variants = tuple(variant for variant in union.variants if not isinstance(variant, Null))
    return replace(union, variants=variants), len(variants) < len(union.variants)


def variants_but_itself(schemas: Schemas, union: Union, key: str) -> tuple[Schema, ...]:
    """The variants of the union of a component, none of which is the union itself, by whatever way.

    A union that lists itself says no more than without, and an alias cannot stand for itself. Another union
    that lists this one, with nothing around it, gives way to its own variants.
    """
    found: list[Schema] = []
    seen = {key}

    def expand(variant: Schema) -> None:
        component = schemas.named(variant)
        if component is not None and component.name.wire in seen:
            return
        resolved = schemas.resolve(variant)
        if not isinstance(resolved, Union) or not _lists(schemas, resolved, key):
            found.append(variant)
            return
        if component is not None:
            seen.add(component.name.wire)
        for inner in resolved.variants:
            expand(inner)

    for variant in union.variants:
        expand(variant)
    return tuple(found)


def _lists(schemas: Schemas, union: Union, key: str) -> bool:
    """Whether a component is among the variants of a union, or of the unions among them."""
    seen: set[str] = set()
    waiting: list[Schema] = [*union.variants]
    while waiting:
        variant = waiting.pop()
        component = schemas.named(variant)
        if component is not None:
            if component.name.wire == key:
                return True
            if component.name.wire in seen:
                continue
            seen.add(component.name.wire)
        resolved = schemas.resolve(variant)
        if isinstance(resolved, Union):
            waiting.extend(resolved.variants)
    return False


def parts_of(schema: Schema) -> Iterator[Schema]:
    """The schemas written directly inside a schema; references are not followed."""
    match schema:
        case Array(items=items, prefix=prefix):
            yield from (*prefix, items)
        case Object(properties=properties, additional=additional, pattern_properties=patterns):
            yield from (member.schema for member in properties)
            yield from (member for _, member in patterns)
            if additional is not None:
                yield additional
        case Union(variants=inner) | Intersection(parts=inner):
            yield from inner
        case _:
            return


def nested(schema: Schema) -> Iterator[Schema]:
    """A schema and everything written inside it."""
    waiting = [schema]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(parts_of(found))


def joined(objects: list[Object]) -> Object:
    """One object with the members of all; required once is required.

    Members without a name have to please every part: the one that says most about them speaks.
    """
    members: dict[str, Property] = {}
    for part in objects:
        for member in part.properties:
            before = members.get(member.name.wire)
            if before is None:
                members[member.name.wire] = member
            else:
                schema, required = _both(before.schema, member.schema), member.required or before.required
                members[member.name.wire] = replace(member, schema=schema, required=required)
    told = max(objects, key=lambda part: (part.additional is None, _types(part), takes_others(part)))
    return replace(
        objects[0],
        properties=tuple(members.values()),
        additional=told.additional,
        pattern_properties=told.pattern_properties,
    )


def _both(first: Schema, second: Schema) -> Schema:
    """A member that two parts describe: objects together, else the later description that says anything."""
    if isinstance(second, AnyValue):
        return replace(first, description=second.description or first.description)
    if isinstance(first, Object) and isinstance(second, Object):
        return Intersection(parts=(first, second), source=second.source, constraints={})
    return second
