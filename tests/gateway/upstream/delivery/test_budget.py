"""What repeats may add to the load of a service, whatever callers do."""

from __future__ import annotations

from dhatu_gateway.core.upstream.delivery.budget import RetryBudget
from dhatu_gateway.core.upstream.policy import RetryBudget as Policy
from hypothesis import given
from hypothesis import strategies as st

POLICY = Policy()


def budget() -> RetryBudget:
    return RetryBudget(POLICY)


def test_a_few_repeats_are_free() -> None:
    found = budget()
    assert [found.withdraw(0.0) for _ in range(4)] == [True, True, True, False]


def test_more_calls_allow_more_repeats() -> None:
    found = budget()
    for _ in range(100):
        found.call(0.0)
    assert sum(found.withdraw(0.5) for _ in range(50)) == 10


def test_what_is_older_than_the_window_is_forgotten() -> None:
    found = budget()
    for _ in range(100):
        found.call(0.0)
    assert sum(found.withdraw(9.9) for _ in range(50)) == 10
    assert not found.withdraw(10.0), "the calls have gone, the repeats have not"
    assert sum(found.withdraw(19.0) for _ in range(50)) == 3
    assert sum(found.withdraw(1_000.0) for _ in range(50)) == 3


def test_an_attempt_after_a_failure_is_a_repeat() -> None:
    found = budget()
    for _ in range(10):
        found.failed(0.0)
    assert [found.repeat(0.1) for _ in range(5)] == [True, True, True, False, False]


def test_an_attempt_that_repeats_no_failure_is_new() -> None:
    """Its first one was refused by a limit, or never arrived."""
    found = budget()
    assert all(found.repeat(0.0) for _ in range(50))
    assert sum(found.withdraw(0.0) for _ in range(50)) == 5, "and counts as a call"


def test_each_failure_is_repeated_once() -> None:
    found = budget()
    found.failed(0.0)
    assert [found.repeat(0.1) for _ in range(20)] == [True] * 20
    assert sum(found.withdraw(0.2) for _ in range(9)) == 2, "one of three is used up"


events = st.lists(
    st.tuples(st.floats(0, 2), st.sampled_from(["call", "repeat", "withdraw", "failed"])), max_size=300
)


@given(events)
def test_repeats_never_exceed_the_promise(steps: list[tuple[float, str]]) -> None:
    """In any stretch of time, counted anew: a tenth of the calls of the window, or three in each window."""
    found = budget()
    now_s, at_s = 0.0, []
    calls: list[float] = []
    failures = 0
    for passed_s, event in steps:
        now_s += passed_s
        match event:
            case "call":
                found.call(now_s)
                calls.append(now_s)
            case "failed":
                found.failed(now_s)
                failures += 1
            case "withdraw":
                if found.withdraw(now_s):
                    at_s.append(now_s)
            case _:
                found.repeat(now_s)
                calls.append(now_s)  # at most
    for end_s in at_s:
        # Whole slices leave the window, so it may be up to a slice shorter than its name says.
        repeats = sum(end_s - 9.0 < other_s <= end_s for other_s in at_s)
        recent = sum(end_s - 10.0 <= call_s <= end_s for call_s in calls)
        assert repeats <= max(3, 0.1 * recent)
