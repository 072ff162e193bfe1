"""Two counters, weighed by how much of the older one's window is still in sight."""

from __future__ import annotations

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms.interface import MAX_EXACT, State, refuse, window_us
from dhatu_gateway.rate_limiting.decision import Decision


class SlidingWindow:
    """About `limit` calls in a trailing window of `window_s`, in two numbers, whatever the limit.

    The windows lie side by side. At `e` seconds into one, with `p` calls in the one before, `c` calls are
    allowed while `p * (window_s - e) / window_s + c <= limit`: as many as the limit, if those of the window
    before came evenly. Where they came at its end, a trailing window may hold more, though always fewer than
    `2 * limit`: `p <= limit` of them and `c <= limit - p * (1 - e / window_s)` make
    `limit + limit * e / window_s` at most. No window that lies side by side holds more than `limit`.

    The state is the number of the current window, its calls, and those of the window before.
    """

    __slots__ = ("limit", "window_us")

    name = "sliding_window"
    fresh: State = (0, 0, 0)

    def __init__(self, window_us: int, limit: int) -> None:
        self.window_us = window_us
        self.limit = limit

    @classmethod
    def of(cls, limit: RateLimit) -> SlidingWindow:
        span_us = window_us(limit)
        if min(limit.limit, span_us) < 1 or not 0 < limit.cost <= limit.limit:
            raise refuse(limit, "all must be positive, and the cost at most the limit")
        if 2 * limit.limit * span_us >= MAX_EXACT:
            raise refuse(limit, "limit * window_s must be below 4.5e9")
        return cls(span_us, limit.limit)

    @property
    def figures(self) -> tuple[int, int, int]:
        return self.window_us, self.limit, 0

    @property
    def largest(self) -> int:
        return self.limit

    def step(self, state: State, now_us: int, cost: int) -> tuple[State, Decision]:
        (window, calls, before), left_us = self._counted(state, now_us)
        span_us, limit = self.window_us, self.limit
        weighed = before * left_us + calls * span_us
        wait_us = 0
        if weighed + cost * span_us <= limit * span_us:
            calls += cost
            weighed += cost * span_us
        elif cost:
            wait_us = self._wait_us(calls, before, left_us, cost)
        # A refusal that was charged may weigh more than the limit.
        left = max(0, limit * span_us - weighed) // span_us
        reset_us = 0
        if calls:
            reset_us = left_us + span_us
        elif before:
            reset_us = left_us
        return (window, calls, before), Decision(wait_us, left, reset_us)

    def charge(self, state: State, now_us: int, cost: int) -> State:
        (window, calls, before), _ = self._counted(state, now_us)
        return window, min(self.limit, calls + cost), before

    def is_fresh(self, state: State, now_us: int) -> bool:
        window, calls, before = state
        windows = now_us // self.window_us - window
        return windows >= 2 or (not calls and (windows == 1 or not before))

    def _counted(self, state: State, now_us: int) -> tuple[tuple[int, int, int], int]:
        """The counters at a time, and what is left of their window."""
        window, calls, before = state
        current, elapsed_us = divmod(now_us, self.window_us)
        if current < window:
            current, elapsed_us = window, 0
        if current == window + 1:
            calls, before = 0, calls
        elif current > window:
            calls, before = 0, 0
        return (current, calls, before), self.window_us - elapsed_us

    def _wait_us(self, calls: int, before: int, left_us: int, cost: int) -> int:
        """Until the older calls weigh little enough: `before * left <= room` in this window, or the next."""
        span_us = self.window_us
        room = (self.limit - calls - cost) * span_us
        if room >= 0:
            return left_us - room // before
        room += calls * span_us
        return left_us + max(0, span_us - room // calls)
