"""The times of all calls in the window: exact, and as large as the limit."""

from __future__ import annotations

from bisect import bisect_right

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms.interface import MAX_EXACT, State, refuse, window_us
from dhatu_gateway.rate_limiting.decision import Decision

MAX_CALLS = 10_000
"""A caller's log holds eight bytes or more for each call of the window."""


class SlidingLog:
    """At most `limit` calls in any trailing window of `window_s`: exactly that, whenever they come.

    The state is the time of every call that counts, oldest first; a call of cost n stands in it n times.
    """

    __slots__ = ("limit", "window_us")

    name = "sliding_log"
    fresh: State = ()

    def __init__(self, window_us: int, limit: int) -> None:
        self.window_us = window_us
        self.limit = limit

    @classmethod
    def of(cls, limit: RateLimit) -> SlidingLog:
        span_us = window_us(limit)
        if min(limit.limit, span_us) < 1 or not 0 < limit.cost <= limit.limit:
            raise refuse(limit, "all must be positive, and the cost at most the limit")
        if limit.limit > MAX_CALLS or span_us >= MAX_EXACT // 4:
            raise refuse(limit, f"a log holds {MAX_CALLS:,} calls at most; take sliding_window or gcra")
        return cls(span_us, limit.limit)

    @property
    def figures(self) -> tuple[int, int, int]:
        return self.window_us, self.limit, 0

    @property
    def largest(self) -> int:
        return self.limit

    def step(self, state: State, now_us: int, cost: int) -> tuple[State, Decision]:
        times, now_us = self._counted(state, now_us)
        over = len(times) + cost - self.limit
        wait_us = 0
        if over > 0:
            wait_us = times[over - 1] + self.window_us - now_us
        else:
            times += (now_us,) * cost
        reset_us = times[-1] + self.window_us - now_us if times else 0
        return times, Decision(wait_us, self.limit - len(times), reset_us)

    def charge(self, state: State, now_us: int, cost: int) -> State:
        times, now_us = self._counted(state, now_us)
        return (times + (now_us,) * cost)[-self.limit :]

    def is_fresh(self, state: State, now_us: int) -> bool:
        return not state or state[-1] + self.window_us <= now_us

    def _counted(self, times: State, now_us: int) -> tuple[State, int]:
        """The calls in the window, and the time that counts."""
        if times and times[-1] > now_us:
            now_us = times[-1]
        expired = bisect_right(times, now_us - self.window_us)
        return (times[expired:] if expired else times), now_us
