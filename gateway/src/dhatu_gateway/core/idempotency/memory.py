"""Answers in the memory of one process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from dhatu_gateway.core.idempotency.records import Found, KeptAnswer, Running, Started

MAX_BYTES = 67_108_864
MAX_KEYS = 65_536
OVERHEAD_BYTES = 512
"""About what a key costs besides its answer."""


class _Entry(NamedTuple):
    holder: str
    answer: KeptAnswer | None
    until_s: float


class MemoryAnswers:
    """An `AnswerStore` that shares nothing; where it is full, the oldest answers leave first."""

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        max_keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0
        self._max_bytes = max_bytes
        self._max_keys = max_keys
        self._clock = clock

    async def begin(self, name: str, holder: str, *, hold_s: float) -> Found:
        entry = self._entries.get(name)
        now_s = self._clock()
        if entry is not None and entry.until_s > now_s:
            return entry.answer or Running()
        self._put(name, _Entry(holder, None, now_s + hold_s))
        return Started()

    async def finish(self, name: str, holder: str, answer: KeptAnswer, *, keep_s: float) -> None:
        if self._belongs(name, holder):
            self._put(name, _Entry(holder, answer, self._clock() + keep_s))

    async def abandon(self, name: str, holder: str) -> None:
        if self._belongs(name, holder):
            self._drop(name)

    def _belongs(self, name: str, holder: str) -> bool:
        entry = self._entries.get(name)
        return entry is not None and entry.answer is None and entry.holder == holder

    def _put(self, name: str, entry: _Entry) -> None:
        self._drop(name)
        self._entries[name] = entry
        self._bytes += _size_bytes(entry)
        if self._bytes > self._max_bytes or len(self._entries) > self._max_keys:
            self._make_room(name)

    def _make_room(self, newest: str) -> None:
        """Drop answers, the oldest first; never a key that is held, whose request is under way."""
        now_s = self._clock()
        for name, entry in tuple(self._entries.items()):
            if self._bytes <= self._max_bytes and len(self._entries) <= self._max_keys:
                return
            if name != newest and (entry.answer is not None or entry.until_s <= now_s):
                self._drop(name)

    def _drop(self, name: str) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None:
            self._bytes -= _size_bytes(entry)


def _size_bytes(entry: _Entry) -> int:
    body = entry.answer.body if entry.answer is not None else None
    return OVERHEAD_BYTES + len(body or b"")
