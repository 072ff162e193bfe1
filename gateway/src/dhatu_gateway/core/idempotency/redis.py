"""Answers in Redis or Valkey, for all processes that use the same server.

A key holds `R` and its holder while the request runs, and `D` and the answer afterwards; the server's own
expiry ends both.
"""

from __future__ import annotations

from typing import cast

from dhatu_gateway.core.idempotency.records import (
    Found,
    KeptAnswer,
    Running,
    Started,
    decode_answer,
    encode_answer,
)
from dhatu_gateway.shared.link import Link, checked
from dhatu_gateway.shared.wire import encode

PREFIX = "dhatu:idempotency:"

# Compares and sets in one step; KEYS[1] is all that it touches.
_REPLACE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisAnswers:
    """An `AnswerStore` that every process shares."""

    def __init__(self, link: Link, *, prefix: str = PREFIX) -> None:
        self._link = link
        self._prefix = prefix

    async def begin(self, name: str, holder: str, *, hold_s: float) -> Found:
        key, held = self._prefix + name, f"R{holder}"
        # SET takes NX and GET together since Redis 7.0, and answers what was there before.
        found = checked(await self._link.ask(encode("SET", key, held, "NX", "GET", "PX", int(hold_s * 1000))))
        if found is None:
            return Started()
        value = cast(bytes, found)
        return decode_answer(value[1:]) if value.startswith(b"D") else Running()

    async def finish(self, name: str, holder: str, answer: KeptAnswer, *, keep_s: float) -> None:
        await self._replace(name, holder, b"D" + encode_answer(answer), keep_s)

    async def abandon(self, name: str, holder: str) -> None:
        await self._replace(name, holder, b"", 0)

    async def _replace(self, name: str, holder: str, value: bytes, keep_s: float) -> None:
        keep_ms = max(1, int(keep_s * 1000))
        checked(
            await self._link.ask(
                encode("EVAL", _REPLACE, 1, self._prefix + name, f"R{holder}", value, keep_ms)
            )
        )
