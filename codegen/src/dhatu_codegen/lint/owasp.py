"""What the OWASP API Security Top 10 (2023) asks of a description: credentials, limits, closed requests."""

from __future__ import annotations

import re
from typing import Final

from ..document import Node
from ..ir.name import Name
from .survey import Finding, Findings, Survey, members, types

_SECRET: Final = re.compile(
    r"(access|refresh|auth|id|bearer|session)?[_-]?token|pass(word|phrase|wd)?|(client[_-]?)?secret"
    r"|api[_-]?key|credentials?|authorization",
    re.IGNORECASE,
)
_WEAK_FLOWS: Final = ("implicit", "password")
_BOUNDING: Final = ("maxLength", "enum", "const", "format", "contentMediaType", "contentEncoding")
"""What limits a string; files are limited by the largest body that the operation takes."""
_BOUNDED_ABOVE: Final = ("maximum", "exclusiveMaximum")
_BOUNDED_BELOW: Final = ("minimum", "exclusiveMinimum")


def credentials_in_url(survey: Survey) -> Findings:
    for call in survey.calls:
        for parameter in call.parameters:
            name = parameter.text("name")
            if parameter.text("in") in ("query", "path") and _SECRET.fullmatch(name):
                message = f"{call.name} takes {name!r} in its URL, which logs and histories keep"
                yield Finding(
                    message=message, source=parameter.source, hint="take it in a header or the body"
                )


def api_key_in_query(survey: Survey) -> Findings:
    for name, scheme in _schemes(survey):
        place = scheme.get("in")
        if place and scheme.text("type") == "apiKey" and place.value == "query":
            message = f"the key of {name!r} stands in the URL, which logs and histories keep"
            yield Finding(message=message, source=place.place, hint="take it in a header")


def basic_authentication(survey: Survey) -> Findings:
    for name, scheme in _schemes(survey):
        kind = scheme.get("scheme")
        if kind and scheme.text("scheme").lower() in ("basic", "digest"):
            yield Finding(message=f"{name!r} sends the password with every request", source=kind.place)


def weak_flow(survey: Survey) -> Findings:
    for name, scheme in _schemes(survey):
        for flow, node in members(scheme, "flows"):
            if flow in _WEAK_FLOWS:
                message = f"the {flow} flow of {name!r} is not to be used any more (RFC 9700)"
                yield Finding(message=message, source=node.source, hint="use authorizationCode with PKCE")


def numeric_id(survey: Survey) -> Findings:
    for call in survey.calls:
        for parameter in call.parameters:
            schema = parameter.get("schema")
            name = parameter.text("name")
            in_path = parameter.text("in") == "path" and "id" in Name.of(name).words
            if in_path and schema and "integer" in types(survey.follow(schema)):
                message = f"the ids {name!r} of {call.name} can be counted through"
                yield Finding(message=message, source=parameter.source, hint="use random ids")


def string_limit(survey: Survey) -> Findings:
    for schema in survey.request_schemas():
        if "string" in types(schema) and not any(schema.get(key) for key in _BOUNDING):
            message = "a string in a request may have any length"
            yield Finding(message=message, source=schema.source, hint="set maxLength")


def array_limit(survey: Survey) -> Findings:
    for schema in survey.request_schemas():
        if "array" in types(schema) and schema.get("maxItems") is None:
            message = "a list in a request may have any number of elements"
            yield Finding(message=message, source=schema.source, hint="set maxItems")


def integer_limit(survey: Survey) -> Findings:
    for schema in survey.request_schemas():
        if "integer" not in types(schema) or schema.get("enum") or schema.get("const"):
            continue
        sides = (_BOUNDED_BELOW, _BOUNDED_ABOVE)
        missing = [keys[0] for keys in sides if not any(schema.get(key) for key in keys)]
        if missing:
            hint = f"set {' and '.join(missing)}"
            yield Finding(message="an integer in a request has no bounds", source=schema.source, hint=hint)


def open_request(survey: Survey) -> Findings:
    starts = [
        schema
        for call in survey.calls
        for media, carrier in call.bodies
        if "json" in media and (schema := carrier.get("schema"))
    ]
    # What is answered too must stay open, or no property could ever be added to it.
    answered = {schema.pointer for schema in survey.answer_schemas()}
    # What a composition describes can only be closed by the whole of it.
    reached = survey.reached(starts)
    inside = {survey.follow(part).pointer for schema in reached for part in _all_of(schema)}
    for schema in reached:
        closed = schema.get("additionalProperties") or schema.get("unevaluatedProperties")
        if schema.get("properties") and closed is None and schema.pointer not in inside | answered:
            message = "an object in a request takes properties that nobody described"
            yield Finding(message=message, source=schema.source, hint="set additionalProperties: false")


def _all_of(schema: Node) -> tuple[Node, ...]:
    listed = schema.get("allOf")
    return tuple(listed.elements()) if listed else ()


def _schemes(survey: Survey) -> tuple[tuple[str, Node], ...]:
    components = survey.root.get("components")
    return members(components, "securitySchemes") if components else ()
