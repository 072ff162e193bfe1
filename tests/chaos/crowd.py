"""Very many clients that do nothing, and many that read slowly, beside some that call."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from chaos.clients import Connection, Load
from chaos.service import LARGE
from chaos.sockets import resident_bytes
from chaos.world import World, request, world

T = TypeVar("T")
AT_ONCE = 100
SIP_BYTES = 4096
GULP_BYTES = 262_144
SMALL_BUFFER_BYTES = 4096
"""What the system may keep for a slow reader on this side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many there are."""

    idle: int
    slow: int
    calls: int
    """Of the others, once with the idle ones and once more with the slow ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What has come of it."""

    failed: dict[tuple[int, str], int]
    """Calls of the others that were no success."""
    idle_lost: int
    """Idle connections on which the next call failed."""
    slow_cut: int
    """Slow readers who have not got all of their answer."""
    idle_bytes: float
    """Memory of the gateway for each idle connection."""
    slow_bytes: float
    """And for each slow reader."""


async def run(crowd: Crowd, directory: Path, table: Path) -> Figures:
    """One gateway with one worker."""
    # What is measured is not for how long a connection may be idle, or how much of a processor readers need.
    patience = {"GATEWAY_KEEP_ALIVE_S": "3600", "GATEWAY_WRITE_STALL_S": "3600"}
    async with world(directory, table, **patience) as w:
        await w.load("plain/items").make(crowd.calls)
        at_first = resident_bytes(w.gateway.process.pid)
        idle = [Connection(w.port) for _ in range(crowd.idle)]
        try:
            before = await _each(connection.call(request("plain/items")) for connection in idle)
            with_idle = resident_bytes(w.gateway.process.pid)
            loads = [await w.load("plain/items").make(crowd.calls)]
            async with _slow_readers(w, crowd.slow) as readers:
                with_slow = resident_bytes(w.gateway.process.pid)
                loads += [await w.load(f"{name}/items").make(crowd.calls) for name in ("plain", "wide")]
                received = await _each(reader.rest() for reader in readers)
            ports = [connection.port for connection in idle]
            after = await _each(connection.call(request("plain/items")) for connection in idle)
            reopened = [connection.port for connection in idle] != ports
        finally:
            for connection in idle:
                connection.close()
    assert not reopened
    return Figures(
        failed=_failed(loads),
        idle_lost=sum(outcome.status != 200 for outcome in [*before, *after]),
        slow_cut=sum(count < LARGE for count in received),
        idle_bytes=(with_idle - at_first) / crowd.idle,
        slow_bytes=(with_slow - with_idle) / crowd.slow,
    )


def _failed(loads: Iterable[Load]) -> dict[tuple[int, str], int]:
    return {kind: count for load in loads for kind, count in load.failed.items()}


async def _each(work: Iterable[Awaitable[T]]) -> list[T]:
    """All of them, some at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: Awaitable[T]) -> T:
        async with gate:
            return await item

    return await asyncio.gather(*map(one, work))


class SlowReader:
    """Asks for a large answer, and reads it in sips."""

    def __init__(self) -> None:
        self._wire = socket.socket()
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        self._wire.setblocking(False)
        self._received = 0
        self._reading = asyncio.Lock()

    async def ask(self, port: int) -> None:
        """Return when the answer has begun to come."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._wire, ("127.0.0.1", port))
        await loop.sock_sendall(self._wire, request("wide/large", Connection="close").encode())
        await self.sip()

    async def sip(self, size: int = SIP_BYTES) -> int:
        """Read a little; how much it was."""
        async with self._reading:  # the loop knows one reader of a socket, and forgets the one before
            count = len(await asyncio.get_running_loop().sock_recv(self._wire, size))
        self._received += count
        return count

    async def rest(self) -> int:
        """Read what is left, not slowly any more; how many bytes came in all."""
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, GULP_BYTES)
        while await self.sip(GULP_BYTES):
            pass
        return self._received

    def close(self) -> None:
        self._wire.close()


@asynccontextmanager
async def _slow_readers(w: World, count: int) -> AsyncGenerator[list[SlowReader]]:
    """They read on during the block, so that nobody takes them for dead."""
    readers = [SlowReader() for _ in range(count)]
    try:
        await _each(reader.ask(w.port) for reader in readers)
        sipping = asyncio.create_task(_sip(readers))
        yield readers
        sipping.cancel()
    finally:
        for reader in readers:
            reader.close()


async def _sip(readers: list[SlowReader]) -> None:
    while True:
        for reader in readers:
            await reader.sip()
            await asyncio.sleep(0.001)
