"""When a client's connection has been slow for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, TypeAlias

from dhatu_gateway.core.server.limits import ServerLimits

Phase: TypeAlias = Literal["idle", "head", "body", "answer", "linger", "flush"]
"""What the connection waits for; for an answer it may wait as long as the route allows."""


class ConnectionClock:
    """Calls `expired(phase)` once when a phase has lasted too long.

    It looks once per tick and not at every change, since changes are many and expiries few.
    """

    __slots__ = ("_body_bytes", "_expired", "_limits", "_loop", "_paused_at_s", "_since_s", "_timer", "phase")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limits: ServerLimits, expired: Callable[[Phase], None]
    ) -> None:
        self.phase: Phase = "head"
        """May be set directly to `answer`, which needs no time."""
        self._loop = loop
        self._limits = limits
        self._expired = expired
        self._since_s = 0.0
        self._body_bytes = 0
        self._paused_at_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.enter("head")
        self._timer = self._loop.call_later(self._limits.tick_s, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def enter(self, phase: Phase) -> None:
        """Begin a phase now."""
        self.phase = phase
        self._since_s = self._loop.time()
        self._body_bytes = 0

    def received(self, size_bytes: int) -> None:
        """Note a part of a body."""
        if self.phase != "body":
            self.enter("body")
        self._body_bytes += size_bytes

    def pause(self) -> None:
        """Do not count the time from now on: the gateway does not read."""
        self._paused_at_s = self._loop.time()

    def resume(self) -> None:
        if self._paused_at_s is not None:
            self._since_s += max(0.0, self._loop.time() - max(self._paused_at_s, self._since_s))
            self._paused_at_s = None

    def lasted_s(self) -> float:
        """How long the phase has lasted."""
        return self._loop.time() - self._since_s

    def _allowed_s(self) -> float:
        limits = self._limits
        match self.phase:
            case "idle":
                return limits.keep_alive_s
            case "head":
                return limits.header_timeout_s
            case "body":
                return limits.body_grace_s + self._body_bytes / limits.min_body_bytes_per_s
            case "linger":
                return limits.linger_s
            case "flush":
                return limits.write_stall_s
            case "answer":
                return float("inf")

    def _tick(self) -> None:
        if self._paused_at_s is None and self._loop.time() - self._since_s >= self._allowed_s():
            phase = self.phase
            self.phase = "answer"
            self._expired(phase)
        self._timer = self._loop.call_later(self._limits.tick_s, self._tick)
