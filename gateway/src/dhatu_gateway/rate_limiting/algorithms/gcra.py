"""The generic cell rate algorithm: the bucket's promise, kept in one number."""

from __future__ import annotations

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms.interface import MAX_EXACT, State, refuse, window_us
from dhatu_gateway.rate_limiting.decision import Decision

MIN_INTERVAL_US = 100
"""The time between two calls is rounded up to a microsecond, which slows a limit by 1 % at most."""


class Gcra:
    """At most `burst` calls at once, and a call for every `interval_us` in the long run.

    `interval_us` is `window_s / limit`, rounded up to a microsecond, so that in any trailing window of W
    seconds at most `burst + W * limit / window_s` calls are allowed. The state is the theoretical arrival
    time: when the next call is due, if all of them came evenly (ITU-T I.371, virtual scheduling).
    """

    __slots__ = ("interval_us", "tolerance_us")

    name = "gcra"
    fresh: State = (0,)

    def __init__(self, interval_us: int, tolerance_us: int) -> None:
        """`tolerance_us` is how far ahead of the clock the calls may be: `burst * interval_us`."""
        self.interval_us = interval_us
        self.tolerance_us = tolerance_us

    @classmethod
    def of(cls, limit: RateLimit) -> Gcra:
        if min(limit.limit, limit.burst) < 1 or not 0 < limit.cost <= limit.burst:
            raise refuse(limit, "all must be positive, and the cost at most the burst")
        interval_us = -(-window_us(limit) // limit.limit)
        if interval_us < MIN_INTERVAL_US:
            raise refuse(limit, f"at most one call in {MIN_INTERVAL_US} us can be told apart")
        if limit.burst * interval_us >= MAX_EXACT // 4:
            raise refuse(limit, "burst * window_s / limit must be below 2e9")
        return cls(interval_us, limit.burst * interval_us)

    @property
    def figures(self) -> tuple[int, int, int]:
        return self.interval_us, self.tolerance_us, 0

    @property
    def largest(self) -> int:
        return self.tolerance_us // self.interval_us

    def step(self, state: State, now_us: int, cost: int) -> tuple[State, Decision]:
        due_us = max(state[0], now_us)
        ahead_us = due_us - now_us
        later_us = ahead_us + cost * self.interval_us
        wait_us = later_us - self.tolerance_us
        # Looking is always allowed, also for a clock that was set back and finds itself too far ahead.
        if wait_us > 0 and cost:
            later_us = ahead_us
        else:
            wait_us = 0
        left = max(0, self.tolerance_us - later_us) // self.interval_us
        return (now_us + later_us,), Decision(wait_us, left, later_us)

    def charge(self, state: State, now_us: int, cost: int) -> State:
        due_us = max(state[0], now_us)
        return (max(due_us, min(now_us + self.tolerance_us, due_us + cost * self.interval_us)),)

    def is_fresh(self, state: State, now_us: int) -> bool:
        return state[0] <= now_us
