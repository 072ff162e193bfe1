"""Calls at once over real sockets, as the gateway is deployed: in memory and shared between two gateways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.app import Table, open_edge
from gateway.core.test_app import TABLE, key_in, settings_in
from gateway.rate_limiting.support import limit
from gateway.support import Client, head, serving

OPEN = limit(name="open", algorithm="concurrency", limit=3)
EVENTS = "/api/v1/corpus/collect/job_5f0c8e9a1b2d4c37/events"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def table(**changes: Any) -> Table:
    """The platform's own, but for three event streams at once."""
    return replace(
        TABLE,
        routes=tuple(
            replace(route, rate_limits=(replace(OPEN, **changes),))
            if route.operation == "corpus.job_events"
            else route
            for route in TABLE.routes
        ),
    )


class Streams:
    """A service that answers with streams, each of which ends when the test says so."""

    def __init__(self) -> None:
        self.ends: list[asyncio.Event] = []
        self._over: list[asyncio.Event] = []

    async def close(self) -> None:
        for end, over in zip(self.ends, self._over, strict=True):
            end.set()
            await over.wait()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end, over = asyncio.Event(), asyncio.Event()
        self.ends.append(end)
        self._over.append(over)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + b"data: 1\n\n")
            await end.wait()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set()


@dataclass
class Platform:
    """Gateways in front of one service, and a key."""

    clients: list[Client]
    streams: Streams
    key: str

    async def status(self, gateway: int = 0) -> int:
        """Of a stream that is refused."""
        reply = await self.clients[gateway].request("GET", EVENTS, headers={"X-API-Key": self.key})
        return reply.status

    async def is_free(self) -> bool:
        """Whether another stream may begin."""
        async with self.clients[0].connect() as wire:
            await wire.write(head("GET", EVENTS, headers={"X-API-Key": self.key}))
            return b" 200 " in await wire.reader.readline()

    @asynccontextmanager
    async def stream(self, gateway: int = 0) -> AsyncGenerator[asyncio.StreamReader]:
        """A stream that has begun."""
        async with self.clients[gateway].connect() as wire:
            await wire.write(head("GET", EVENTS, headers={"X-API-Key": self.key}))
            async with asyncio.timeout(10):
                assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
                await wire.reader.readuntil(b"data: 1\n\n")
            yield wire.reader


@asynccontextmanager
async def platform(
    directory: Path, of: Table, gateways: int, redis_url: str = ""
) -> AsyncGenerator[Platform]:
    streams = Streams()
    service = await asyncio.start_server(streams.answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{service.sockets[0].getsockname()[1]}"
    shared = {"REDIS_URL": redis_url} if redis_url else {}
    settings = settings_in(directory, CORPUS_SERVICE_URL=url, **shared)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service)
        clients = [
            await stack.enter_async_context(serving(await stack.enter_async_context(open_edge(settings, of))))
            for _ in range(gateways)
        ]
        yield Platform(clients, streams, await key_in(directory))
        await streams.close()


async def begun(stack: AsyncExitStack, platform: Platform, gateways: int) -> list[asyncio.StreamReader]:
    return [await stack.enter_async_context(platform.stream(number % gateways)) for number in range(3)]


@pytest.mark.parametrize("gateways", [1, 2])
async def test_a_stream_more_is_refused_until_one_has_ended(
    tmp_path: Path, valkey_url: str, gateways: int
) -> None:
    redis_url = valkey_url if gateways > 1 else ""
    of = table(on_store_failure="closed", name=f"open{gateways}")
    async with platform(tmp_path, of, gateways, redis_url) as on, AsyncExitStack() as stack:
        first, *_ = await begun(stack, on, gateways)
        assert [await on.status(number) for number in range(gateways)] == [429] * gateways
        on.streams.ends[0].set()
        async with asyncio.timeout(10):
            await first.readuntil(b"0\r\n\r\n")
        async with on.stream(gateways - 1):
            assert await on.status() == 429


async def test_a_reader_that_goes_away_makes_room(tmp_path: Path) -> None:
    async with platform(tmp_path, table(), 1) as on, AsyncExitStack() as stack:
        await begun(stack, on, 1)
        assert await on.status() == 429
        await stack.aclose()
        async with asyncio.timeout(10):
            while not await on.is_free():  # noqa: ASYNC110  # a socket that closes sets no event
                await asyncio.sleep(0.01)


async def test_in_shadow_mode_the_metrics_say_what_would_have_been_refused(tmp_path: Path) -> None:
    async with platform(tmp_path, table(shadow=True), 1) as on, AsyncExitStack() as stack:
        await begun(stack, on, 1)
        async with on.stream():
            reply = await on.clients[0].request("GET", "/api/v1/metrics", headers={"X-API-Key": on.key})
        (line,) = [line for line in reply.body.decode().splitlines() if 'limit="open"' in line]
        assert 'operation="corpus.job_events"' in line
        assert line.endswith((" 1.0", " 1"))
