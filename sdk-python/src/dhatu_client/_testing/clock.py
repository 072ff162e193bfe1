"""Time that passes only when somebody waits."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from .._settings import Surroundings


class VirtualClock:
    """Stands in for time and chance: waits are noted and over at once, and chance repeats itself."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []
        self._start_s = time.time()
        self._passed_s = 0.0

    def advance(self, delay_s: float) -> None:
        """Let time pass."""
        self._passed_s += delay_s

    def surroundings(self, real: Surroundings) -> Surroundings:
        """What a client is to use instead of the real ones."""
        return replace(
            real,
            now_s=lambda: self._passed_s,
            wall_s=lambda: self._start_s + self._passed_s,
            random=random.Random(0).random,
            sleep=self._sleep,
            asleep=self._asleep,
        )

    def _sleep(self, delay_s: float) -> None:
        self.waits_s.append(delay_s)
        self.advance(delay_s)

    async def _asleep(self, delay_s: float) -> None:
        from anyio.lowlevel import checkpoint

        self._sleep(delay_s)
        await checkpoint()  # others run while one waits
