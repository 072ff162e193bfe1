"""JSON as it may come from anybody."""

from __future__ import annotations

from typing import Any

import orjson

from dhatu_gateway.core.problem import FieldError, ProblemError

MAX_DEPTH = 64
"""Levels of arrays and objects; beyond any honest body, well below what a parser's stack holds."""


def parse_json(body: bytes) -> Any:
    """Read a JSON text (RFC 8259); raises `ProblemError` that says where it is malformed."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise _refusal(detail) from error
    # Brackets in strings count too: they only send the body to the exact measurement.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise _refusal(f"is nested more than {MAX_DEPTH} levels deep")
    return value


def _is_deeper(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        children: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                children += each.values()
            elif isinstance(each, list):
                children += each
        level = [child for child in children if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _refusal(detail: str) -> ProblemError:
    return ProblemError(
        "invalid-request",
        f"The body {detail}.",
        errors=[FieldError(location="body", name="", detail=detail)],
    )
