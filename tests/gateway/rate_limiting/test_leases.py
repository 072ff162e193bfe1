"""Leased calls: what a window holds at most, however many processes take them ahead."""

from __future__ import annotations

from dataclasses import replace

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.leases import LONGEST_US, Leases
from dhatu_gateway.rate_limiting.rules import rules_of, take
from gateway.rate_limiting.support import countable, limit, route, several
from hypothesis import given
from hypothesis import strategies as st

NOW_US = 1_800_000_000_000_000
EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 400_000) | st.integers(0, 10**8)), min_size=1, max_size=120
)
"""Which of four processes is called, and how long after the call before."""


def spent(policy: RateLimit, events: list[tuple[int, int]]) -> list[int]:
    """When calls pass, in processes that share one store."""
    rules = rules_of(several(policy))
    processes = [Leases(rules) for _ in range(4)]
    states, now_us, passed = [rule.algorithm.fresh for rule in rules], NOW_US, list[int]()
    for number, gap_us in events:
        now_us += gap_us
        leases = processes[number]
        if leases.spend(("ada",), now_us) is None:
            taken, after, decisions = take(rules, states, now_us, leases.batch)
            states = list(after)
            if not taken:
                continue
            if taken > 1:
                leases.put(("ada",), now_us, taken - 1, decisions)
        passed.append(now_us)
    return passed


@given(countable(("token_bucket", "gcra")), st.integers(2, 20), EVENTS)
def test_a_window_of_leased_calls_holds_what_a_bucket_allows_in_a_second_more(
    policy: RateLimit, lease: int, events: list[tuple[int, int]]
) -> None:
    window_us = round(policy.window_s * 1_000_000)
    passed = spent(replace(policy, lease=lease), events)
    for first, start_us in enumerate(passed):
        for last, end_us in enumerate(passed[first:], first):
            calls = last - first + 1
            longer_us = end_us - start_us + min(LONGEST_US, window_us)
            assert calls * policy.cost * window_us <= policy.burst * window_us + longer_us * policy.limit


@given(countable(("sliding_log",)), st.integers(2, 20), EVENTS)
def test_a_window_of_leased_calls_holds_at_most_twice_what_a_log_allows(
    policy: RateLimit, lease: int, events: list[tuple[int, int]]
) -> None:
    window_us = round(policy.window_s * 1_000_000)
    passed = spent(replace(policy, lease=lease), events)
    for end_us in passed:
        in_window = sum(end_us - window_us < time_us <= end_us for time_us in passed)
        # A window that is longer by a second, or by itself where it is shorter, is no more than two.
        assert in_window * policy.cost <= 2 * policy.limit


def test_what_is_not_spent_in_time_is_gone() -> None:
    leases = Leases(rules_of(route(lease=10, burst=60)))
    leases.put(("ada",), NOW_US, 9, [None])
    assert leases.spend(("ada",), NOW_US + LONGEST_US - 1) is not None
    assert leases.spend(("ada",), NOW_US + LONGEST_US) is None
    assert leases.spend(("ada",), NOW_US) is None


def test_two_that_were_taken_at_once_are_added_and_end_with_the_first() -> None:
    leases = Leases(rules_of(route(lease=3, burst=60)))
    leases.put(("ada",), NOW_US, 2, [None])
    leases.put(("ada",), NOW_US + 500_000, 2, [None])
    for _ in range(4):
        assert leases.spend(("ada",), NOW_US + LONGEST_US - 1) is not None
    assert leases.spend(("ada",), NOW_US + LONGEST_US - 1) is None


def test_leases_take_a_bounded_room() -> None:
    leases = Leases(rules_of(route(lease=3, burst=60)), max_leases=8)
    for number in range(100):
        leases.put((f"user-{number}",), NOW_US, 2, [None])
        assert leases.spend((f"user-{number}",), NOW_US) is not None
    assert sum(leases.spend((f"user-{number}",), NOW_US) is not None for number in range(100)) <= 8


def test_limits_that_watch_or_charge_refusals_are_exact() -> None:
    for exact in (limit(lease=9, shadow=True), limit(lease=9, charge_refused=True), limit()):
        assert Leases(rules_of(several(limit(name="leased", lease=9), exact))).batch == 1
