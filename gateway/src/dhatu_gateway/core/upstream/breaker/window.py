"""How many of the latest calls failed."""

from __future__ import annotations

from typing import Final

SLICES: Final = 10


class Window:
    """Counts of the last `window_s` seconds, in slices of a tenth: the oldest leaves as a whole."""

    __slots__ = ("_calls", "_failures", "_slice", "_slice_s", "calls", "failures")

    def __init__(self, window_s: float) -> None:
        self._slice_s = window_s / SLICES
        self._calls = [0] * SLICES
        self._failures = [0] * SLICES
        self._slice = 0
        self.calls = 0
        """In the window, as of the last `count`."""
        self.failures = 0

    def count(self, now_s: float, *, failed: bool) -> None:
        number = int(now_s / self._slice_s)
        if number != self._slice:
            self._turn_to(number)
        at = number % SLICES
        self._calls[at] += 1
        self.calls += 1
        if failed:
            self._failures[at] += 1
            self.failures += 1

    def clear(self) -> None:
        self._calls = [0] * SLICES
        self._failures = [0] * SLICES
        self.calls = self.failures = 0

    def _turn_to(self, number: int) -> None:
        passed = number - self._slice
        self._slice = number
        if not 0 < passed < SLICES:
            self.clear()
            return
        for late in range(passed):
            at = (number - late) % SLICES
            self.calls -= self._calls[at]
            self.failures -= self._failures[at]
            self._calls[at] = self._failures[at] = 0
