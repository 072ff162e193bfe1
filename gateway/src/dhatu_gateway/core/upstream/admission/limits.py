"""How many requests may be under way: a number that is given, or one that is found by watching latencies."""

from __future__ import annotations

from math import sqrt
from typing import Final, Protocol

from dhatu_gateway.core.upstream.policy import Adaptive, Concurrency


class Limit(Protocol):
    """Says how many may be under way, and may learn from each that ends."""

    @property
    def most(self) -> int: ...

    def observe(self, latency_s: float, in_flight: int, *, dropped: bool) -> None:
        """One has ended; `in_flight` counts it too, `dropped` says that the service was too slow for it."""
        ...


class Fixed:
    """Always the same number."""

    __slots__ = ("most",)

    def __init__(self, most: int) -> None:
        self.most = most

    def observe(self, latency_s: float, in_flight: int, *, dropped: bool) -> None:
        return


_LONG: Final = 600
"""Requests over which the usual latency is averaged."""
_WARM_UP: Final = 10
_LONGER: Final = 0.95


class Gradient:
    """Grows while latencies are as usual, and shrinks where they rise: Netflix's Gradient2.

    `gradient = max(0.5, min(1, tolerance * usual / latest))`, and the limit moves by `smoothing` of the way
    to `limit * gradient + sqrt(limit)`, where the root is the queue that is worth having. It does not grow
    while it is not used up to half. A request that the service was too slow for counts as the worst gradient.
    """

    __slots__ = ("_limit", "_policy", "_seen", "_usual_s")

    def __init__(self, policy: Adaptive) -> None:
        self._policy = policy
        self._limit = float(policy.initial)
        self._usual_s = 0.0
        self._seen = 0

    @property
    def most(self) -> int:
        return int(self._limit)

    def observe(self, latency_s: float, in_flight: int, *, dropped: bool) -> None:
        policy = self._policy
        if dropped:
            self._move_to(self._limit * 0.5)
            return
        self._average(latency_s)
        if in_flight < self._limit / 2:
            return
        gradient = max(0.5, min(1.0, policy.tolerance * self._usual_s / max(latency_s, 1e-9)))
        self._move_to(self._limit * gradient + sqrt(self._limit))

    def _average(self, latency_s: float) -> None:
        self._seen += 1
        if self._seen <= _WARM_UP:
            self._usual_s += (latency_s - self._usual_s) / self._seen
        else:
            self._usual_s += (latency_s - self._usual_s) * 2 / (_LONG + 1)
        if self._usual_s > 2 * latency_s:
            # What was slow for long is over: come back faster than the average would.
            self._usual_s *= _LONGER

    def _move_to(self, limit: float) -> None:
        policy = self._policy
        moved = self._limit * (1 - policy.smoothing) + limit * policy.smoothing
        self._limit = min(float(policy.max), max(float(policy.min), moved))


def limit_for(policy: Concurrency) -> Limit:
    """The one that the policy asks for."""
    return Gradient(policy.adaptive) if policy.adaptive is not None else Fixed(policy.max or 1)
