"""Formats are asserted, not only written down."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.core.validation.formats import with_bounds
from dhatu_gateway.core.validation.schemas import Schemas


def is_valid(schema: Any, value: Any) -> bool:
    return Schemas({"s": schema}).validator("/s").is_valid(value)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2026-03-01T09:30:00Z", "2026-02-30T09:30:00Z"),
        ("date", "2024-02-29", "2026-02-29"),
        ("time", "09:30:00Z", "25:00:00Z"),
        ("duration", "P1DT2H", "1 day"),
        ("email", "a@b.example", "a@"),
        ("hostname", "a.example", "-a.example"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
        ("ipv6", "2001:db8::1", "2001:db8:::1"),
        ("uri", "https://a.example/b?c", "/b"),
        ("uri-reference", "/b?c", "\\b"),
        ("uuid", "00000000-0000-4000-8000-000000000000", "0000"),
        ("json-pointer", "/a~1b", "a"),
        ("regex", "^a+$", "(a"),
    ],
)
def test_formats_of_strings(name: str, good: str, bad: str) -> None:
    schema = {"type": "string", "format": name}
    assert (is_valid(schema, good), is_valid(schema, bad)) == (True, False)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer", "format": "int32"}, [2**31 - 1, -(2**31)], [2**31, -(2**31) - 1]),
        ({"type": "integer", "format": "int64"}, [2**63 - 1], [2**63]),
        ({"type": ["integer", "null"], "format": "uint8"}, [255, 0, None], [256, -1]),
        ({"allOf": [{"minimum": 3}], "type": "integer", "format": "int32"}, [3], [2, 2**31]),
        ({"items": {"type": "integer", "format": "int32"}}, [[1]], [[2**31]]),
        ({"type": "string", "format": "int64"}, ["9" * 30], [1]),
        ({"const": {"type": "integer", "format": "int32"}}, [{"type": "integer", "format": "int32"}], [1]),
    ],
)
def test_formats_of_integers_are_bounds(schema: Any, good: list[Any], bad: list[Any]) -> None:
    assert [is_valid(schema, value) for value in good] == [True] * len(good)
    assert [is_valid(schema, value) for value in bad] == [False] * len(bad)


def test_a_document_without_them_is_not_copied() -> None:
    document = {"a": [{"format": "date", "type": "string"}], "b": {"c": 1}}
    assert with_bounds(document) is document
