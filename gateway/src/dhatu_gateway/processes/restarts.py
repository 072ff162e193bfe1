"""How long to wait before the next process takes the place of one that has died."""

from __future__ import annotations

from dataclasses import dataclass

BASE_S = 0.5
CAP_S = 30.0
SETTLED_S = 10.0
"""One that has served for so long died of something else than its start."""


@dataclass(slots=True)
class Restarts:
    """The history of one place among the workers."""

    failures: int = 0
    """How many in a row died at start, or soon after."""

    def delay_s(self, served_s: float) -> float:
        """Seconds until the next start, after a process that served for so long; zero for one that never did.

        None at all after one that had settled, and after the first that had at least begun to serve;
        then `min(CAP_S, BASE_S * 2**(failures - 2))`.

        >>> restarts = Restarts()
        >>> [restarts.delay_s(served_s) for served_s in (3600.0, 1.0, 1.0, 0.0, 60.0, 0.0)]
        [0.0, 0.0, 0.5, 1.0, 0.0, 0.5]
        """
        if served_s >= SETTLED_S:
            self.failures = 0
            return 0.0
        self.failures += 1 if served_s > 0 or self.failures else 2
        return 0.0 if self.failures == 1 else min(CAP_S, BASE_S * 2 ** (self.failures - 2))
