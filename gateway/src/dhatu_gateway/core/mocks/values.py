"""A small value that a schema allows, for an answer that has no example."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol, cast

MAX_DEPTH = 12
_TEXTS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "name@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "byte": "",
}


class Resolver(Protocol):
    """What a schema's references are followed with."""

    def resolve(self, schema: Any) -> dict[str, Any]: ...


class NoValueError(ValueError):
    """A schema for which nothing simple is found."""


def small_value(schema: Any, schemas: Resolver, depth: int = 0) -> Any:
    """Return what the schema itself offers, else the least that it asks for.

    Of `oneOf` and `anyOf` the first counts; `pattern`, `not` and conditions are not looked at, so the value
    has to be held against the schema. Raises `NoValueError`.
    """
    if depth > MAX_DEPTH:
        raise NoValueError("it holds itself")
    written = schemas.resolve(schema)
    for offered in _offered(written):
        return offered
    parts = [*written.get("allOf", ()), *written.get("oneOf", ())[:1], *written.get("anyOf", ())[:1]]
    if "$ref" in written:
        parts.append({"$ref": written["$ref"]})
    if parts:
        own = {name: value for name, value in written.items() if name not in _COMBINING}
        found = [small_value(part, schemas, depth + 1) for part in parts]
        if _type(own):
            found.append(small_value(own, schemas, depth + 1))
        return _together(found)
    return _by_type(written, schemas, depth)


_COMBINING = frozenset({"allOf", "oneOf", "anyOf", "$ref"})


def _offered(schema: dict[str, Any]) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    if "example" in schema:
        yield schema["example"]
    yield from schema.get("examples", ())
    if "default" in schema:
        yield schema["default"]
    yield from schema.get("enum", ())


def _together(values: list[Any]) -> Any:
    """Objects are joined; of anything else the last is the narrowest."""
    objects = [cast(dict[str, Any], value) for value in values if isinstance(value, dict)]
    if len(objects) == len(values):
        return {name: value for found in objects for name, value in found.items()}
    return values[-1]


def _type(schema: dict[str, Any]) -> str:
    written = schema.get("type")
    if isinstance(written, list):
        kinds = [str(kind) for kind in cast(list[object], written)]
        return next((kind for kind in kinds if kind != "null"), "null")
    if isinstance(written, str):
        return written
    return "object" if "properties" in schema or "required" in schema else ""


def _by_type(schema: dict[str, Any], schemas: Resolver, depth: int) -> Any:
    match _type(schema):
        case "object":
            properties = cast(dict[str, Any], schema.get("properties", {}))
            required = cast(list[str], schema.get("required", []))
            return {name: small_value(properties.get(name, {}), schemas, depth + 1) for name in required}
        case "array":
            first = cast(list[Any], schema.get("prefixItems", []))
            count = int(schema.get("minItems", 0))
            items = [*first, *[schema.get("items", {})] * max(0, count - len(first))][:count]
            return [small_value(item, schemas, depth + 1) for item in items]
        case "string":
            text = _TEXTS.get(str(schema.get("format", "")), "")
            return text.ljust(int(schema.get("minLength", 0)), "a")
        case "integer":
            return math.ceil(_number(schema, step=1))
        case "number":
            return _number(schema, step=0.5)
        case "boolean":
            return False
        case _:
            return None


def _number(schema: dict[str, Any], step: float) -> float:
    """The least that is allowed and not negative, else the greatest."""
    step = float(schema.get("multipleOf", step))
    least = float(schema.get("minimum", schema.get("exclusiveMinimum", 0)))
    most = float(schema.get("maximum", schema.get("exclusiveMaximum", math.inf)))
    value = math.ceil(max(least, 0 if most >= 0 else -math.inf) / step) * step if least > -math.inf else 0.0
    if "exclusiveMinimum" in schema and value <= float(schema["exclusiveMinimum"]):
        value += step
    if value > most or ("exclusiveMaximum" in schema and value >= most):
        value = math.floor(most / step) * step
        value -= step if "exclusiveMaximum" in schema and value >= most else 0
    return value
