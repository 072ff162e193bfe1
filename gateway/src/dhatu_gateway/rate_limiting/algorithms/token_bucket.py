"""A bucket of tokens that is refilled at a steady rate."""

from __future__ import annotations

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms.interface import MAX_EXACT, State, refuse, window_us
from dhatu_gateway.rate_limiting.decision import Decision


class TokenBucket:
    """At most `burst` calls at once and `limit / window_s` calls per second in the long run.

    In any trailing window of W seconds at most `burst + W * limit / window_s` calls are allowed.

    A token is `token_units` units of debt (the window in microseconds) and the bucket is paid back
    `rate_units` units (the calls per window) in every microsecond: `rate_units / token_units` tokens per
    microsecond, without a fraction anywhere. The state is the debt, and when it was that, in microseconds.
    """

    __slots__ = ("capacity_units", "rate_units", "token_units")

    name = "token_bucket"
    fresh: State = (0, 0)

    def __init__(self, token_units: int, rate_units: int, capacity_units: int) -> None:
        """`capacity_units` is the debt at which the bucket is empty: `burst * token_units`."""
        self.token_units = token_units
        self.rate_units = rate_units
        self.capacity_units = capacity_units

    @classmethod
    def of(cls, limit: RateLimit) -> TokenBucket:
        token_units = window_us(limit)
        if min(token_units, limit.limit, limit.burst) < 1 or not 0 < limit.cost <= limit.burst:
            raise refuse(limit, "all must be positive, and the cost at most the burst")
        if (limit.burst + limit.cost) * token_units >= MAX_EXACT:
            raise refuse(limit, "(burst + cost) * window_s must be below 9e9")
        return cls(token_units, limit.limit, limit.burst * token_units)

    @property
    def figures(self) -> tuple[int, int, int]:
        return self.token_units, self.rate_units, self.capacity_units

    @property
    def largest(self) -> int:
        return self.capacity_units // self.token_units

    def step(self, state: State, now_us: int, cost: int) -> tuple[State, Decision]:
        debt, at_us = state
        rate, capacity = self.rate_units, self.capacity_units
        elapsed_us = now_us - at_us
        if elapsed_us > 0:
            # In Lua a product above 2**53 is rounded, but then it is larger than any debt all the same.
            debt = max(0, debt - elapsed_us * rate)
            at_us = now_us
        owed = debt + cost * self.token_units
        wait_us = 0
        if owed > capacity:
            wait_us = -(-(owed - capacity) // rate)
        else:
            debt = owed
        left = (capacity - debt) // self.token_units
        return (debt, at_us), Decision(wait_us, left, -(-debt // rate))

    def charge(self, state: State, now_us: int, cost: int) -> State:
        (debt, at_us), _ = self.step(state, now_us, 0)
        return min(self.capacity_units, debt + cost * self.token_units), at_us

    def is_fresh(self, state: State, now_us: int) -> bool:
        debt, at_us = state
        return debt <= (now_us - at_us) * self.rate_units
