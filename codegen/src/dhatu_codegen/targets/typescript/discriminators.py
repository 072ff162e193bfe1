"""The members that tell the variants of unions apart: they stay literal, so that unions narrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...ir.schema import Discriminator, Enum, Json, Object, Property, Ref, Schema, Union
from ..schemas import Schemas, nested

Tags = dict[str, dict[str, tuple[Json, ...]]]


def tags_of(schemas: Schemas, written: Iterable[Schema]) -> Tags:
    """Component to member to the values that stand for the component, of all unions that are written.

    A component in several unions has the values of all of them.
    """
    found: Tags = {}
    for schema in written:
        for part in nested(schema):
            if isinstance(part, Union):
                _add(schemas, part, found)
    return found


def stamps_of(
    schemas: Schemas, union: Union, tags: Mapping[str, Mapping[str, tuple[Json, ...]]]
) -> dict[str, tuple[Json, ...]]:
    """Component to the values of the discriminator, for the variants that do not tell them themselves."""
    if union.discriminator is None:
        return {}
    tag, found = union.discriminator.property, dict[str, tuple[Json, ...]]()
    for key, values in _mapped(schemas, union.discriminator).items():
        told = tag in tags.get(key, {}) or _tells(schemas, schemas.components[key].schema, tag, tags)
        if not told:
            found[key] = (*values,)
    return found


def values_of(
    schemas: Schemas, union: Union, tags: Mapping[str, Mapping[str, tuple[Json, ...]]]
) -> tuple[str, list[tuple[str, tuple[Json, ...]]]] | None:
    """The member that tells the variants apart, and for each component the values that stand for it.

    None where not all variants are components, or a value stands for two of them, or is no text.
    """
    keys = [component.name.wire for one in union.variants if (component := schemas.named(one))]
    if len(keys) < max(2, len(union.variants)) or len({*keys}) < len(keys):
        return None
    mapped = _mapped(schemas, union.discriminator) if union.discriminator is not None else {}
    named = [union.discriminator.property] if union.discriminator is not None else [*tags.get(keys[0], {})]
    for tag in named:
        listed = [tags.get(key, {}).get(tag) or tuple(mapped.get(key, ())) for key in keys]
        if all(listed) and _disjoint(listed):
            return tag, [*zip(keys, listed, strict=True)]
    return None


def _add(schemas: Schemas, union: Union, found: Tags) -> None:
    variants = [component.name.wire for one in union.variants if (component := schemas.named(one))]
    if union.discriminator is not None:
        tag = union.discriminator.property
        mapped = _mapped(schemas, union.discriminator)
        for key, values in mapped.items():
            member = _member(schemas, schemas.components[key].schema, tag)
            if member is not None:
                others = {value for other, theirs in mapped.items() if other != key for value in theirs}
                _put(found, key, tag, _own(schemas, member, values, others))
    elif len(variants) == len(union.variants) > 1:
        for tag, listed in _telling(schemas, variants).items():
            for key, own in zip(variants, listed, strict=True):
                _put(found, key, tag, own)


def _put(found: Tags, key: str, tag: str, values: Iterable[Json]) -> None:
    known = found.setdefault(key, {})
    merged = [*known.get(tag, ())]
    merged += [value for value in values if value not in merged]
    known[tag] = tuple(merged)


def _mapped(schemas: Schemas, discriminator: Discriminator) -> dict[str, list[str]]:
    """Component to the values that the mapping has for it."""
    found: dict[str, list[str]] = {}
    for value, key in discriminator.mapping:
        component = schemas.components.get(key)
        named = (
            schemas.named(Ref(component=key, source=component.source, constraints={})) if component else None
        )
        if named is not None:
            found.setdefault(named.name.wire, []).append(value)
    return found


def _own(schemas: Schemas, member: Property, mapped: list[str], others: set[str]) -> tuple[Json, ...]:
    """Its own list of values is believed before the mapping, which may only repeat the component's name."""
    resolved = schemas.resolve(member.schema)
    listed = resolved.values if isinstance(resolved, Enum) else ()
    mine = tuple(value for value in listed if value not in others)
    return mine or listed or tuple(mapped)


def _telling(schemas: Schemas, variants: list[str]) -> dict[str, list[tuple[Json, ...]]]:
    """Without a discriminator: required members whose lists of values tell all variants apart."""
    lists: list[dict[str, tuple[Json, ...]]] = []
    for key in variants:
        resolved = schemas.resolve(schemas.components[key].schema)
        members = resolved.properties if isinstance(resolved, Object) else ()
        lists.append(
            {
                member.name.wire: found.values
                for member in members
                if member.required and isinstance(found := schemas.resolve(member.schema), Enum)
            }
        )
        if not lists[-1]:
            return {}
    common = [tag for tag in lists[0] if all(tag in found for found in lists)]
    return {tag: listed for tag in common if _disjoint(listed := [found[tag] for found in lists])}


def _disjoint(listed: list[tuple[Json, ...]]) -> bool:
    values = [value for values in listed for value in values]
    return all(isinstance(value, str) for value in values) and len({*map(str, values)}) == len(values)


def _member(schemas: Schemas, schema: Schema, tag: str) -> Property | None:
    resolved = schemas.resolve(schema)
    members = resolved.properties if isinstance(resolved, Object) else ()
    return next((member for member in members if member.name.wire == tag), None)


def _tells(
    schemas: Schemas, schema: Schema, tag: str, tags: Mapping[str, Mapping[str, tuple[Json, ...]]]
) -> bool:
    """Whether each of the objects that a schema may be has the member, with a value of its own."""
    seen: set[str] = set()
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        component = schemas.named(one)
        if component is not None:
            if component.name.wire in seen or tag in tags.get(component.name.wire, {}):
                continue
            seen.add(component.name.wire)
        resolved = schemas.resolve(one)
        if isinstance(resolved, Union):
            waiting += resolved.variants
            continue
        member = _member(schemas, resolved, tag)
        found = schemas.resolve(member.schema) if member is not None else None
        if not isinstance(found, Enum) or len(found.values) > 1:
            return False
    return True
