"""How WebSockets end, and what they take while they last."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from dhatu_gateway.core.lifecycle import Drain, Lifecycle
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import WebSocket
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from gateway.rate_limiting.support import Watched, limit
from gateway.streaming.support import (
    HANDSHAKE,
    PATH,
    SOCKET,
    Clock,
    Setup,
    echoing,
    gateway_to,
    socket_service,
    switched,
    tunnel_to,
)
from gateway.support import head, make_route
from gateway.upstream.scripted import LIMITS, MEGABYTE, Wire, answering_forever, serving, settled, until
from websockets.exceptions import ConnectionClosedError, InvalidStatus

# -- how it ends


async def test_a_service_that_leaves_ends_the_client_s_side() -> None:
    async def script(wire: Wire) -> None:
        await switched(wire)
        await wire.send(b"last")

    async with serving(script) as (_, service), gateway_to(service) as front:
        async with tunnel_to(front) as (reader, _):
            assert await reader.read() == b"last"
        await until(lambda: front.counts.in_flight == 0)
    assert front.counts.recorded == [(SOCKET.operation, 101)]


async def test_a_service_that_breaks_off_ends_the_client_s_side() -> None:
    async def script(wire: Wire) -> None:
        await switched(wire)
        wire.abort()

    async with serving(script) as (_, service), gateway_to(service) as front:
        async with tunnel_to(front) as (reader, _):
            assert await reader.read() == b""
        await until(lambda: front.counts.in_flight == 0)
    assert front.counts.recorded == [(SOCKET.operation, 101)]


async def test_a_client_that_leaves_ends_the_service_s_side_after_its_last_words() -> None:
    words = b"x" * MEGABYTE
    seen: list[bytes] = []
    read_on = asyncio.Event()

    async def script(wire: Wire) -> None:
        await switched(wire)
        await read_on.wait()
        seen.append(await wire.reader.read())

    async with serving(script) as (_, service), gateway_to(service) as front:
        async with tunnel_to(front) as (_, writer):
            writer.write(words)
            asyncio.get_running_loop().call_later(0.05, read_on.set)
            await writer.drain()
        await until(lambda: len(seen) == 1)
        await until(lambda: front.counts.in_flight == 0)
    assert seen[0] == words
    assert front.counts.recorded == [(SOCKET.operation, 101)]


async def test_silence_ends_both_sides_and_any_byte_breaks_it() -> None:
    idle_s = 0.02
    clock = Clock()
    ended = asyncio.Event()
    turns: asyncio.Queue[bytes] = asyncio.Queue()

    async def script(wire: Wire) -> None:
        await switched(wire)
        while await wire.reader.read(1):
            await wire.send(await turns.get())
        ended.set()

    route, setup = replace(SOCKET, websocket=WebSocket(idle_s=idle_s)), Setup(clock=clock)
    async with serving(script) as (_, service), gateway_to(service, route, setup=setup) as front:
        async with tunnel_to(front) as (reader, writer):
            for _ in range(3):  # in all for longer than the silence that is allowed
                writer.write(b"?")
                clock.now_s += idle_s * 0.8
                turns.put_nowait(b"!")
                assert await reader.read(1) == b"!"
            clock.now_s += idle_s * 1.1
            assert await reader.read() == b""
        await ended.wait()
        await until(lambda: front.counts.in_flight == 0)
    assert front.counts.recorded == [(route.operation, 101)]


async def test_a_client_that_leaves_during_the_handshake_ends_it() -> None:
    ended = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.closed()
        ended.set()

    setup = Setup(limits=replace(LIMITS, first_byte_s=30, disconnect_check_s=0.01))
    async with serving(script) as (running, service), gateway_to(service, setup=setup) as front:
        async with front.client.connect() as wire:
            await wire.write(head("GET", PATH, headers=HANDSHAKE))
            await running.accepted.wait()
        async with asyncio.timeout(5):
            await ended.wait()
        await until(lambda: front.counts.recorded == [(SOCKET.operation, 499)])


async def test_a_process_that_ends_keeps_its_tunnels_to_the_end_of_the_grace() -> None:
    lifecycle = Lifecycle(Drain(grace_s=60))
    async with (
        socket_service(echoing) as service,
        gateway_to(service, setup=Setup(lifecycle=lifecycle)) as front,
        front.open() as socket,
    ):
        lifecycle.drain(delayed=False)
        for connection in tuple(front.client.connections):
            connection.retire(idle_s=0.0)
        await socket.send("still here")
        assert await socket.recv() == "still here"
        for connection in tuple(front.client.connections):
            connection.transport.abort()  # as the server does when the grace is over
        with pytest.raises(ConnectionClosedError):
            await socket.recv()


# -- how much it takes


async def test_a_service_that_does_not_read_holds_the_client_back() -> None:
    reading = asyncio.Event()
    received = 0

    async def script(wire: Wire) -> None:
        nonlocal received
        await switched(wire)
        await reading.wait()
        while piece := await wire.reader.read(MEGABYTE):
            received += len(piece)

    async with serving(script) as (_, service), gateway_to(service) as front:
        async with tunnel_to(front) as (_, writer):
            sent = 0
            for _ in range(64):
                writer.write(b"x" * MEGABYTE)
                sent += MEGABYTE
            await settled(lambda: -writer.transport.get_write_buffer_size())
            assert sent - writer.transport.get_write_buffer_size() < 16 * MEGABYTE
            reading.set()
            async with asyncio.timeout(30):
                await writer.drain()
        await until(lambda: received == sent)


async def test_a_client_that_does_not_read_holds_the_service_back() -> None:
    sent = 0

    async def script(wire: Wire) -> None:
        nonlocal sent
        await switched(wire)
        for _ in range(64):
            await wire.send(b"x" * MEGABYTE)
            sent += MEGABYTE

    async with (
        serving(script) as (_, service),
        gateway_to(service) as front,
        tunnel_to(front) as (reader, _),
    ):
        await settled(lambda: sent)
        assert sent < 24 * MEGABYTE
        received = 0
        async with asyncio.timeout(30):
            while piece := await reader.read(MEGABYTE):
                received += len(piece)
    assert received == 64 * MEGABYTE


async def test_a_client_that_never_reads_is_let_go() -> None:
    async def script(wire: Wire) -> None:
        await switched(wire)
        while not wire.writer.transport.is_closing():
            await wire.send(b"x" * MEGABYTE)

    setup = Setup(server_limits=ServerLimits(write_stall_s=0.05))
    async with (
        serving(script) as (_, service),
        gateway_to(service, setup=setup) as front,
        tunnel_to(front),
    ):
        await until(lambda: front.counts.in_flight == 0)


async def test_tunnels_take_no_connections_from_requests() -> None:
    async def script(wire: Wire) -> None:
        await switched(wire)
        await wire.closed()

    plain = make_route(path="/api/v1/plain")
    setup = Setup(limits=replace(LIMITS, max_connections=1))
    scripts = (script, script, answering_forever())
    async with (
        serving(*scripts) as (_, service),
        gateway_to(service, SOCKET, plain, setup=setup) as front,
        tunnel_to(front),
        tunnel_to(front),
    ):
        assert (await front.client.request("GET", "/api/v1/plain")).status == 200
        assert front.counts.in_flight == 2
        assert front.upstream.in_flight() == ((service.authority, 2),)


async def test_a_socket_counts_among_the_calls_at_once_until_it_is_closed() -> None:
    one = limit(name="one", algorithm="concurrency", limit=1, by="operation")
    route = replace(SOCKET, rate_limits=(one,))
    storage = MemoryStorage()
    policies = Policies(
        authenticate=lambda route: None,
        authorize=lambda route: None,
        rate_limit=lambda route: build_rate_limit(route, storage, Watched()),
    )
    async with (
        socket_service(echoing) as service,
        gateway_to(service, route, setup=Setup(policies=policies)) as front,
    ):
        async with front.open():
            with pytest.raises(InvalidStatus) as refused:
                await front.open()
            assert refused.value.response.status_code == 429
        await until(lambda: front.counts.in_flight == 0)
        async with front.open():
            pass
