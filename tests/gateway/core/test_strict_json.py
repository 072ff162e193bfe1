"""JSON that two readers could take for two things, and JSON that costs more than it is worth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.validation.json_body import MAX_DEPTH, parse_json
from hypothesis import given, settings
from hypothesis import strategies as st


def complaints(text: str) -> list[tuple[str, str]]:
    try:
        parse_json(text.encode())
    except ProblemError as error:
        return [(each.name, each.detail) for each in error.problem.errors]
    return []


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"a": 1, "a": 1}', ["/a"]),
        ('{"a": 1, "\\u0061": 2}', ["/a"]),
        ('{"a": {"b~/": [0, {"c": 1, "d": 2, "c": 3}]}}', ["/a/b~0~1/1/c"]),
        ('[{"a": 1, "a": 2}, {"b": 1, "b" : 2, "b": 3}]', ["/0/a", "/1/b"]),
        ('{"note": "a:b", "a": 1, "a": ":"}', ["/a"]),
        ('{"\\":": 1, "\\":": 2}', ['/":']),
        ('{"": 1, "": 2}', ["/"]),
        ('{"a": "x", "a" :{"a": 1}}', ["/a"]),
    ],
)
def test_members_that_are_there_twice_are_named(text: str, places: list[str]) -> None:
    assert complaints(text) == [(place, "is there more than once") for place in places]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"a": {"a": 1}}}',
        '{"time": "12:00:00", "url": "http://a/"}',
        '{"a\\\\": ":", "b": "\\":\\\\"}',
        '[{"a": 1}, {"a": 1}]',
        '{":": ":"}',
    ],
)
def test_colons_in_strings_are_not_members(text: str) -> None:
    assert parse_json(text.encode()) == json.loads(text)


TEXTS = st.text(alphabet='\\":a{[,9', max_size=6)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS | st.integers(0, 9)), max_size=4)


@settings(deadline=None)  # the machine may be busy
@given(pairs=PAIRS)
def test_repeats_are_found_whatever_strings_hold(pairs: list[tuple[str, Any]]) -> None:
    text = "{" + ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs) + "}"
    names = [name for name, _ in pairs]
    assert bool(complaints(text)) == (len(set(names)) != len(names))


@pytest.mark.parametrize(
    ("number", "is_read"),
    [
        ("18446744073709551615", True),
        ("18446744073709551616", False),
        ("-9223372036854775808", True),
        ("-9223372036854775809", False),
        ("1" * 100_000, False),
        ("0." + "1" * 62, True),
        ("0." + "1" * 63, False),
        ("1e400", False),
        ("1e-400", True),
        ("1" + "0" * 30, False),
        ("1e30", True),
        ("NaN", False),
        ("Infinity", False),
        ("0x10", False),
        ("01", False),
        ("+1", False),
        ("1_000", False),
    ],
)
def test_numbers_that_readers_disagree_about_are_refused(number: str, is_read: bool) -> None:
    assert bool(complaints(f'{{"n": [{number}]}}')) != is_read
    assert complaints(json.dumps({"n": number})) == []


def test_a_long_number_is_named_and_not_repeated() -> None:
    [(place, detail)] = complaints('{"a": [0, 99999999999999999999999]}')
    assert place == "/a/1"
    assert "64 bits" in detail
    assert "999" not in detail


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"__proto__": {"admin": true}}', ["/__proto__"]),
        ('[{"a": {"\\u005f_proto__": 1}}]', ["/0/a/__proto__"]),
        ('{"constructor": {"prototype": {"admin": true}}}', ["/constructor"]),
        ('{"constructor": "Ferrari", "prototype": 1, "note": "__proto__"}', []),
        ('{"constructor": {"name": "Ferrari"}}', []),
    ],
)
def test_members_that_reach_for_the_prototype_are_refused(text: str, places: list[str]) -> None:
    assert [place for place, _ in complaints(text)] == places


def test_depth_is_found_before_repeats_are_looked_for() -> None:
    deep = '{"a":' * (MAX_DEPTH + 1) + '{"b": 1, "b": 2}' + "}" * (MAX_DEPTH + 1)
    assert "levels deep" in complaints(deep)[0][1]
