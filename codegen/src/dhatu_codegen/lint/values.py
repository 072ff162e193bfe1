"""Schemas that contradict themselves."""

from __future__ import annotations

import json
from typing import Final

from ..document import Node
from ..ir.schema import Json
from .survey import Finding, Findings, Survey, types

_RANGES: Final = (
    ("minimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)


def repeated_enum_value(survey: Survey) -> Findings:
    for schema in survey.of_kind("schemas"):
        seen: set[str] = set()
        listed = schema.get("enum")
        for element in listed.elements() if listed else ():
            text = json.dumps(element.value, sort_keys=True)
            if text in seen:
                yield Finding(message=f"the value {text} is listed twice", source=element.source)
            seen.add(text)


def enum_type(survey: Survey) -> Findings:
    for schema in survey.of_kind("schemas"):
        allowed = types(schema)
        listed = schema.get("enum")
        for element in listed.elements() if listed and allowed else ():
            if not any(_is_a(element.value, name) for name in allowed):
                message = f"{json.dumps(element.value)} is no {' or '.join(allowed)}"
                yield Finding(message=message, source=element.source)


def _is_a(value: Json, name: str) -> bool:
    match value:
        case bool():
            return name == "boolean"
        case int() | float():
            return name == "number" or (name == "integer" and value == int(value))
        case str():
            return name == "string"
        case None:
            return name == "null"
        case list():
            return name == "array"
        case _:
            return name == "object"


def required_undefined(survey: Survey) -> Findings:
    inside = {id(part.value) for schema in survey.of_kind("schemas") for part in _parts(schema)}
    for schema in survey.of_kind("schemas"):
        properties = schema.get("properties")
        listed = schema.get("required")
        # A part of a composition may require what another part describes.
        if properties is None or listed is None or id(schema.value) in inside or any(_parts(schema)):
            continue
        known = {name for name, _ in properties.members()}
        for element in listed.elements():
            if element.value not in known and schema.get("patternProperties") is None:
                message = f"the required property {element.value!r} is not described"
                yield Finding(message=message, source=element.source)


def _parts(schema: Node) -> list[Node]:
    keywords = ("allOf", "anyOf", "oneOf")
    listed = [part for keyword in keywords if (node := schema.get(keyword)) for part in node.elements()]
    return listed + [part for keyword in ("if", "then", "else", "not") if (part := schema.get(keyword))]


def mixed_range(survey: Survey) -> Findings:
    for schema in survey.of_kind("schemas"):
        for low, high in _RANGES:
            one, other = schema.get(low), schema.get(high)
            if one and other and _number(one) > _number(other):
                message = f"{low} {one.value} lies above {high} {other.value}: nothing is allowed"
                yield Finding(message=message, source=one.source)
        for plain, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            second = schema.get(strict)
            if schema.get(plain) and second:
                yield Finding(message=f"{plain} and {strict} together: only one counts", source=second.source)


def _number(node: Node) -> float:
    return node.value if isinstance(node.value, (int, float)) else 0
