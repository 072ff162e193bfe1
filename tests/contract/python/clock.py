"""Clocks on which nobody waits: one for code that blocks, and an event loop for code that awaits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class VirtualTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self._now = 0.0

    def now_s(self) -> float:
        return self._now

    def sleep(self, delay_s: float) -> None:
        self._now += delay_s


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing else is left to do.

    Timeouts, races and queues run as they do in earnest. A thread is waited for where no timer runs beside
    it, and overtaken by the clock where one does.
    """

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Selector(self._pass))

    def time(self) -> float:
        return self._now

    def _pass(self, delay_s: float) -> None:
        self._now += delay_s


_THREAD_S = 10.0
"""Real seconds in which a thread that works on a file comes back."""


class _Selector(selectors.DefaultSelector):
    """Lets time pass where the real one would wait."""

    def __init__(self, let_pass: Callable[[float], None]) -> None:
        super().__init__()
        self._let_pass = let_pass

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            if not (ready := super().select(_THREAD_S)):
                raise RuntimeError("everybody waits, and nothing is going to happen")
            return ready
        self._let_pass(max(timeout, 0))
        return ready
