"""Header fields of answers held against the document: those that a service has to say itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from dhatu_gateway.core.exchange import Header
from dhatu_gateway.core.forward_headers import said_by_gateway
from dhatu_gateway.core.problem import FieldError
from dhatu_gateway.core.types import Answer, Parameter
from dhatu_gateway.core.validation.parameters import Rule, build_rule, check_text
from dhatu_gateway.core.validation.schemas import Schemas

HeaderErrors: TypeAlias = Callable[[int, list[Header]], Sequence[FieldError]]
"""Lists what is wrong with the fields of an answer of this status."""

OF_HTTP = frozenset({206, 304, 412, 416})
"""Statuses by which HTTP itself answers conditional and range requests; no description has to name them."""

# OpenAPI 3.1, section 4.8.17: a response header of this name is ignored, since `content` describes it.
_DESCRIBED_ELSEWHERE = frozenset({b"content-type"})
# RFC 9110 section 5.3: its values must not be joined, so there is no one value to look at.
_NOT_JOINED = b"set-cookie"
_SAYS_NOTHING = frozenset({"type", "title", "description", "default", "deprecated", "example", "examples"})


def build_answer_headers(answers: Sequence[Answer], schemas: Schemas) -> HeaderErrors | None:
    """Return what looks at the header fields of a route's answers; None where there is nothing to look at."""
    by_status = {
        answer.status: tuple(
            (name, build_rule(header, schemas))
            for header in answer.headers
            if _is_checked(name := header.name.lower().encode("ascii"), header, schemas)
        )
        for answer in answers
    }
    if not any(by_status.values()):
        return None
    known: dict[int, tuple[tuple[bytes, Rule], ...]] = {}

    def errors_in(status: int, headers: list[Header]) -> Sequence[FieldError]:
        rules = known.get(status)
        if rules is None:
            otherwise = by_status.get("default", ())
            rules = by_status.get(str(status), by_status.get(f"{status // 100}XX", otherwise))
            known[status] = rules = () if status in OF_HTTP else rules
        return _errors(rules, headers) if rules else ()

    return errors_in


def _is_checked(name: bytes, header: Parameter, schemas: Schemas) -> bool:
    if name in _DESCRIBED_ELSEWHERE or said_by_gateway(name):
        return False
    return header.required or not _is_any_text(header, schemas)


def _is_any_text(header: Parameter, schemas: Schemas) -> bool:
    """Whether every value is good."""
    if header.content_type or not header.schema:
        return not header.schema
    schema = schemas.resolve(schemas.at(header.schema))
    return schema.keys() <= _SAYS_NOTHING and schema.get("type", "string") == "string"


def _errors(rules: tuple[tuple[bytes, Rule], ...], headers: list[Header]) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    for name, rule in rules:
        values = [value for field, value in headers if field == name]
        if name == _NOT_JOINED and values:
            continue
        check_text(rule, b",".join(values).decode("latin-1") if values else None, errors)
    return errors
