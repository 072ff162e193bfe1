"""JSON as the command lays it out for people."""

from __future__ import annotations

import pytest
from dhatu_client._cli.readable import readable


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"a": {"b": 1}, "c": []}, ["a:", "  b: 1", "c: none"]),
        ({"text": "two\nlines"}, ["text:", "  two", "  lines"]),
        ([{"a": {"b": 1}}, {"a": {"b": 2}}], ["- a:", "    b: 1", "- a:", "    b: 2"]),
        (["a", "b"], ["- a", "- b"]),
        ({"kinds": ["a", "b"], "of": ["a,b"]}, ["kinds: a, b", "of:", "  - a,b"]),
        ([{"a": 1}, {"b": True}], ["a  b", "1", "   yes"]),
        ({"bell\x07": "\x1b[31mred"}, ["bell\\x07: \\x1b[31mred"]),
        (5, ["5"]),
        ({}, [""]),
    ],
)
def test_values_are_laid_out_for_people(value: object, lines: list[str]) -> None:
    assert readable(value, 80).split("\n") == lines


def test_a_table_that_is_too_wide_becomes_a_list() -> None:
    assert readable([{"name": "x" * 30, "title": "y" * 30}], 40).split("\n") == [
        f"- name: {'x' * 30}",
        f"  title: {'y' * 30}",
    ]
