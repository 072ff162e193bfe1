"""From the text of a parameter to the value that its schema speaks of; decided at boot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dhatu_gateway.core.validation.schemas import Schemas

# 18 digits fit into 64 bits, beyond which the readers of JSON disagree.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,64})?(?:[eE][+-]?[0-9]{1,2})?")
_NESTING = 16

Scalar = Callable[[str], Any]
"""Turns a text into a value; into itself where it is not what the schema wants, which then says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a parameter's schema lets it be."""

    kind: str
    """`array`, `object` or `scalar`."""
    scalar: Scalar
    """For the value, or for the items of an array."""
    properties: Mapping[str, Scalar]
    """For the members of an object; those not listed stay text."""


def shape_of(schema: Any, schemas: Schemas) -> Shape:
    """Look through references and combinations for the types that a parameter may have."""
    types = _types(schema, schemas)
    if "array" in types:
        items: Any = next((part["items"] for part in _parts(schema, schemas, 0) if "items" in part), True)
        return Shape(kind="array", scalar=_scalar(_types(items, schemas)), properties={})
    if "object" in types:
        members: dict[str, Scalar] = {}
        for part in _parts(schema, schemas, 0):
            for name, property_schema in part.get("properties", {}).items():
                members[name] = _scalar(_types(property_schema, schemas))
        return Shape(kind="object", scalar=str, properties=members)
    return Shape(kind="scalar", scalar=_scalar(types), properties={})


def _parts(schema: Any, schemas: Schemas, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _NESTING:
        return
    resolved = schemas.resolve(schema)
    yield resolved
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in resolved.get(keyword, ()):
            yield from _parts(part, schemas, depth + 1)
    if "$ref" in resolved:  # with siblings, so not resolved yet
        yield from _parts({"$ref": resolved["$ref"]}, schemas, depth + 1)


def _types(schema: Any, schemas: Schemas) -> frozenset[str]:
    found: set[str] = set()
    for part in _parts(schema, schemas, 0):
        declared = part.get("type", ())
        found.update((declared,) if isinstance(declared, str) else declared)
        values = [*part.get("enum", ()), *([part["const"]] if "const" in part else [])]
        if not declared:
            found.update(_type_of(value) for value in values)
    return frozenset(found)


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def _scalar(types: frozenset[str]) -> Scalar:
    if not types & {"boolean", "integer", "number"}:
        return str

    def convert(text: str) -> Any:
        if "boolean" in types and text in ("true", "false"):
            return text == "true"
        if types & {"integer", "number"} and _INTEGER.fullmatch(text):
            return int(text)
        if "number" in types and _NUMBER.fullmatch(text):
            return float(text)
        return text

    return convert
