"""The arithmetic of limits: pure functions of a state, a time and a cost.

Everything is an integer below 2**53, so that Python's integers and the doubles of Lua give the same answer to
the last digit.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.decision import Decision

MAX_EXACT = 2**53


class BucketLimit(NamedTuple):
    """A token bucket's size and speed, in units that keep the arithmetic whole.

    A token is `token_units` units of debt (the window in microseconds) and the bucket is paid back
    `rate_units` units (the calls per window) in every microsecond: `rate_units / token_units` tokens per
    microsecond, without a fraction anywhere.
    """

    token_units: int
    rate_units: int
    capacity_units: int
    """Debt at which the bucket is empty: `burst * token_units`."""


BucketState: TypeAlias = tuple[int, int]
"""What a bucket owes, in units, and since when, in microseconds."""

FULL: BucketState = (0, 0)
"""A bucket that nobody has drawn from."""


def bucket_limit(limit: RateLimit) -> BucketLimit:
    """Convert a policy; raises `ValueError` where it cannot be counted exactly or never allows a call."""
    token_units = round(limit.window_s * 1_000_000)
    bucket = BucketLimit(token_units, limit.limit, limit.burst * token_units)
    if min(bucket) < 1 or bucket.capacity_units + token_units >= MAX_EXACT:
        raise ValueError(
            f"a limit of {limit.limit} calls per {limit.window_s} s with a burst of {limit.burst} "
            "cannot be counted: all three must be positive, and burst * window_s below 9e9"
        )
    return bucket


class TokenBucket:
    """At most `burst` calls at once and `limit / window_s` calls per second in the long run.

    In any trailing window of W seconds at most `burst + W * limit / window_s` calls are allowed.
    """

    @staticmethod
    def step(state: BucketState, now_us: int, cost: int, limit: BucketLimit) -> tuple[BucketState, Decision]:
        """Draw `cost` tokens at `now_us`; a refused call draws nothing.

        A clock that goes back counts as standing still.
        """
        debt, at_us = state
        token_units, rate_units, capacity = limit
        elapsed_us = now_us - at_us
        if elapsed_us > 0:
            # In Lua a product above 2**53 is rounded, but then it is larger than any debt all the same.
            debt = max(0, debt - elapsed_us * rate_units)
            at_us = now_us
        owed = debt + cost * token_units
        if owed > capacity:
            return (debt, at_us), decide(debt, cost, limit, False)
        return (owed, at_us), decide(owed, cost, limit, True)


def decide(debt: int, cost: int, limit: BucketLimit, allowed: bool) -> Decision:
    """Put a bucket's debt after a call into the words of a decision."""
    token_units, rate_units, capacity = limit
    per_s = rate_units * 1_000_000
    return Decision(
        allowed,
        (capacity - debt) // token_units,
        -(-debt // per_s),
        0 if allowed else -(-(debt + cost * token_units - capacity) // per_s),
    )
