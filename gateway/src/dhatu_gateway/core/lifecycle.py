"""Where one process is in its life: it serves, it drains, it is cut off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

NEVER_S = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How a process ends."""

    delay_s: float = 0.0
    """How long new connections are still taken while readiness is off, so that load balancers notice."""
    grace_s: float = 25.0
    """How long requests under way may take after that; Kubernetes kills after 30 s in all."""


class Lifecycle:
    """Told once that the process shall end, and asked by whoever acts on it."""

    def __init__(self, drain: Drain | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.draining = False
        """True once no further request shall come on an open connection; read with every request."""
        self._drain = drain or Drain()
        self._clock = clock
        self._accepts_until_s = NEVER_S
        self._ends_at_s = NEVER_S

    def drain(self, *, delayed: bool = True) -> None:
        """Begin to end; without the delay where others go on to serve the same address."""
        if self.draining:
            return
        self.draining = True
        self._accepts_until_s = self._clock() + (self._drain.delay_s if delayed else 0.0)
        self._ends_at_s = self._accepts_until_s + self._drain.grace_s

    def stop(self) -> None:
        """Drain; told a second time, end at once."""
        if self.draining:
            self.cut()
        else:
            self.drain()

    def cut(self) -> None:
        """End at once."""
        self.draining = True
        self._accepts_until_s = self._ends_at_s = self._clock()

    @property
    def accepting(self) -> bool:
        """Whether new connections are taken."""
        return self._clock() < self._accepts_until_s

    @property
    def left_s(self) -> float:
        """Seconds until everything is cut off: infinite while it serves, zero from then on."""
        return max(0.0, self._ends_at_s - self._clock())
