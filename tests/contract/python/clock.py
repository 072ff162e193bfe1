"""Clocks on which nobody waits: one for code that blocks, and an event loop for code that awaits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread


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

    Timeouts, races and queues run as they do in earnest. While a thread is at work the clock stands still.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._threads: anyio.CapacityLimiter | None = None
        super().__init__(_Selector(self._pass))

    def time(self) -> float:
        return self._now

    def watch_threads(self) -> None:
        """Know from here on whether a thread is at work; to be called by a task."""
        self._threads = anyio.to_thread.current_default_thread_limiter()

    def _pass(self, delay_s: float | None) -> bool:
        """Let that time pass, for ever where it is None; False where a thread has to come back first."""
        if self._threads is not None and self._threads.borrowed_tokens:
            return False
        if delay_s is None:
            raise RuntimeError("everybody waits, and nothing is going to happen")
        self._now += max(0.0, delay_s)
        return True


class _Selector(selectors.DefaultSelector):
    """Lets time pass where the real one would wait."""

    def __init__(self, passed: Callable[[float | None], bool]) -> None:
        super().__init__()
        self._passed = passed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        ready = super().select(0)
        if ready or timeout == 0 or self._passed(timeout):
            return ready
        return super().select(None)
