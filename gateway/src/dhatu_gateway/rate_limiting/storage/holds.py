"""The slots that calls of this process hold in the shared store, until they are given back.

Nobody waits for any of it: what has ended is given back with the next write to the server, and one task puts
off the end of what is held for long. A process that dies puts off nothing, so what it held ends by itself.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import NamedTuple

from dhatu_gateway.shared.link import Link, StorageUnavailableError
from dhatu_gateway.shared.wire import bulk, encode

LONGEST_LEASE_S = 30.0
SPARE_S = 5.0
"""A lease is so much longer than the call may take; only streams have to put it off."""
TICK_S = 1.0
MAX_AT_ONCE = 500
"""Slots that one command puts off: the server does nothing else meanwhile."""
MAX_PUT_OFF = 2_000
"""Calls that are put off in a tick, those first that are due longest: others must not wait for the server.
There are ten ticks or more before a stream's lease ends, so this is enough for 20,000 of them."""

RENEW = files("dhatu_gateway.rate_limiting").joinpath("lua", "renew.lua").read_text(encoding="utf-8")


def lease_s(timeout_s: float) -> float:
    """How long a slot outlives the process that held it: the operation's timeout and 5 s, at most 30 s."""
    return min(timeout_s + SPARE_S, LONGEST_LEASE_S)


class Place(NamedTuple):
    """A set of slots in the store, and how many of them are held."""

    key: bytes
    slots: int


class Ended(NamedTuple):
    """Slots that the store is to be told of."""

    forgotten_at_s: float
    """When they will have ended by themselves."""
    key: bytes
    slots: list[bytes]


class Hold:
    """What one call holds."""

    __slots__ = ("_holds", "_id", "encoded", "lease_s", "places", "renew_at_s")

    def __init__(self, holds: Holds, number: bytes, lease_s: float) -> None:
        self._holds = holds
        self._id = number
        self.lease_s = lease_s
        self.renew_at_s = 0.0
        self.encoded = bulk(number) + bulk(round(lease_s * 1_000_000))
        """Id and lease as the script reads them."""
        self.places: Sequence[Place] = ()
        """Where it may hold slots; after `keep`, where it does."""

    def keep(self, places: Sequence[Place]) -> None:
        """The store has answered: these are held."""
        self.places = places
        if places:
            self._holds.keep(self)

    def end(self) -> None:
        """The call is over."""
        if self.places:
            self._holds.end(self)

    def slots(self, place: Place) -> list[bytes]:
        """The slots of a place, as the script has called them."""
        return [b"%b:%d" % (self._id, slot + 1) for slot in range(place.slots)]


class Holds:
    """All that this process holds."""

    def __init__(self, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._clock = clock
        self._prefix = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._kept: set[Hold] = set()
        self._ended: list[Ended] = []
        self._is_flushing = False
        self._ticking: asyncio.Task[None] | None = None

    def begin(self, places: Sequence[Place], lease_s: float) -> Hold:
        """A call is about to ask for slots; from now on it has to be ended."""
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick())
        hold = Hold(self, f"{self._prefix}-{next(self._numbers):x}".encode(), lease_s)
        hold.places = places
        hold.renew_at_s = self._clock() + lease_s / 3
        return hold

    def keep(self, hold: Hold) -> None:
        """To be put off until it ends."""
        self._kept.add(hold)

    def end(self, hold: Hold) -> None:
        """Give back what it holds, with whatever else has ended until the loop comes around."""
        self._kept.discard(hold)
        forgotten_at_s = self._clock() + hold.lease_s
        self._ended += [Ended(forgotten_at_s, place.key, hold.slots(place)) for place in hold.places]
        if not self._is_flushing:
            self._is_flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def renew(self) -> None:
        """Put off the end of what has been held for a third of its lease, or longer."""
        now_s = self._clock()
        due = [hold for hold in self._kept if now_s >= hold.renew_at_s]
        due.sort(key=lambda hold: hold.renew_at_s)
        del due[MAX_PUT_OFF:]
        slots: dict[tuple[bytes, float], list[bytes]] = {}
        for hold in due:
            hold.renew_at_s = now_s + hold.lease_s / 3
            for place in hold.places:
                slots.setdefault((place.key, hold.lease_s), []).extend(hold.slots(place))

        def again() -> None:
            for hold in due:
                hold.renew_at_s = 0.0

        commands = [
            encode("EVAL", RENEW, 1, key, "", round(lease_s * 1_000_000), *names[at : at + MAX_AT_ONCE])
            for (key, lease_s), names in slots.items()
            for at in range(0, len(names), MAX_AT_ONCE)
        ]
        if commands:
            self._link.tell(commands, again)

    async def close(self) -> None:
        """Give back all that has ended, and wait until the server has read it, if it is there."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            self._flush()
            with suppress(StorageUnavailableError):  # then it ends by itself
                await self._link.ask(encode("PING"))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.renew()
            self._flush()

    def _flush(self) -> None:
        self._is_flushing = False
        now_s = self._clock()
        ended, self._ended = [each for each in self._ended if now_s < each.forgotten_at_s], []
        by_key: dict[bytes, list[bytes]] = {}
        for each in ended:
            by_key.setdefault(each.key, []).extend(each.slots)
        if by_key:
            commands = [encode("ZREM", key, *slots) for key, slots in by_key.items()]
            self._link.tell(commands, partial(self._keep_for_later, ended))

    def _keep_for_later(self, ended: list[Ended]) -> None:
        self._ended += ended
