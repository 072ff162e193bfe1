"""When a breaker opens, and what it takes to close it; on a clock of the test's own."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.core.upstream.breaker.breaker import REFUSED, Breaker
from dhatu_gateway.core.upstream.policy import Breaker as Policy
from hypothesis import given
from hypothesis import strategies as st


def made(**policy: Any) -> tuple[Breaker, list[str]]:
    states: list[str] = []
    settings = {"min_calls": 4, "half_open_calls": 2} | policy
    return Breaker("corpus", Policy(**settings), lambda breaker: states.append(breaker.state)), states


def state(breaker: Breaker) -> str:
    return breaker.state


def call(breaker: Breaker, outcomes: str, now_s: float = 0.0) -> None:
    """Calls one after another: `+` succeeded, `-` failed, `?` says nothing."""
    for outcome in outcomes:
        ticket = breaker.admit(now_s)
        assert ticket != REFUSED
        breaker.settle(ticket, None if outcome == "?" else outcome == "-", now_s)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("---", "closed"),
        ("----", "open"),
        ("++--", "open"),
        ("+++--", "closed"),
        ("++??--", "open"),
        ("????????", "closed"),
        ("-?-?-", "closed"),
    ],
)
def test_half_of_enough_calls_that_fail_open_it(outcomes: str, expected: str) -> None:
    breaker, _ = made()
    call(breaker, outcomes)
    assert state(breaker) == expected


def test_failures_in_a_row_can_open_it_whatever_the_rate() -> None:
    breaker, _ = made(consecutive=3, min_calls=100)
    call(breaker, "++--+--")
    assert state(breaker) == "closed"
    call(breaker, "-")
    assert state(breaker) == "open"


def test_what_is_older_than_the_window_does_not_count() -> None:
    breaker, _ = made(window_s=10.0)
    call(breaker, "---", 0.0)
    call(breaker, "+", 10.0)
    assert state(breaker) == "closed"
    call(breaker, "---", 11.0)
    assert state(breaker) == "open"


def test_while_open_nobody_is_let_through() -> None:
    breaker, states = made(open_s=5.0)
    call(breaker, "----", 1.0)
    assert breaker.admit(5.9) == REFUSED
    assert breaker.refuses_for_s(2.0) == 4.0
    assert states == ["open"]


def test_trials_close_it_when_all_of_them_succeed() -> None:
    breaker, states = made()
    call(breaker, "----")
    call(breaker, "+", 5.0)
    assert state(breaker) == "half_open"
    call(breaker, "+", 5.0)
    assert state(breaker) == "closed"
    assert states == ["open", "half_open", "closed"]
    call(breaker, "---", 5.0)
    assert state(breaker) == "closed", "what was counted before is forgotten"


def test_one_trial_that_fails_opens_it_again() -> None:
    breaker, _ = made(open_s=5.0)
    call(breaker, "----")
    call(breaker, "+-", 5.0)
    assert state(breaker) == "open"
    assert breaker.admit(9.9) == REFUSED
    assert breaker.openings == 2


def test_no_more_trials_than_allowed_are_under_way() -> None:
    breaker, _ = made()
    call(breaker, "----")
    first, second = breaker.admit(5.0), breaker.admit(5.0)
    assert breaker.admit(5.0) == REFUSED
    assert breaker.refuses_for_s(5.0) > 0
    breaker.settle(first, None, 5.0)
    third = breaker.admit(5.0)
    assert third != REFUSED, "a trial that says nothing makes room for another"
    breaker.settle(second, False, 5.0)
    breaker.settle(third, False, 5.0)
    assert state(breaker) == "closed"


def test_an_outcome_from_before_a_change_says_nothing() -> None:
    breaker, _ = made()
    late = breaker.admit(0.0)
    call(breaker, "----")
    trial = breaker.admit(5.0)
    breaker.settle(late, True, 5.0)
    assert state(breaker) == "half_open"
    breaker.settle(trial, False, 5.0)
    call(breaker, "+", 5.0)
    assert state(breaker) == "closed"


def test_it_follows_others_without_telling_them() -> None:
    breaker, states = made()
    breaker.follow_open(3.0, 10.0)
    assert (breaker.state, breaker.admit(12.9)) == ("open", REFUSED)
    breaker.follow_closed()
    assert state(breaker) == "closed"
    assert states == []


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from("+-?"), st.booleans()), max_size=80))
def test_it_never_loses_a_place_for_trials(steps: list[tuple[float, str, bool]]) -> None:
    """Whatever comes, after everything is settled and time has passed, calls are let through again."""
    breaker, _ = made()
    now_s = 0.0
    held: list[tuple[int, str]] = []
    for passed_s, outcome, settle_now in steps:
        now_s += passed_s
        ticket = breaker.admit(now_s)
        if ticket != REFUSED:
            held.append((ticket, outcome))
        if settle_now:
            while held:
                ticket, outcome = held.pop()
                breaker.settle(ticket, None if outcome == "?" else outcome == "-", now_s)
    for ticket, outcome in held:
        breaker.settle(ticket, None if outcome == "?" else outcome == "-", now_s)
    call(breaker, "++++", now_s + 6.0)
    assert state(breaker) == "closed"
