"""Request bodies that come in pieces."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
from dhatu_gateway.core.upstream.errors import (
    BodyLengthMismatch,
    ClientDisconnected,
    UpstreamTimeout,
)
from dhatu_gateway.core.upstream.types import UpstreamRequest
from gateway.upstream.scripted import (
    LIMITS,
    MEGABYTE,
    OK,
    RawRequest,
    RecordingSink,
    Wire,
    answering_forever,
    exchange,
    request_for,
    serving,
    settled,
    upstream_of,
    upstream_to,
)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


def upload(
    stream: AsyncIterator[bytes], content_length: int | None = None, *, deadline_s: float = 5
) -> UpstreamRequest:
    request = request_for(b"POST", deadline_s=deadline_s)
    request.stream = stream
    request.content_length = content_length
    return request


@pytest.mark.parametrize(("length", "framing"), [(None, b"transfer-encoding"), (9, b"content-length")])
async def test_a_streamed_body_arrives_whole(length: int | None, framing: bytes) -> None:
    seen: list[RawRequest] = []

    async def script(wire: Wire) -> None:
        for _ in range(2):
            seen.append(await wire.request())
            await wire.send(OK)

    async with serving(script) as (service, endpoint), upstream_to(endpoint) as upstream:
        for _ in range(2):
            sink = await exchange(upstream, upload(pieces(b"dha", b"", b"", b"tupath", b""), length))
            assert sink.content == b"ok"
    assert [request.body for request in seen] == [b"dhatupath"] * 2
    assert all(len(request.values(framing)) == 1 for request in seen)
    assert service.connections == 1


@pytest.mark.parametrize("length", [8, 10])
async def test_a_streamed_body_of_another_length_than_announced_is_never_completed(length: int) -> None:
    bodies: list[bytes] = []

    async def script(wire: Wire) -> None:
        await wire.request_head()
        bodies.append(await wire.reader.read(-1))

    async with serving(script) as (service, endpoint), upstream_to(endpoint) as upstream:
        with pytest.raises(BodyLengthMismatch, match="announced" if length < 9 else "ended after 9 of 10"):
            await exchange(upstream, upload(pieces(b"dha", b"tupath"), length))
        await service.finished.wait()
    assert len(bodies[0]) < length


async def test_what_the_stream_raises_comes_out_and_the_service_sees_a_broken_request() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"part"
        raise ClientDisconnected("the client went away while sending")

    async def script(wire: Wire) -> None:
        await wire.request_head()
        rest = await wire.reader.read(-1)
        assert not rest.endswith(b"0\r\n\r\n")

    async with serving(script) as (service, endpoint), upstream_to(endpoint) as upstream:
        with pytest.raises(ClientDisconnected, match="while sending"):
            await exchange(upstream, upload(broken()))
        await service.finished.wait()


async def test_a_service_that_does_not_read_stops_the_upload() -> None:
    sent_bytes = 0
    reading = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent_bytes
        for _ in range(64):
            yield b"x" * MEGABYTE
            sent_bytes += MEGABYTE

    async def script(wire: Wire) -> None:
        await reading.wait()
        assert len((await wire.request()).body) == 64 * MEGABYTE
        await wire.send(OK)

    async with serving(script) as (service, endpoint), upstream_to(endpoint) as upstream:
        forwarding = asyncio.create_task(exchange(upstream, upload(endless(), deadline_s=30)))
        await service.accepted.wait()
        await settled(lambda: sent_bytes)
        assert 0 < sent_bytes < 16 * MEGABYTE
        reading.set()
        assert (await forwarding).content == b"ok"


async def test_a_service_that_never_reads_times_out() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MEGABYTE

    never = asyncio.Event()

    async def script(wire: Wire) -> None:
        await never.wait()

    limits = dataclasses.replace(LIMITS, idle_s=0.05)
    async with upstream_of(script, limits=limits) as upstream:
        with pytest.raises(UpstreamTimeout) as caught:
            await exchange(upstream, upload(endless()))
    assert caught.value.phase == "idle"


async def test_a_slow_upload_is_not_the_service_s_fault() -> None:
    loop = asyncio.get_running_loop()
    uploaded = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        later: asyncio.Future[None] = loop.create_future()
        loop.call_later(0.3, later.set_result, None)
        await later
        yield b"b"
        uploaded.set()

    async def script(wire: Wire) -> None:
        assert (await wire.request()).body == b"ab"
        await wire.send(OK)

    class Watched(RecordingSink):
        async def client_gone(self) -> None:
            assert uploaded.is_set(), "the stream was still being read from the same source"
            await super().client_gone()

    limits = dataclasses.replace(LIMITS, idle_s=0.2, first_byte_s=0.2, disconnect_check_s=0.01)
    sink = Watched()
    async with upstream_of(script, limits=limits) as upstream:
        await upstream.forward(upload(slow()), sink)
    assert sink.content == b"ok"


async def test_the_clock_for_the_answer_starts_after_the_upload() -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.closed()

    limits = dataclasses.replace(LIMITS, first_byte_s=0.05)
    async with upstream_of(script, limits=limits) as upstream:
        with pytest.raises(UpstreamTimeout) as caught:
            await exchange(upstream, upload(pieces(b"a")))
    assert caught.value.phase == "first_byte"


async def test_an_early_answer_to_a_large_body_ends_the_connection() -> None:
    """What is left of the body would be taken for the next request."""

    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await wire.closed()

    async with serving(script, answering_forever()) as (service, endpoint), upstream_to(endpoint) as upstream:
        assert (await exchange(upstream, request_for(b"POST", b"x" * 32 * MEGABYTE))).status == 413
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 2


async def test_an_early_answer_ends_the_upload_and_the_connection() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await wire.closed()

    async with serving(script, answering_forever()) as (service, endpoint), upstream_to(endpoint) as upstream:
        assert (await exchange(upstream, upload(endless()))).status == 413
        assert closed.is_set()
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 2


async def test_answer_and_upload_run_side_by_side() -> None:
    """A service may transform a stream as it comes: a piece is sent when the last one has come back."""
    sink = RecordingSink()

    async def echoed() -> AsyncIterator[bytes]:
        for number in range(3):
            sink.arrived.clear()
            yield b"%d" % number
            await sink.arrived.wait()

    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        await sink.arrived.wait()
        while (size := await wire.reader.readline()) != b"0\r\n":
            data = await wire.reader.readexactly(int(size, 16) + 2)
            await wire.send(b"1\r\n" + data)
        await wire.reader.readexactly(2)
        await wire.send(b"0\r\n\r\n")

    async with upstream_of(script) as upstream:
        await upstream.forward(upload(echoed()), sink)
    assert (sink.content, sink.finished) == (b"012", True)
