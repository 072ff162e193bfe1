"""A process that is told to end: what is under way is answered, nobody new is taken, and nothing stays."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.lifecycle import Drain, Lifecycle
from dhatu_gateway.core.server.config import server_config
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.processes.server import DrainingServer
from gateway.support import Client, head


@dataclass
class Slow:
    """Answers at once under `/now`, and elsewhere begins to answer and ends when it is told to."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        try:
            if scope["path"] != "/now":
                await send({"type": "http.response.body", "body": b"o", "more_body": True})
                self.begun.set()
                await self.release.wait()
                await send({"type": "http.response.body", "body": b"k"})
                return
            await send({"type": "http.response.body", "body": b"ok"})
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A server that can be ended, and who watches."""

    app: Slow
    client: Client
    lifecycle: Lifecycle
    clock: Clock
    served: asyncio.Task[None]

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            await asyncio.shield(self.served)

    async def refuses_connections(self) -> None:
        """Wait until nobody listens any more."""
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.client.port)
                except ConnectionError:
                    return
                writer.close()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def ending(drain: Drain) -> AsyncGenerator[Ending]:
    app, clock = Slow(), Clock()
    lifecycle = Lifecycle(drain, clock)
    config = server_config(app, limits=ServerLimits(), lifecycle=lifecycle)
    listener = socket.create_server(("127.0.0.1", 0))
    server = DrainingServer(config, lifecycle, {})
    served = asyncio.create_task(server.serve(sockets=[listener]))
    client = Client(listener.getsockname()[1])
    await client.request("GET", "/now", headers={"Connection": "close"})
    try:
        yield Ending(app=app, client=client, lifecycle=lifecycle, clock=clock, served=served)
    finally:
        app.release.set()
        lifecycle.cut()
        await served


async def test_what_is_under_way_is_answered_and_nobody_new_is_taken() -> None:
    async with ending(Drain(grace_s=60.0)) as gateway, gateway.client.connect() as wire:
        await wire.write(head("GET", "/slow"))
        await gateway.app.begun.wait()
        gateway.lifecycle.stop()
        await gateway.refuses_connections()
        assert not gateway.served.done()
        gateway.app.release.set()
        reply = await wire.reply()
        assert (reply.status, reply.body) == (200, b"ok")
        assert await wire.closed() == b""
        await gateway.ended()


async def test_new_connections_are_taken_until_the_delay_is_over() -> None:
    async with ending(Drain(delay_s=5.0)) as gateway, gateway.client.connect() as wire:
        await wire.write(head("GET", "/now"))
        assert "connection" not in (await wire.reply()).headers
        gateway.lifecycle.stop()
        gateway.clock.now_s = 4.9
        assert (await gateway.client.request("GET", "/now")).closed
        await wire.write(head("GET", "/now"))
        assert (await wire.reply()).closed
        gateway.clock.now_s = 5.0
        await gateway.refuses_connections()
        await gateway.ended()


async def test_a_connection_that_is_used_is_closed_with_an_answer() -> None:
    """Closed while a request is on its way, it would cost its client a call."""
    async with ending(Drain(grace_s=60.0)) as gateway, gateway.client.connect() as wire:
        await wire.write(head("GET", "/now"))
        assert not (await wire.reply()).closed
        gateway.lifecycle.stop()
        await gateway.refuses_connections()
        await wire.write(head("GET", "/now"))
        reply = await wire.reply()
        assert (reply.status, reply.closed) == (200, True)
        await gateway.ended()


async def test_requests_that_have_arrived_together_are_all_answered() -> None:
    async with ending(Drain(grace_s=60.0)) as gateway, gateway.client.connect() as wire:
        await wire.write(head("GET", "/slow") + head("GET", "/now"))
        await gateway.app.begun.wait()
        gateway.lifecycle.stop()
        await gateway.refuses_connections()
        gateway.app.release.set()
        assert [(await wire.reply()).body, (await wire.reply()).body] == [b"ok", b"ok"]
        assert await wire.closed() == b""


async def test_an_idle_connection_is_closed() -> None:
    async with ending(Drain(grace_s=60.0)) as gateway, gateway.client.connect() as wire:
        gateway.lifecycle.stop()
        assert await wire.closed() == b""
        await gateway.ended()


@pytest.mark.parametrize("hurry", ["the grace is over", "it is told twice"])
async def test_a_stream_that_goes_on_is_cut_off(hurry: str) -> None:
    async with ending(Drain(grace_s=60.0)) as gateway, gateway.client.connect() as wire:
        await wire.write(head("GET", "/slow"))
        await gateway.app.begun.wait()
        gateway.lifecycle.stop()
        await gateway.refuses_connections()
        assert not gateway.served.done()
        if hurry == "the grace is over":
            gateway.clock.now_s = 60.0
        else:
            gateway.lifecycle.stop()
        await gateway.ended()
        assert gateway.app.cancelled
        assert not (await wire.closed()).endswith(b"ok")
