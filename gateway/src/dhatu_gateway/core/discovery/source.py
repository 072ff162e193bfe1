"""What finds the endpoints of one service: a source is asked round after round."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from dhatu_gateway.core.upstream.discovery import Endpoint

Kind: TypeAlias = Literal["static", "dns", "srv", "consul", "kubernetes"]


class DiscoveryError(Exception):
    """A source could not be asked, or its answer makes no sense; what is known stays in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a round has brought."""

    endpoints: tuple[Endpoint, ...]
    fresh_s: float = 0.0
    """How long it need not be asked again; 0 where asking waits for a change by itself."""
    doubt: str = ""
    """Why this is only believed where nothing else is known; empty where it is."""
    recheck: bool = False
    """Whether the next round asks at once instead of waiting for a change: then it is put off as after a
    failure."""
    notes: tuple[str, ...] = ()
    """What was left out, and why."""


class Source(Protocol):
    """Finds the endpoints of one service."""

    @property
    def kind(self) -> Kind:
        """Who is asked."""
        ...

    async def find(self) -> Found:
        """Say where the endpoints are, at once the first time, then when something may have changed.

        Raises `DiscoveryError`. Cancelled when nobody wants to know any more.
        """
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Time and chance, and how often to ask."""

    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """Yields floats in [0, 1)."""
    least_s: float = 0.25
    """Between the beginnings of two rounds: a source whose answers never wait must not keep us busy."""
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 30.0

    def backoff_s(self, failures: int) -> float:
        """Pause after so many failed rounds: `min(longest, first * 2**(failures - 1)) * (0.5 to 1)`."""
        longest_s = min(self.longest_backoff_s, self.first_backoff_s * 2.0 ** min(failures - 1, 32))
        return longest_s * (0.5 + 0.5 * self.random())
