"""Clients that go away, and what it means for the service and for other clients."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from dhatu_gateway.core.upstream.errors import (
    ClientDisconnected,
)
from gateway.upstream.scripted import (
    EVENTS,
    LIMITS,
    OK,
    RecordingSink,
    Wire,
    exchange,
    request_for,
    serving,
    settled,
    upstream_of,
    upstream_to,
)


@pytest.mark.parametrize("head", [b"", EVENTS], ids=["before the answer", "in the middle of the answer"])
async def test_a_client_that_goes_away_ends_the_work_of_the_service(head: bytes) -> None:
    working = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(head)
        working.set()
        await wire.closed()

    limits = dataclasses.replace(LIMITS, disconnect_check_s=0.01)
    async with serving(script) as (service, endpoint), upstream_to(endpoint, limits=limits) as upstream:
        sink = RecordingSink()
        forwarding = asyncio.create_task(upstream.forward(request_for(), sink))
        await working.wait()
        assert not service.finished.is_set()
        sink.gone.set()
        with pytest.raises(ClientDisconnected):
            await forwarding
        await service.finished.wait()
    assert not sink.finished


async def test_a_client_that_goes_away_at_the_end_disturbs_nobody_else() -> None:
    """Its connection has been given back by then, and carries the request of another client."""
    halfway, second_has_come, first_is_over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nha")
        await halfway.wait()
        await wire.send(b"lf")
        await wire.request()
        second_has_come.set()
        await first_is_over.wait()
        await wire.send(OK)

    class LeavingAtTheEnd(RecordingSink):
        watched = False

        async def client_gone(self) -> None:
            self.watched = True
            halfway.set()
            await super().client_gone()

    limits = dataclasses.replace(LIMITS, disconnect_check_s=0.01)
    async with serving(script) as (service, endpoint), upstream_to(endpoint, limits=limits) as upstream:
        leaving = LeavingAtTheEnd()
        first = asyncio.create_task(upstream.forward(request_for(), leaving))
        await halfway.wait()
        leaving.ready.clear()
        while not leaving.finished:
            leaving.arrived.clear()
            await leaving.arrived.wait()
        second = asyncio.create_task(exchange(upstream))
        await second_has_come.wait()
        leaving.gone.set()
        await settled(lambda: 0)
        first_is_over.set()
        assert (await second).content == b"ok"
        leaving.ready.set()
        await first
    assert service.connections == 1


async def test_a_slow_answer_to_a_client_that_stays_is_delivered() -> None:
    sink = RecordingSink()
    loop = asyncio.get_running_loop()

    async def script(wire: Wire) -> None:
        await wire.request()
        later: asyncio.Future[None] = loop.create_future()
        loop.call_later(0.1, later.set_result, None)
        await later
        await wire.send(OK)

    limits = dataclasses.replace(LIMITS, disconnect_check_s=0.01)
    async with upstream_of(script, limits=limits) as upstream:
        await upstream.forward(request_for(), sink)
    assert (sink.content, sink.finished) == (b"ok", True)


async def test_a_sink_that_gives_up_ends_the_work_of_the_service() -> None:
    class Leaving(RecordingSink):
        async def body(self, chunk: bytes, more: bool) -> None:
            raise ClientDisconnected("gone")

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(EVENTS)
        await wire.closed()

    async with serving(script) as (service, endpoint), upstream_to(endpoint) as upstream:
        with pytest.raises(ClientDisconnected, match="gone"):
            await upstream.forward(request_for(), Leaving())
        await service.finished.wait()


@pytest.mark.parametrize("head", [b"", EVENTS], ids=["before the answer", "in the middle of the answer"])
async def test_cancelling_closes_the_connection(head: bytes) -> None:
    working = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(head)
        working.set()
        await wire.closed()

    async with serving(script) as (service, endpoint), upstream_to(endpoint) as upstream:
        forwarding = asyncio.create_task(exchange(upstream))
        await working.wait()
        forwarding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await forwarding
        await service.finished.wait()
        assert upstream.in_flight() == ((endpoint.authority, 0),)
