"""What the breakers of other processes have found out, and what ours have: through one hash on a server.

Told are changes of state, at once; asked is twice a second. Without the server each process goes by what it
sees itself; when the server is back it is told what is still so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol, cast

from dhatu_gateway.core.upstream.breaker.breaker import Breaker
from dhatu_gateway.shared.link import StorageUnavailableError
from dhatu_gateway.shared.wire import Reply, encode


class Server(Protocol):
    """Redis or Valkey."""

    async def ask(self, command: bytes) -> Reply:
        """The reply to an encoded command; raises `StorageUnavailableError`."""
        ...


KEY: Final = "dhatu:breakers"
INTERVAL_S: Final = 0.5

SCRIPT: Final = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
for at = 1, #ARGV, 2 do
  local left = tonumber(ARGV[at + 1])
  local state = left > 0 and 'open ' or 'closed '
  redis.call('HSET', KEYS[1], ARGV[at], state .. string.format('%d', now + left))
  redis.call('EXPIRE', KEYS[1], 86400)
end
return {string.format('%d', now), unpack(redis.call('HGETALL', KEYS[1]))}
"""
"""Writes names with the milliseconds that they stay open, 0 for closed, and answers with everybody's."""

_logger = logging.getLogger("dhatu.upstream")


class SharedBreakers:
    """Keeps the breakers of this process and those of others of one mind."""

    def __init__(
        self,
        server: Server,
        clock: Callable[[], float],
    ) -> None:
        self._server = server
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}
        self._untold: dict[str, Breaker] = {}
        self._seen: dict[str, bytes] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self, breakers: Iterable[Breaker]) -> None:
        """Share these from now on."""
        self._breakers = {breaker.name: breaker for breaker in breakers}
        if self._breakers:
            self._task = asyncio.create_task(self._run())

    def tell(self, breaker: Breaker) -> None:
        """One of ours has changed its state."""
        if breaker.state != "half_open":
            self._untold[breaker.name] = breaker
            self._woken.set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def exchange(self) -> None:
        """Tell what is new and take over what others have told."""
        now_s = self._clock()
        told = dict(self._untold)
        figures: list[str | int] = []
        for name, breaker in told.items():
            figures += (name, round(1000 * breaker.refuses_for_s(now_s)) if breaker.state == "open" else 0)
        reply = await self._server.ask(encode("EVAL", SCRIPT, 1, KEY, *figures))
        for name, breaker in told.items():
            if self._untold.get(name) is breaker:
                del self._untold[name]
        if not isinstance(reply, list):
            raise StorageUnavailableError(f"the server does not keep breakers: {reply!r}")
        server_ms, *pairs = cast("list[bytes]", reply)
        for field, value in zip(pairs[::2], pairs[1::2], strict=True):
            self._take_over(field.decode(), value, int(server_ms), own=field.decode() in told)

    def _take_over(self, name: str, value: bytes, server_ms: int, *, own: bool) -> None:
        breaker = self._breakers.get(name)
        if breaker is None or self._seen.get(name) == value:
            return
        self._seen[name] = value
        if own or name in self._untold:
            return
        state, _, until_ms = value.partition(b" ")
        left_s = (int(until_ms) - server_ms) / 1000
        if state == b"closed":
            breaker.follow_closed()
        elif left_s > 0:
            breaker.follow_open(left_s, self._clock())

    async def _run(self) -> None:
        healthy = True
        while True:
            try:
                await self.exchange()
            except StorageUnavailableError as error:
                if healthy:
                    _logger.warning("breakers are not shared: %s", error)
                healthy = False
                await asyncio.sleep(INTERVAL_S)
                continue
            healthy = True
            self._woken.clear()
            if not self._untold:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL_S):
                        await self._woken.wait()
