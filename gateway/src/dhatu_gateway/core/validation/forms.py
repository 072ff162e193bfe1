"""Bodies of application/x-www-form-urlencoded: read like a query, held against the schema as one object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import MediaType, Parameter, Part
from dhatu_gateway.core.validation.parameters import Rule, build_rule, parse_query, value_in_query
from dhatu_gateway.core.validation.refusals import pointer_token, refusal
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.validation.styles import decode_query

MAX_FIELDS = 1_000


def build_form(media: MediaType, schemas: Schemas) -> Callable[[bytes], None]:
    """Return what raises `ProblemError` for a form that does not fit."""
    members = properties_of(media.schema, schemas)
    styles = {part.name: part for part in media.parts}
    rules = tuple(_rule(name, schema, styles.get(name), schemas) for name, schema in members.items())
    validator = schemas.validator(media.schema)

    def check(body: bytes) -> None:
        value, errors = _read(body, rules)
        if not errors and validator.is_valid(value):
            return
        spoilt = {error.name for error in errors}
        found = [error for error in body_errors(validator.iter_errors(value)) if error.name not in spoilt]
        if errors or found:
            raise refusal([*errors, *found])

    return check


def properties_of(pointer: str, schemas: Schemas) -> dict[str, str]:
    """Name the members that a schema describes, also by references and allOf, with pointers to them."""
    found: dict[str, str] = {}
    waiting, seen = [pointer], set[str]()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        written = schemas.at(place)
        if not isinstance(written, dict):
            continue
        schema = cast(dict[str, Any], written)
        for name in schema.get("properties", ()):
            found.setdefault(name, f"{place}/properties/{pointer_token(name)}")
        waiting += [f"{place}/allOf/{index}" for index in range(len(schema.get("allOf", ())))]
        reference = schema.get("$ref", "")
        if reference.startswith("#/"):
            waiting.append(reference[1:])
    return found


def _rule(name: str, pointer: str, part: Part | None, schemas: Schemas) -> Rule:
    styled = part is not None and bool(part.style)
    rule = build_rule(
        Parameter(
            name=name,
            location="query",
            required=False,
            style=part.style if part is not None and styled else "form",
            explode=part.explode if part is not None and styled else True,
            content_type="",
            schema=pointer,
        ),
        schemas,
    )
    if not styled and rule.shape.kind == "object":
        # OpenAPI 3.1.1, Encoding Object: without a style, an object is written as JSON.
        written = Parameter(
            name=name,
            location="query",
            required=False,
            style="form",
            explode=False,
            content_type="application/json",
            schema=pointer,
        )
        return build_rule(written, schemas)
    return rule


def _read(body: bytes, rules: Sequence[Rule]) -> tuple[dict[str, Any], list[FieldError]]:
    try:
        fields = parse_query(body, "form", MAX_FIELDS)
    except ProblemError as error:
        raise refusal([FieldError(location="body", name="", detail=error.problem.detail)]) from error
    value: dict[str, Any] = {}
    errors: list[FieldError] = []
    known: set[str] = set()
    for rule in rules:
        known |= rule.names_in(fields)
        try:
            found, member = value_in_query(rule, fields)
        except ValueError as error:
            name = f"/{pointer_token(rule.name)}"
            errors.append(FieldError(location="body", name=name, detail=str(error)))
            value[rule.name] = None
        else:
            if found:
                value[rule.name] = member
    for name, texts in fields.items():
        if name in known:
            continue
        try:
            decoded = [decode_query(text) for text in texts]
        except ValueError as error:
            pointer = f"/{pointer_token(name[:100])}"
            errors.append(FieldError(location="body", name=pointer, detail=str(error)))
        else:
            value[name] = decoded[0] if len(decoded) == 1 else decoded
    return value, errors
