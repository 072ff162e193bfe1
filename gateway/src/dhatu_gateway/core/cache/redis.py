"""Answers in Redis or Valkey, for all processes that use the same server.

Each place has a number beside its answers, and an answer says with which number it was kept. To forget a
place is to change the number, so that nobody has to know what all is kept of it.
"""

from __future__ import annotations

import logging
from typing import cast

from dhatu_gateway.core.cache.entries import Kept, decode_kept, encode_kept
from dhatu_gateway.core.cache.store import Found
from dhatu_gateway.shared.link import Link, StorageUnavailableError
from dhatu_gateway.shared.wire import RedisReplyError, Reply, encode

PREFIX = "dhatu:cache:"
NUMBER_KEPT_S = 604_800
"""Longer than any answer is kept: a number that expires would bring back what was forgotten."""

_logger = logging.getLogger("dhatu.cache")


class RedisCache:
    """A `CacheStore` that every process shares; without its server nothing is found and nothing kept."""

    def __init__(self, link: Link, *, prefix: str = PREFIX) -> None:
        self._link = link
        self._prefix = prefix

    async def find(self, place: str, name: str) -> Found:
        reply = await self._ask(encode("MGET", self._key(place, ""), self._key(place, name)))
        if reply is None:
            return Found(None, b"")
        number, found = cast("list[bytes | None]", reply)
        number = number or b"0"
        if found is None:
            return Found(None, number)
        kept_with, _, data = found.partition(b"\n")
        return Found(decode_kept(data) if kept_with == number else None, number)

    async def keep(self, place: str, name: str, kept: Kept, *, ticket: bytes, keep_s: float) -> None:
        if not ticket:
            return
        # Kept with the number of the look that came before the service was asked: if the place has been
        # forgotten since, nobody will find it.
        data = ticket + b"\n" + encode_kept(kept)
        keep_ms = max(1, int(min(keep_s, NUMBER_KEPT_S) * 1000))
        await self._ask(encode("SET", self._key(place, name), data, "PX", keep_ms))

    async def forget(self, place: str) -> None:
        number = self._key(place, "")
        await self._ask(encode("INCR", number))
        await self._ask(encode("EXPIRE", number, 2 * NUMBER_KEPT_S))

    async def _ask(self, command: bytes) -> Reply:
        try:
            reply = await self._link.ask(command)
        except StorageUnavailableError:
            return None
        if isinstance(reply, RedisReplyError):
            _logger.warning("the cache is refused: %s", reply)
            return None
        return reply

    def _key(self, place: str, name: str) -> str:
        """The braces keep a place in one slot of a cluster."""
        return f"{self._prefix}{{{place}}}:{name}"
