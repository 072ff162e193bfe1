"""What a token bucket promises, whatever the times of the calls."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms import FULL, BucketState, TokenBucket, bucket_limit
from hypothesis import given
from hypothesis import strategies as st


def policy(limit: int, window_s: float, burst: int) -> RateLimit:
    return RateLimit(
        algorithm="token_bucket",
        limit=limit,
        window_s=window_s,
        burst=burst,
        by="principal",
        on_store_failure="local",
    )


POLICIES = st.builds(policy, st.integers(1, 5000), st.floats(0.001, 86_400), st.integers(1, 500))
GAPS_US = st.lists(st.integers(0, 5_000_000) | st.integers(0, 10**10), min_size=1, max_size=60)


def test_a_burst_and_then_one_call_at_a_time() -> None:
    limit = bucket_limit(policy(60, 60.0, 3))
    state, now_us = FULL, 1_000_000
    for remaining in (2, 1, 0):
        state, decision = TokenBucket.step(state, now_us, 1, limit)
        assert (decision.allowed, decision.remaining) == (True, remaining)
    state, decision = TokenBucket.step(state, now_us, 1, limit)
    assert decision == (False, 0, 3, 1)
    state, decision = TokenBucket.step(state, now_us + 999_999, 1, limit)
    assert not decision.allowed
    state, decision = TokenBucket.step(state, now_us + 1_000_000, 1, limit)
    assert decision == (True, 0, 3, 0)


def test_waits_are_rounded_up_to_whole_seconds() -> None:
    limit = bucket_limit(policy(1, 2.5, 1))
    state, _ = TokenBucket.step(FULL, 0, 1, limit)
    _, decision = TokenBucket.step(state, 0, 1, limit)
    assert decision.retry_after_s == 3


@given(POLICIES, GAPS_US)
def test_no_window_holds_more_than_burst_and_rate_allow(limit: RateLimit, gaps_us: list[int]) -> None:
    bucket = bucket_limit(limit)
    state: BucketState = FULL
    now_us, allowed_at_us = 0, list[int]()
    for gap_us in gaps_us:
        now_us += gap_us
        state, decision = TokenBucket.step(state, now_us, 1, bucket)
        if decision.allowed:
            allowed_at_us.append(now_us)
    for first, start_us in enumerate(allowed_at_us):
        for last, end_us in enumerate(allowed_at_us[first:], first):
            calls = last - first + 1
            # burst + rate * W, multiplied out: token_units units make a call, rate_units flow in per
            # microsecond.
            assert (
                calls * bucket.token_units <= bucket.capacity_units + (end_us - start_us) * bucket.rate_units
            )


@given(POLICIES, GAPS_US)
def test_waiting_as_long_as_told_is_enough(limit: RateLimit, gaps_us: list[int]) -> None:
    bucket = bucket_limit(limit)
    state, now_us = FULL, 0
    for gap_us in gaps_us:
        now_us += gap_us
        state, decision = TokenBucket.step(state, now_us, 1, bucket)
        if decision.allowed:
            assert decision.retry_after_s == 0
        else:
            assert decision.retry_after_s >= 1
            _, later = TokenBucket.step(state, now_us + decision.retry_after_s * 1_000_000, 1, bucket)
            assert later.allowed
        _, full = TokenBucket.step(state, now_us + decision.reset_s * 1_000_000, 1, bucket)
        assert full.remaining == limit.burst - 1


@given(POLICIES, st.integers(1, 10**9))
def test_a_clock_that_goes_back_gives_nothing_away(limit: RateLimit, back_us: int) -> None:
    bucket = bucket_limit(limit)
    state = FULL
    for _ in range(limit.burst):
        state, _ = TokenBucket.step(state, 10**12, 1, bucket)
    state, decision = TokenBucket.step(state, 10**12 - back_us, 1, bucket)
    assert not decision.allowed
    _, decision = TokenBucket.step(state, 10**12, 1, bucket)
    assert not decision.allowed


def test_a_refused_call_is_not_charged() -> None:
    limit = bucket_limit(policy(1, 1.0, 1))
    state, _ = TokenBucket.step(FULL, 0, 1, limit)
    for _ in range(10):
        state, _ = TokenBucket.step(state, 500_000, 1, limit)
    _, decision = TokenBucket.step(state, 1_000_000, 1, limit)
    assert decision.allowed


@pytest.mark.parametrize(
    "unusable", [policy(0, 60, 1), policy(1, 0, 1), policy(1, 60, 0), policy(1, 31_536_000, 1_000_000)]
)
def test_a_limit_that_cannot_be_counted_is_refused(unusable: RateLimit) -> None:
    with pytest.raises(ValueError, match="cannot be counted"):
        bucket_limit(unusable)
