"""Answers that come in pieces: at once, and no faster than the client reads."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from dhatu_gateway.core.upstream.errors import (
    UpstreamAborted,
    UpstreamTimeout,
)
from gateway.upstream.scripted import (
    EVENTS,
    LIMITS,
    MEGABYTE,
    RecordingSink,
    Wire,
    exchange,
    request_for,
    settled,
    upstream_of,
)


async def test_every_event_is_passed_on_before_the_next_one_exists() -> None:
    sink = RecordingSink()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(EVENTS)
        await sink.arrived.wait()
        for number in range(3):
            sink.arrived.clear()
            await wire.send(b"8\r\ndata: %d\n\r\n" % number)
            await sink.arrived.wait()
        await wire.send(b"0\r\n\r\n")

    async with upstream_of(script) as upstream:
        await upstream.forward(request_for(), sink)
    assert sink.pieces == [b"", b"data: 0\n", b"data: 1\n", b"data: 2\n", b""]
    assert sink.finished


async def test_an_event_stream_outlives_the_deadline() -> None:
    loop = asyncio.get_running_loop()
    request = request_for(deadline_s=0.3)
    over = asyncio.Event()
    loop.call_at(request.deadline_s + 0.1, over.set)

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(EVENTS)
        await over.wait()
        await wire.send(b"0\r\n\r\n")

    async with upstream_of(script) as upstream:
        sink = await exchange(upstream, request)
    assert sink.finished
    assert loop.time() > request.deadline_s


async def test_an_event_stream_that_falls_silent_is_broken_off() -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(EVENTS)
        await wire.closed()

    async with upstream_of(script, limits=dataclasses.replace(LIMITS, idle_s=0.05)) as upstream:
        with pytest.raises(UpstreamAborted) as caught:
            await exchange(upstream)
    assert isinstance(caught.value.__cause__, UpstreamTimeout)
    assert caught.value.__cause__.phase == "idle"


async def test_a_client_that_does_not_read_stops_the_service_from_writing() -> None:
    """What the gateway holds is bounded: the rest waits in the service, which cannot write it."""
    written_bytes = 0
    sink = RecordingSink()
    sink.ready.clear()

    async def script(wire: Wire) -> None:
        nonlocal written_bytes
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (64 * MEGABYTE))
        for _ in range(64):
            await wire.send(b"x" * MEGABYTE)
            written_bytes += MEGABYTE

    async with upstream_of(script) as upstream:
        forwarding = asyncio.create_task(upstream.forward(request_for(deadline_s=30), sink))
        await settled(lambda: written_bytes)
        assert 0 <= written_bytes < 16 * MEGABYTE
        sink.ready.set()
        await forwarding
    assert (len(sink.content), sink.finished, written_bytes) == (64 * MEGABYTE, True, 64 * MEGABYTE)
    assert max(map(len, sink.pieces)) <= MEGABYTE


async def test_a_client_that_does_not_read_is_not_the_service_s_fault() -> None:
    sink = RecordingSink()
    sink.ready.clear()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(
            b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (16 * MEGABYTE), b"x" * 16 * MEGABYTE
        )

    limits = dataclasses.replace(LIMITS, idle_s=0.25)
    async with upstream_of(script, limits=limits) as upstream:
        forwarding = asyncio.create_task(upstream.forward(request_for(), sink))
        asyncio.get_running_loop().call_later(0.4, sink.ready.set)
        await forwarding
    assert (len(sink.content), sink.finished) == (16 * MEGABYTE, True)
