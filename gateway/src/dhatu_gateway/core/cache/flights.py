"""One question to a service at a time for each answer that is to be kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

FlightKey: TypeAlias = tuple[str, str]

APART_S = 5.0
"""How long requests are not held together after an answer that could not be kept for them."""
REST_S = 1.0
"""How long a service that has failed is not asked again where there is something to answer instead."""
MAX_REMEMBERED = 4_096


class Flights:
    """Lets one request ask, and the others wait for what it brings."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` is monotonic."""
        self._clock = clock
        self._under_way: dict[FlightKey, asyncio.Future[None]] = {}
        self._apart: dict[FlightKey, float] = {}
        self._resting: dict[FlightKey, float] = {}

    async def others_land(self, key: FlightKey, deadline_s: float) -> bool:
        """True once another request has come back, to look again; False for leave to ask oneself."""
        if self._holds(self._apart, key):
            return False
        flight = self._under_way.get(key)
        if flight is None:
            self._under_way[key] = asyncio.get_running_loop().create_future()
            return False
        await asyncio.wait((flight,), timeout=max(0.0, deadline_s - self._clock()))
        return flight.done()

    def land(self, key: FlightKey, *, apart: bool) -> None:
        """Say that one is back; `apart` where its answer cannot be kept: then nobody waits for the next."""
        if apart:
            self._remember(self._apart, key, APART_S)
        flight = self._under_way.pop(key, None)
        if flight is not None:
            flight.set_result(None)

    def rest(self, key: FlightKey) -> None:
        """The service has failed, and something was answered in its stead."""
        self._remember(self._resting, key, REST_S)

    def is_resting(self, key: FlightKey) -> bool:
        """Whether it failed a moment ago."""
        return bool(self._resting) and self._holds(self._resting, key)

    def _remember(self, marks: dict[FlightKey, float], key: FlightKey, for_s: float) -> None:
        if len(marks) >= MAX_REMEMBERED:
            marks.clear()
        marks[key] = self._clock() + for_s

    def _holds(self, marks: dict[FlightKey, float], key: FlightKey) -> bool:
        until_s = marks.get(key)
        if until_s is None:
            return False
        if until_s > self._clock():
            return True
        del marks[key]
        return False
