"""A timer that is moved far more often than it fires."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class LazyTimer:
    """Calls back at a moment that may be moved at any time.

    Moving it later costs one attribute write: the handle in the event loop stays where it is, and puts
    itself off when it fires too early. So a connection that carries one request after another arms the loop
    a few times a second, not once per request.
    """

    __slots__ = ("_callback", "_clock", "_handle", "_handle_due_s", "_loop", "due_s")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float], callback: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._callback = callback
        self.due_s = math.inf
        """When it will call back; infinity while it will not."""
        self._handle: asyncio.TimerHandle | None = None
        self._handle_due_s = math.inf

    def set(self, due_s: float) -> None:
        """Call back once `due_s` has come on the clock; infinity never does. Replaces what was set before."""
        self.due_s = due_s
        if due_s < self._handle_due_s:
            self._arm()

    def close(self) -> None:
        """Never call back again."""
        self.due_s = math.inf
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            self._handle_due_s = math.inf

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle_due_s = self.due_s
        # Event loops count in milliseconds: a shorter delay would fire at once, over and over.
        delay_s = max(self.due_s - self._clock(), 0.001)
        self._handle = self._loop.call_later(delay_s, self._fire)

    def _fire(self) -> None:
        self._handle = None
        self._handle_due_s = math.inf
        if self.due_s == math.inf:
            return
        if self._clock() < self.due_s:
            self._arm()
            return
        self.due_s = math.inf
        self._callback()
