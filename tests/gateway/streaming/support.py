"""A gateway before one real service, and WebSockets on both sides of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import Platform, Route, WebSocket
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.service import Surroundings, Upstream
from dhatu_gateway.core.upstream.types import UpstreamLimits
from gateway.support import PLATFORM, Client, Counts, compose, head, make_route, serving
from gateway.upstream.scripted import LIMITS, Wire
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

PATH = "/api/v1/things"
SOCKET = make_route(path=PATH, websocket=WebSocket(idle_s=30.0))
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "WebSocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}
"""As Firefox writes it."""
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n"


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now_s: float = field(default_factory=time.monotonic)

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How a gateway is to be put together, where it is not as usual."""

    platform: Platform = PLATFORM
    policies: Policies | None = None
    limits: UpstreamLimits = LIMITS
    server_limits: ServerLimits | None = None
    lifecycle: Lifecycle | None = None
    clock: Callable[[], float] = time.monotonic
    """Of the way to the service."""


@dataclass(frozen=True, kw_only=True)
class Front:
    """A gateway that serves, and what can be seen of it."""

    client: Client
    counts: Counts
    upstream: Upstream

    def open(self, path: str = PATH, **options: Any) -> connect:
        """Open a WebSocket; to be used as a context."""
        return connect(f"ws://127.0.0.1:{self.client.port}{path}", proxy=None, **options)


@contextlib.asynccontextmanager
async def gateway_to(endpoint: Endpoint, *routes: Route, setup: Setup | None = None) -> AsyncGenerator[Front]:
    """Serve routes, one WebSocket where none is named, before a service."""
    setup = setup or Setup()
    around = Surroundings(clock=setup.clock)
    upstream = Upstream("things", (endpoint,), setup.limits, surroundings=around)
    bench = compose(
        *(routes or (SOCKET,)), platform=setup.platform, policies=setup.policies, service=upstream
    )
    try:
        async with serving(bench.edge, setup.server_limits, setup.lifecycle) as client:
            yield Front(client=client, counts=bench.counts, upstream=upstream)
    finally:
        await upstream.close(drain_s=0)


@contextlib.asynccontextmanager
async def socket_service(
    handler: Callable[[ServerConnection], Awaitable[None]], **options: Any
) -> AsyncGenerator[Endpoint]:
    """Run a service that speaks WebSocket, by a library that others use."""
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield Endpoint(host="127.0.0.1", port=port)


async def echoing(socket: ServerConnection) -> None:
    """Send back every message."""
    async for message in socket:
        await socket.send(message)


async def switched(wire: Wire) -> None:
    """Answer a handshake on a raw connection, as a service."""
    _, headers = await wire.request_head()
    digest = hashlib.sha1(dict(headers)[b"sec-websocket-key"] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
    accept = b"sec-websocket-accept: " + base64.b64encode(digest.digest())
    await wire.send(SWITCHING[:-2] + accept + b"\r\n\r\n")


@contextlib.asynccontextmanager
async def tunnel_to(
    front: Front, first: bytes = b""
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Shake hands on a raw connection, as a client; `first` comes in one piece with the request."""
    async with front.client.connect() as wire:
        await wire.write(head("GET", PATH, headers=HANDSHAKE) + first)
        async with asyncio.timeout(10):
            answer = await wire.reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        yield wire.reader, wire.writer
