"""How long an endpoint makes its callers wait: Finagle's peak EWMA."""

from __future__ import annotations

import math
from typing import Final

DECAY_S: Final = 10.0
"""After so long without a peak, a cost has fallen to 1/e of it."""
PENALTY: Final = float(2**47)
"""Load of an endpoint that has work but has never finished any; more than any measured one."""


class PeakEwma:
    """A moving average of latencies that jumps to every peak and forgets it slowly.

    The average is weighted by the time between observations, which come unevenly (Eckner, "Algorithms for
    Unevenly Spaced Time Series"): `cost = cost * w + latency * (1 - w)`, `w = exp(-elapsed / DECAY_S)`; a
    latency above the cost becomes the cost.
    """

    __slots__ = ("_cost_s", "_seen_s")

    def __init__(self, now_s: float) -> None:
        self._cost_s = 0.0
        self._seen_s = now_s

    def observe(self, latency_s: float, now_s: float) -> None:
        """Learn from an attempt that has ended, however it did: it kept its caller waiting for so long."""
        elapsed_s = max(0.0, now_s - self._seen_s)
        weight = math.exp(-elapsed_s / DECAY_S)
        self._cost_s = (
            latency_s if latency_s > self._cost_s else self._cost_s * weight + latency_s * (1 - weight)
        )
        self._seen_s = now_s

    def load(self, in_flight: int, now_s: float) -> float:
        """Seconds that one more attempt would wait: `cost * (in_flight + 1)`.

        Looking lets the cost decay, so that an endpoint that nobody picks becomes attractive again.
        """
        self.observe(0.0, now_s)
        if self._cost_s == 0.0 and in_flight:
            return PENALTY + in_flight
        return self._cost_s * (in_flight + 1)
