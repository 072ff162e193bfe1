"""Long work in small steps, between which the event loop serves requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

SLICE_S = 0.002
"""How long requests wait for a slice of work at the most, as far as its steps are short."""


class Slices:
    """Counts the time since the event loop has last had its turn."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._since_s = clock()

    async def step(self) -> None:
        """Called after each step; lets the others go on where the slice is used up."""
        if self._clock() - self._since_s >= SLICE_S:
            await asyncio.sleep(0)
            self._since_s = self._clock()
