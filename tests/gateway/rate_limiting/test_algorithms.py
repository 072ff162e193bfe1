"""What each algorithm promises, whatever the times of the calls."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms import algorithm
from dhatu_gateway.rate_limiting.algorithms.interface import Algorithm
from dhatu_gateway.rate_limiting.algorithms.quota import month_of
from gateway.rate_limiting.support import WINDOWED, countable, limit
from hypothesis import example, given
from hypothesis import strategies as st

START_US = 1_800_000_000_000_000
GAPS_US = st.lists(st.integers(0, 5_000_000) | st.integers(0, 10**10), min_size=1, max_size=80)
every_window = pytest.mark.parametrize("name", WINDOWED)


def allowed_at(policy: RateLimit, gaps_us: list[int]) -> list[int]:
    """When calls were allowed that come with these gaps."""
    counted, state, now_us = algorithm(policy), algorithm(policy).fresh, START_US
    allowed: list[int] = []
    for gap_us in gaps_us:
        now_us += gap_us
        state, decision = counted.step(state, now_us, policy.cost)
        if not decision.wait_us:
            allowed.append(now_us)
    return allowed


def trailing(times_us: list[int], window_us: int) -> int:
    """The most of these times that any window of that length holds, its earlier end left out."""
    return max(
        (sum(end_us - window_us < time_us <= end_us for time_us in times_us) for end_us in times_us),
        default=0,
    )


def spans(times_us: list[int]) -> list[tuple[int, int]]:
    """(calls, microseconds) of every run of calls."""
    return [
        (last - first + 1, end_us - start_us)
        for first, start_us in enumerate(times_us)
        for last, end_us in enumerate(times_us[first:], first)
    ]


@given(countable(("token_bucket",)), GAPS_US)
def test_a_bucket_never_gives_more_than_its_burst_and_rate(policy: RateLimit, gaps_us: list[int]) -> None:
    window_us = round(policy.window_s * 1_000_000)
    for calls, length_us in spans(allowed_at(policy, gaps_us)):
        # burst + rate * W, multiplied out so that it stays whole.
        assert calls * policy.cost * window_us <= policy.burst * window_us + length_us * policy.limit


@given(countable(("gcra",)), GAPS_US)
def test_gcra_never_gives_more_than_its_burst_and_rate(policy: RateLimit, gaps_us: list[int]) -> None:
    window_us = round(policy.window_s * 1_000_000)
    for calls, length_us in spans(allowed_at(policy, gaps_us)):
        assert calls * policy.cost * window_us <= policy.burst * window_us + length_us * policy.limit


@given(countable(("sliding_log",)), GAPS_US)
def test_no_window_of_a_log_holds_more_than_the_limit(policy: RateLimit, gaps_us: list[int]) -> None:
    window_us = round(policy.window_s * 1_000_000)
    assert trailing(allowed_at(policy, gaps_us), window_us) * policy.cost <= policy.limit


@given(countable(("sliding_log",)), GAPS_US)
def test_a_log_refuses_nothing_that_the_limit_allows(policy: RateLimit, gaps_us: list[int]) -> None:
    window_us = round(policy.window_s * 1_000_000)
    counted, state, now_us = algorithm(policy), algorithm(policy).fresh, START_US
    allowed: list[int] = []
    for gap_us in gaps_us:
        now_us += gap_us
        state, decision = counted.step(state, now_us, policy.cost)
        in_window = sum(time_us > now_us - window_us for time_us in allowed) * policy.cost
        assert (decision.wait_us == 0) == (in_window + policy.cost <= policy.limit)
        if not decision.wait_us:
            allowed.append(now_us)


@given(countable(("sliding_window",)), GAPS_US)
@example(limit(algorithm="sliding_window", limit=50, window_s=1.0), [999_990, *[0] * 60, 999_980, *[0] * 60])
def test_every_window_of_two_counters_holds_less_than_twice_the_limit(
    policy: RateLimit, gaps_us: list[int]
) -> None:
    window_us = round(policy.window_s * 1_000_000)
    allowed = allowed_at(policy, gaps_us)
    assert trailing(allowed, window_us) * policy.cost < 2 * policy.limit
    for window in {time_us // window_us for time_us in allowed}:
        side_by_side = [time_us for time_us in allowed if time_us // window_us == window]
        assert len(side_by_side) * policy.cost <= policy.limit


@given(countable(("quota",)), st.lists(st.integers(0, 5 * 10**11), min_size=1, max_size=80))
def test_a_quota_is_exact_between_two_midnights_or_firsts_of_utc(
    policy: RateLimit, gaps_us: list[int]
) -> None:
    counted, state, now_us = algorithm(policy), algorithm(policy).fresh, START_US
    calls: Counter[str] = Counter()
    form = "%Y-%m" if policy.per == "month" else "%Y-%m-%d"
    for gap_us in gaps_us:
        now_us += gap_us
        now = datetime.fromtimestamp(now_us // 1_000_000, UTC)
        period = now.strftime(form)
        state, decision = counted.step(state, now_us, policy.cost)
        assert (decision.wait_us == 0) == (calls[period] + policy.cost <= policy.limit)
        calls[period] += policy.cost if decision.wait_us == 0 else 0
        assert decision.remaining == policy.limit - calls[period]
        if decision.wait_us:
            begins = datetime.fromtimestamp((now_us + decision.wait_us) / 1_000_000, UTC)
            assert begins.strftime("%H:%M:%S") == "00:00:00"
            assert begins.strftime(form) != period
            assert (begins.day == 1) or policy.per == "day"


@given(st.integers(0, 200_000))
def test_months_are_those_of_the_calendar(day: int) -> None:
    date = datetime(1970, 1, 1, tzinfo=UTC).date() + timedelta(days=day)
    following = (date.replace(day=1) + timedelta(days=31)).replace(day=1)
    number, ends = month_of(day)
    assert (number // 12, number % 12 + 1) == (date.year, date.month)
    assert ends == (following - datetime(1970, 1, 1, tzinfo=UTC).date()).days


def test_two_counters_may_let_nearly_twice_the_limit_pass() -> None:
    policy = limit(algorithm="sliding_window", limit=50, window_s=1.0)
    start_us = -START_US % 1_000_000
    gaps_us = [start_us + 999_999, *[0] * 49, 990_000, *[0] * 60]
    assert trailing(allowed_at(policy, gaps_us), 1_000_000) == 99, "the bound is stated because it is met"


@every_window
def test_even_calls_at_the_rate_pass(name: str) -> None:
    policy = limit(algorithm=name, limit=10, window_s=1.0, burst=1)
    # Two counters take a call that comes when a window begins for one too many, if the last window was full.
    allowed = 91 if name == "sliding_window" else 100
    assert len(allowed_at(policy, [100_000] * 100)) == allowed


@given(countable(), GAPS_US)
def test_waiting_as_long_as_told_is_enough_and_no_less(policy: RateLimit, gaps_us: list[int]) -> None:
    counted, state, now_us = algorithm(policy), algorithm(policy).fresh, START_US
    for gap_us in gaps_us:
        now_us += gap_us
        state, decision = counted.step(state, now_us, policy.cost)
        if decision.wait_us:
            _, later = counted.step(state, now_us + decision.wait_us, policy.cost)
            _, sooner = counted.step(state, now_us + decision.wait_us - 1, policy.cost)
            assert (later.wait_us, sooner.wait_us) == (0, 1)
        reset_at_us = now_us + decision.reset_us
        _, full = counted.step(state, reset_at_us, 0)
        _, never_called = counted.step(counted.fresh, reset_at_us, 0)
        assert full.remaining == never_called.remaining
        assert counted.is_fresh(state, reset_at_us)


@given(countable(), GAPS_US)
def test_what_remains_can_be_called(policy: RateLimit, gaps_us: list[int]) -> None:
    counted, state, now_us = algorithm(policy), algorithm(policy).fresh, START_US
    for gap_us in gaps_us:
        now_us += gap_us
        state, decision = counted.step(state, now_us, policy.cost)
        if decision.remaining:
            assert counted.step(state, now_us, decision.remaining)[1].wait_us == 0
        assert counted.step(state, now_us, decision.remaining + 1)[1].wait_us > 0


@given(countable(), st.integers(1, 10**9))
def test_a_clock_that_goes_back_gives_nothing_away(policy: RateLimit, back_us: int) -> None:
    counted = algorithm(policy)
    state = spent(counted, START_US)
    state, decision = counted.step(state, START_US - back_us, 1)
    assert decision.wait_us
    assert counted.step(state, START_US, 1)[1].wait_us


def spent(counted: Algorithm, now_us: int) -> Any:
    """A state with no calls left."""
    state = counted.fresh
    while counted.step(state, now_us, 1)[1].wait_us == 0:
        state, _ = counted.step(state, now_us, 1)
    return state


@given(countable(), GAPS_US)
def test_a_refused_call_is_not_charged(policy: RateLimit, gaps_us: list[int]) -> None:
    counted = algorithm(policy)
    patient = impatient = spent(counted, START_US)
    now_us = START_US
    for gap_us in gaps_us:
        now_us += gap_us
        if counted.step(impatient, now_us, policy.cost)[1].wait_us == 0:
            break
        impatient, _ = counted.step(impatient, now_us, policy.cost)
    assert counted.step(patient, now_us, 0)[1] == counted.step(impatient, now_us, 0)[1]


@every_window
def test_who_is_charged_for_refused_calls_stays_out_while_calling(name: str) -> None:
    policy = limit(algorithm=name, limit=10, window_s=1.0, burst=10)
    counted, now_us = algorithm(policy), START_US
    state = spent(counted, now_us)
    for _ in range(500):
        now_us += 10_000
        assert counted.step(state, now_us, 1)[1].wait_us
        state = counted.charge(state, now_us, 1)
    assert counted.step(state, now_us + 3_000_000, 10)[1].wait_us == 0, "a rest makes up for everything"


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": 0},
        {"window_s": 0},
        {"burst": 0},
        {"cost": 0},
        {"cost": 3},
        {"window_s": 31_536_000, "burst": 1_000_000},
        {"algorithm": "gcra", "limit": 100_000, "window_s": 1.0},
        {"algorithm": "gcra", "burst": 0},
        {"algorithm": "gcra", "limit": 1, "window_s": 31_536_000, "burst": 1_000},
        {"algorithm": "sliding_log", "limit": 10_001},
        {"algorithm": "sliding_log", "cost": 61},
        {"algorithm": "sliding_window", "limit": 1_000_000, "window_s": 86_400},
        {"algorithm": "sliding_window", "limit": 0},
        {"algorithm": "quota", "per": ""},
        {"algorithm": "quota", "cost": 61},
    ],
)
def test_a_limit_that_cannot_be_counted_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot be counted"):
        algorithm(limit(**changes))


def test_a_window_without_calls_is_fresh_when_it_ends() -> None:
    counted = algorithm(limit(algorithm="sliding_window", limit=1, window_s=24.0))
    end_us = 75_000_002 * 24_000_000
    assert counted.is_fresh((75_000_001, 0, 1), end_us)
    assert not counted.is_fresh((75_000_001, 0, 1), end_us - 1)
    assert not counted.is_fresh((75_000_001, 1, 0), end_us)
