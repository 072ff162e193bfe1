"""Which regular expressions are refused, and which could run away."""

from __future__ import annotations

import pytest
from dhatu_codegen.lint.patterns import linear, runs_away


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "["])
def test_what_needs_backtracking_is_refused(pattern: str) -> None:
    assert not linear(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "^(a*)*$", "(?:a+b*)+", "([a-z]+){2,}", "(a|a)*", "(x|a+)*", r"(\w+\s?)+", "((a+))+x"],
)
def test_a_repeat_of_nothing_but_repeats_could_run_away(pattern: str) -> None:
    assert linear(pattern)
    assert runs_away(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        "^[a-z]+(-[a-z]+)*$",
        "(a+){3}",
        "(a{2})*",
        r"\(a+\)+",
        "[(a+)]+",
        "(ab|cd)*",
        "(?:a+){0,3}",
        "(a?b)*",
    ],
)
def test_what_cannot_run_away_is_left_alone(pattern: str) -> None:
    assert linear(pattern)
    assert not runs_away(pattern)
