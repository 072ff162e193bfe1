"""How many connections there are, who waits for them, and how long they are kept."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from dhatu_gateway.core.upstream.errors import UpstreamAborted, UpstreamTimeout, UpstreamUnavailable
from gateway.upstream.scripted import (
    LIMITS,
    OK,
    RecordingSink,
    Script,
    Wire,
    answering,
    answering_forever,
    exchange,
    request_for,
    serving,
    upstream_to,
)


def answering_when(gate: asyncio.Event) -> Script:
    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            await gate.wait()
            await wire.send(OK)

    return script


async def turns() -> None:
    """Let everything happen that can happen without outside help."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_connections_than_allowed_and_all_requests_served() -> None:
    limits = dataclasses.replace(LIMITS, max_connections=3)
    async with (
        serving(answering_forever()) as (service, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):
        sinks = await asyncio.gather(*(exchange(upstream) for _ in range(50)))
        assert upstream.in_flight() == ((endpoint.authority, 0),)
    assert [sink.content for sink in sinks] == [b"ok"] * 50
    assert service.connections == 3


async def test_who_waits_is_served_in_the_order_of_arrival() -> None:
    served: list[int] = []
    limits = dataclasses.replace(LIMITS, max_connections=1)
    async with (
        serving(answering_forever()) as (_, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):

        async def one(number: int) -> None:
            await exchange(upstream)
            served.append(number)

        await asyncio.gather(*(one(number) for number in range(6)))
    assert served == list(range(6))


async def test_a_connection_that_dies_leaves_its_place_to_the_next_in_the_queue() -> None:
    closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    limits = dataclasses.replace(LIMITS, max_connections=1)
    async with (
        serving(answering(closing)) as (service, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):
        sinks = await asyncio.gather(*(exchange(upstream) for _ in range(5)))
    assert [sink.content for sink in sinks] == [b"ok"] * 5
    assert service.connections == 5


async def test_the_queue_has_an_end() -> None:
    gate = asyncio.Event()
    limits = dataclasses.replace(LIMITS, max_connections=1, max_pending=2)
    async with (
        serving(answering_when(gate)) as (_, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):
        admitted = [asyncio.create_task(exchange(upstream)) for _ in range(3)]
        await turns()
        with pytest.raises(UpstreamUnavailable, match="overloaded: 2 requests already wait"):
            await exchange(upstream)
        gate.set()
        assert [sink.content for sink in await asyncio.gather(*admitted)] == [b"ok"] * 3


@pytest.mark.parametrize(("connect_s", "deadline_s"), [(0.05, 5), (2, 0.05)])
async def test_nobody_waits_for_a_connection_without_end(connect_s: float, deadline_s: float) -> None:
    gate = asyncio.Event()
    limits = dataclasses.replace(LIMITS, max_connections=1, connect_s=connect_s)
    async with (
        serving(answering_when(gate)) as (_, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):
        first = asyncio.create_task(exchange(upstream))
        await turns()
        patient = asyncio.create_task(exchange(upstream)) if connect_s > 1 else first
        await turns()
        with pytest.raises(UpstreamUnavailable, match="none of its 1 connections became free"):
            await exchange(upstream, request_for(deadline_s=deadline_s))
        gate.set()
        assert [sink.content for sink in await asyncio.gather(first, patient)] == [b"ok"] * 2


async def test_who_no_longer_waits_is_passed_over() -> None:
    gate = asyncio.Event()
    limits = dataclasses.replace(LIMITS, max_connections=1)
    async with (
        serving(answering_when(gate)) as (service, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):
        first, second, third = (asyncio.create_task(exchange(upstream)) for _ in range(3))
        await turns()
        second.cancel()
        gate.set()
        assert [sink.content for sink in await asyncio.gather(first, third)] == [b"ok"] * 2
        assert second.cancelled()
    assert service.connections == 1


@pytest.mark.parametrize("ending", [b"", b"connection: close\r\n"], ids=["a connection", "a place"])
async def test_what_reaches_somebody_at_the_moment_of_giving_up_is_not_lost(ending: bytes) -> None:
    limits = dataclasses.replace(LIMITS, max_connections=1)
    answer = b"HTTP/1.1 200 OK\r\n%bcontent-length: 0\r\n\r\n" % ending
    gate = asyncio.Event()

    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            await gate.wait()
            await wire.send(answer)

    async with serving(script) as (_, endpoint), upstream_to(endpoint, limits=limits) as upstream:

        class CancellingTheNext(RecordingSink):
            def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
                super().start(status, headers)
                waiting.cancel()  # the connection has just been handed to it

        first = asyncio.create_task(upstream.forward(request_for(), CancellingTheNext()))
        await turns()
        waiting = asyncio.create_task(exchange(upstream))
        await turns()
        gate.set()
        await asyncio.gather(first, waiting, return_exceptions=True)
        assert waiting.cancelled()
        assert (await exchange(upstream)).status == 200


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    limits = dataclasses.replace(LIMITS, keep_alive_s=0.05)
    async with (
        serving(answering(OK)) as (service, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):
        await exchange(upstream)
        await service.finished.wait()
        service.finished.clear()
        await exchange(upstream)
    assert service.connections == 2


async def test_a_connection_that_the_service_closed_is_not_used_again_even_for_a_post() -> None:
    async def one_answer(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)

    async with serving(one_answer) as (service, endpoint), upstream_to(endpoint) as upstream:
        for _ in range(3):
            assert (await exchange(upstream, request_for(b"POST", b"x"))).content == b"ok"
            await service.finished.wait()
            service.finished.clear()
            await turns()
    assert service.connections == 3


async def test_one_dead_connection_makes_all_that_are_idle_suspect() -> None:
    both = asyncio.Barrier(2)

    async def dying_with_its_process(wire: Wire) -> None:
        await wire.request()
        await both.wait()
        await wire.send(OK)
        await wire.request()

    scripts = (dying_with_its_process, dying_with_its_process, answering(OK))
    async with serving(*scripts) as (service, endpoint), upstream_to(endpoint) as upstream:
        await asyncio.gather(exchange(upstream), exchange(upstream))
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 3


async def test_an_answer_that_nobody_asked_for_reaches_nobody() -> None:
    async def pushing(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        first_is_over.set()
        await push.wait()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret")
        await wire.closed()

    first_is_over, push = asyncio.Event(), asyncio.Event()
    limits = dataclasses.replace(LIMITS, keep_alive_s=60)
    async with (
        serving(pushing, answering(OK)) as (service, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
        asyncio.timeout(5),
    ):
        await exchange(upstream)
        await first_is_over.wait()
        push.set()
        await service.finished.wait()
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 2


async def test_a_service_that_does_not_accept_times_out() -> None:
    """A TLS service whose handshake never comes: the connection is there, and nothing happens on it."""

    async def mute(wire: Wire) -> None:
        await wire.closed()

    limits = dataclasses.replace(LIMITS, connect_s=0.05)
    async with serving(mute) as (_, plain):
        endpoint = dataclasses.replace(plain, tls=True)
        async with upstream_to(endpoint, limits=limits) as upstream:
            with pytest.raises(UpstreamTimeout, match=r"within 0\.050 s") as caught:
                await exchange(upstream)
    assert (caught.value.phase, caught.value.unsent) == ("connect", True)


async def test_closing_lets_what_is_under_way_end() -> None:
    gate = asyncio.Event()
    async with serving(answering_when(gate)) as (service, endpoint), upstream_to(endpoint) as upstream:
        under_way = asyncio.create_task(exchange(upstream))
        await service.accepted.wait()
        closing = asyncio.create_task(upstream.close(drain_s=5))
        await turns()
        with pytest.raises(UpstreamUnavailable, match="shutting down") as caught:
            await exchange(upstream)
        assert caught.value.service == "corpus"
        assert not closing.done()
        gate.set()
        assert (await under_way).content == b"ok"
        await closing


async def test_closing_cuts_off_what_takes_longer() -> None:
    sink = RecordingSink()

    async def half(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        await wire.closed()

    async with serving(half) as (service, endpoint), upstream_to(endpoint) as upstream:
        under_way = asyncio.create_task(upstream.forward(request_for(), sink))
        await sink.arrived.wait()
        await upstream.close(drain_s=0.01)
        with pytest.raises(UpstreamAborted, match="shutting down"):
            await under_way
        await service.finished.wait()


async def test_closing_gives_up_who_waits_for_a_connection() -> None:
    gate = asyncio.Event()
    limits = dataclasses.replace(LIMITS, max_connections=1)
    async with (
        serving(answering_when(gate)) as (_, endpoint),
        upstream_to(endpoint, limits=limits) as upstream,
    ):
        tasks = [asyncio.create_task(exchange(upstream)) for _ in range(2)]
        await turns()
        await upstream.close(drain_s=0)
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [UpstreamUnavailable] * 2
