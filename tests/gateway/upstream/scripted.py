"""A service that does to the wire whatever a test tells it, and a sink that records what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.policy import Balance, UpstreamPolicy
from dhatu_gateway.core.upstream.service import Upstream
from dhatu_gateway.core.upstream.types import Headers, UpstreamLimits, UpstreamRequest

LIMITS = UpstreamLimits(connect_s=2, first_byte_s=2, idle_s=2, keep_alive_s=2, disconnect_check_s=1)
"""Long enough never to matter; tests of a limit shorten that one."""

IN_TURN = UpstreamPolicy(balance=Balance(algorithm="round_robin"))

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)
MEGABYTE = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A request as it came over the wire."""

    line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]


class Wire:
    """The service's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> RawRequest:
        """Read one whole request."""
        line, headers = await self.request_head()
        fields = dict(headers)
        if fields.get(b"transfer-encoding") == b"chunked":
            body = b"".join([piece async for piece in self._chunks()])
        else:
            body = await self.reader.readexactly(int(fields.get(b"content-length", b"0")))
        return RawRequest(line=line, headers=tuple(headers), body=body)

    async def request_head(self) -> tuple[bytes, Headers]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        line, *fields = head[:-4].split(b"\r\n")
        pairs = [tuple(field.split(b": ", 1)) for field in fields]
        return line, [(name, value) for name, value in pairs]

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        assert await self.reader.readexactly(2) == b"\r\n"

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def closed(self) -> None:
        """Return when the gateway has closed its end, whatever it sent before."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass

    def abort(self) -> None:
        """Close with a reset instead of an orderly end."""
        linger_off = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_off)
        self.writer.transport.abort()


Script: TypeAlias = Callable[[Wire], Awaitable[None]]


@dataclass(slots=True)
class Service:
    """A listening service; every connection runs the script of its turn, the last one again and again."""

    scripts: tuple[Script, ...]
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with the first connection."""
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a script has run to its end."""
    _tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = writer
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        self.accepted.set()
        try:
            await script(Wire(reader, writer))
        except asyncio.CancelledError:
            pass  # the test is over
        except BaseException as error:
            self.failures.append(error)
        finally:
            self.finished.set()
            writer.close()

    async def stop(self) -> None:
        for task, writer in list(self._tasks.items()):
            task.cancel()
            await asyncio.wait((task,))
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(
    *scripts: Script, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[tuple[Service, Endpoint]]:
    """Run a service on a free port; a script that fails makes the test fail."""
    service = Service(scripts)
    server = await asyncio.start_server(service.accept, "127.0.0.1", 0, ssl=tls)
    port: int = server.sockets[0].getsockname()[1]
    try:
        yield service, Endpoint(host="127.0.0.1", port=port, tls=tls is not None)
    finally:
        server.close()
        await service.stop()
        await server.wait_closed()
    lost = (asyncio.IncompleteReadError, ConnectionError)
    failures = [failure for failure in service.failures if not isinstance(failure, lost)]
    assert not failures, failures


@contextlib.asynccontextmanager
async def upstream_to(
    *endpoints: Endpoint,
    limits: UpstreamLimits = LIMITS,
    tls: ssl.SSLContext | None = None,
    policy: UpstreamPolicy = IN_TURN,
) -> AsyncGenerator[Upstream]:
    upstream = Upstream("corpus", endpoints, limits, policy, tls=tls)
    try:
        yield upstream
    finally:
        await upstream.close(drain_s=0)


@contextlib.asynccontextmanager
async def upstream_of(*scripts: Script, limits: UpstreamLimits = LIMITS) -> AsyncGenerator[Upstream]:
    """The usual case: one endpoint, running the scripts."""
    async with serving(*scripts) as (_, endpoint), upstream_to(endpoint, limits=limits) as upstream:
        yield upstream


class RecordingSink:
    """Keeps the answer; can be slow, and can say that the client has gone."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.pieces: list[bytes] = []
        self.finished = False
        self.gone = asyncio.Event()
        self.arrived = asyncio.Event()
        """Set with every call of `body`."""
        self.ready = asyncio.Event()
        self.ready.set()
        """Cleared by a test whose client does not read."""

    def start(self, status: int, headers: Headers) -> None:
        assert not self.status, "start was called twice"
        self.status = status
        self.headers = headers

    async def body(self, chunk: bytes, more: bool) -> None:
        assert self.status, "body came before start"
        assert not self.finished, "body came after the end"
        self.pieces.append(chunk)
        self.finished = not more
        self.arrived.set()
        await self.ready.wait()

    async def client_gone(self) -> None:
        await self.gone.wait()

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)


def request_for(method: bytes = b"GET", body: bytes = b"", *, deadline_s: float = 5) -> UpstreamRequest:
    """A plain request that has `deadline_s` from now."""
    now_s = asyncio.get_running_loop().time()
    return UpstreamRequest(method, b"/api/v1/things?q=1", [(b"accept", b"*/*")], body, now_s + deadline_s)


async def exchange(upstream: Upstream, request: UpstreamRequest | None = None) -> RecordingSink:
    """Forward one request and return what came back."""
    sink = RecordingSink()
    await upstream.forward(request or request_for(), sink)
    return sink


def answering(*answers: bytes) -> Script:
    """Answer one request after another on a connection, then wait for its end."""

    async def script(wire: Wire) -> None:
        for answer in answers:
            await wire.request()
            await wire.send(answer)
        await wire.closed()

    return script


def answering_forever(answer: bytes = OK) -> Script:
    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            await wire.send(answer)

    return script


def answering_and_closing(answer: bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(answer)

    return script


async def settled(progress: Callable[[], int]) -> None:
    """Return once a counter stands still though everything has had many turns."""
    before, turns = progress(), 0
    while turns < 1000:
        await asyncio.sleep(0)
        turns = turns + 1 if progress() == before else 0
        before = progress()


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)
