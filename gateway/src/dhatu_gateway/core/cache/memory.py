"""Answers in the memory of one process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from dhatu_gateway.core.cache.entries import Entry, Kept
from dhatu_gateway.core.cache.store import Found

MAX_BYTES = 134_217_728
MAX_FORGOTTEN = 65_536
OVERHEAD_BYTES = 1_024
"""About what an answer costs besides its body."""


class _Slot(NamedTuple):
    kept: Kept
    until_s: float
    size_bytes: int


class MemoryCache:
    """A `CacheStore` that shares nothing; where it is full, what was used least lately leaves first."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots: OrderedDict[tuple[str, str], _Slot] = OrderedDict()
        self._names: dict[str, set[str]] = {}
        self._forgotten: dict[str, int] = {}
        self._epoch = 0
        self._bytes = 0
        self._max_bytes = max_bytes
        self._clock = clock

    async def find(self, place: str, name: str) -> Found:
        slot = self._slots.get((place, name))
        if slot is None:
            return Found(None, self._ticket(place))
        if slot.until_s <= self._clock():
            self._drop(place, name)
            return Found(None, self._ticket(place))
        self._slots.move_to_end((place, name))
        return Found(slot.kept, self._ticket(place))

    async def keep(self, place: str, name: str, kept: Kept, *, ticket: bytes, keep_s: float) -> None:
        if ticket != self._ticket(place):
            return
        size_bytes = OVERHEAD_BYTES + (len(kept.body) if isinstance(kept, Entry) else 0)
        self._drop(place, name)
        if size_bytes > self._max_bytes:
            return
        self._slots[place, name] = _Slot(kept, self._clock() + keep_s, size_bytes)
        self._names.setdefault(place, set()).add(name)
        self._bytes += size_bytes
        while self._bytes > self._max_bytes:
            self._drop(*next(iter(self._slots)))

    async def forget(self, place: str) -> None:
        if len(self._forgotten) >= MAX_FORGOTTEN:
            self._forgotten.clear()
            self._epoch += 1
        self._forgotten[place] = self._forgotten.get(place, 0) + 1
        for name in tuple(self._names.get(place, ())):
            self._drop(place, name)

    def _ticket(self, place: str) -> bytes:
        return b"%d.%d" % (self._epoch, self._forgotten.get(place, 0))

    def _drop(self, place: str, name: str) -> None:
        slot = self._slots.pop((place, name), None)
        if slot is None:
            return
        self._bytes -= slot.size_bytes
        names = self._names[place]
        names.discard(name)
        if not names:
            del self._names[place]
