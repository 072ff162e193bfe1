"""How long an endpoint makes its callers wait: Finagle's peak EWMA."""

from __future__ import annotations

from math import exp
from typing import Final

PENALTY: Final = float(2**47)
"""Load of an endpoint that has work but has never finished any; more than any measured one."""


class PeakEwma:
    """A moving average of latencies that jumps to every peak and forgets it slowly.

    The average is weighted by the time between observations, which come unevenly (Eckner, "Algorithms for
    Unevenly Spaced Time Series"): `cost = cost * w + latency * (1 - w)`, `w = exp(-elapsed / decay)`; a
    latency above the cost becomes the cost.
    """

    __slots__ = ("_decay_s", "_seen_s", "cost_s")

    def __init__(self, decay_s: float, now_s: float) -> None:
        self._decay_s = decay_s
        self._seen_s = now_s
        self.cost_s = 0.0

    def observe(self, latency_s: float, now_s: float) -> None:
        """Learn from an attempt, however it ended: it kept its caller waiting for so long."""
        elapsed_s = now_s - self._seen_s
        weight = exp(-elapsed_s / self._decay_s) if elapsed_s > 0 else 1.0
        if latency_s > self.cost_s:
            self.cost_s = latency_s
        else:
            self.cost_s = self.cost_s * weight + latency_s * (1 - weight)
        self._seen_s = now_s

    def load(self, in_flight: int, now_s: float) -> float:
        """Seconds that one more request would wait: `cost * (in_flight + 1)`.

        Looking lets the cost decay, so that an endpoint that nobody picks becomes attractive again.
        """
        self.observe(0.0, now_s)
        if self.cost_s == 0.0 and in_flight:
            return PENALTY + in_flight
        return self.cost_s * (in_flight + 1)
