"""Long requests and answers through the gateway: piece by piece, at the pace of the slower side."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from dhatu_gateway.core.types import Body, MediaType
from gateway.streaming.support import Setup, gateway_to
from gateway.support import head, make_route, validate
from gateway.upstream.scripted import EVENTS, LIMITS, MEGABYTE, OK, Wire, serving, settled, until

PATH = "/api/v1/things"
SIZE = 64 * MEGABYTE
IN_FLIGHT = 24 * MEGABYTE
"""What may be on its way at most: the buffers of four sockets, which the kernel makes as large as it likes
(6 MB each at most as Linux comes), and less than 1 MB of the gateway's own."""
GET = make_route(path=PATH)
ANY = Body(required=False, media_types=(MediaType(media_type="*/*", schema="", kind="stream", parts=()),))
POST = make_route("POST", PATH, body=ANY, validate=validate("off"), max_body_bytes=2 * SIZE, timeout_s=60.0)
CHUNKED = {"Transfer-Encoding": "chunked"}


async def test_a_client_that_does_not_read_holds_back_a_large_download() -> None:
    sent = received = 0

    async def script(wire: Wire) -> None:
        nonlocal sent
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // MEGABYTE):
            await wire.send(bytes(MEGABYTE))
            sent += MEGABYTE

    async with (
        serving(script) as (_, service),
        gateway_to(service, replace(GET, timeout_s=60.0)) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH))
        await wire.reader.readuntil(b"\r\n\r\n")
        while received < SIZE:
            await settled(lambda: sent)
            assert sent - received <= IN_FLIGHT
            received += len(await wire.reader.readexactly(SIZE // 4))
    assert front.counts.recorded == [(GET.operation, 200)]


async def test_a_service_that_does_not_read_holds_back_a_large_chunked_upload() -> None:
    turn = asyncio.Semaphore(0)
    received = 0

    async def script(wire: Wire) -> None:
        nonlocal received
        _, headers = await wire.request_head()
        assert (b"transfer-encoding", b"chunked") in headers
        await turn.acquire()
        while (piece := await wire.reader.readuntil(b"\r\n")) != b"0\r\n":
            received += len((await wire.reader.readexactly(int(piece, 16) + 2))[:-2])
            if received % (SIZE // 4) < len(piece):
                await turn.acquire()
        await wire.send(OK)

    async with (
        serving(script) as (_, service),
        gateway_to(service, POST) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("POST", PATH, headers=CHUNKED))
        sent = 0
        for _ in range(SIZE // MEGABYTE):
            wire.writer.write(b"%x\r\n%b\r\n" % (MEGABYTE, bytes(MEGABYTE)))
            sent += MEGABYTE
        wire.writer.write(b"0\r\n\r\n")
        unsent = wire.writer.transport.get_write_buffer_size
        await settled(lambda: -unsent())
        assert sent - unsent() - received <= IN_FLIGHT
        for _ in range(64):
            turn.release()
        assert (await wire.reply()).body == b"ok"
    assert received == SIZE


async def test_a_client_sees_each_event_before_the_next_one_exists() -> None:
    seen = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(EVENTS)
        for number in range(3):
            await wire.send(b"9\r\ndata: %d\n\n\r\n" % number)
            await seen.wait()
            seen.clear()
        await wire.send(b"0\r\n\r\n")

    async with (
        serving(script) as (_, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH))
        assert b"text/event-stream" in await wire.reader.readuntil(b"\r\n\r\n")
        for number in range(3):
            assert b"data: %d\n" % number in await wire.reader.readuntil(b"\n\n\r\n")
            seen.set()
        assert await wire.reader.readuntil(b"\r\n\r\n") == b"0\r\n\r\n"


async def test_each_piece_of_an_upload_arrives_before_the_next_one_is_sent() -> None:
    seen = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request_head()
        for number in range(3):
            assert await wire.reader.readexactly(7) == b"2\r\n#%d\r\n" % number
            seen.set()
        assert await wire.reader.readexactly(5) == b"0\r\n\r\n"
        await wire.send(OK)

    async with (
        serving(script) as (_, service),
        gateway_to(service, POST) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("POST", PATH, headers=CHUNKED))
        for number in range(3):
            await wire.write(b"2\r\n#%d\r\n" % number)
            await seen.wait()
            seen.clear()
        await wire.write(b"0\r\n\r\n")
        assert (await wire.reply()).body == b"ok"


# -- parts, and nothing at all


@pytest.mark.parametrize(
    ("method", "answer", "fields"),
    [
        (
            "GET",
            b'206 Partial\r\ncontent-range: bytes 2-4/10\r\netag: "a"\r\ncontent-length: 3\r\n\r\ncde',
            {"content-range": "bytes 2-4/10", "etag": '"a"', "content-length": "3"},
        ),
        (
            "GET",
            b"416 Range Not Satisfiable\r\ncontent-range: bytes */10\r\ncontent-length: 0\r\n\r\n",
            {"content-range": "bytes */10"},
        ),
        ("GET", b'304 Not Modified\r\netag: "a"\r\ncontent-length: 10\r\n\r\n', {"etag": '"a"'}),
        (
            "HEAD",
            b"200 OK\r\naccept-ranges: bytes\r\ncontent-length: 10\r\n\r\n",
            {"accept-ranges": "bytes", "content-length": "10"},
        ),
    ],
    ids=["206", "416", "304", "HEAD"],
)
async def test_parts_and_conditions_are_between_client_and_service(
    method: str, answer: bytes, fields: dict[str, str]
) -> None:
    asked: list[dict[bytes, bytes]] = []

    async def script(wire: Wire) -> None:
        while True:
            asked.append(dict((await wire.request()).headers))
            await wire.send(b"HTTP/1.1 " + answer)

    conditions = {"Range": "bytes=2-4", "If-Range": '"a"', "If-None-Match": '"b"'}
    async with (
        serving(script) as (running, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        for _ in range(2):  # whatever came before, the connection is in order
            await wire.write(head(method, PATH, headers=conditions))
            bodiless = method == "HEAD" or answer.startswith(b"304")
            reply = await wire.reply(to_head=bodiless)
            assert reply.status == int(answer[:3])
            assert {name: reply.headers[name] for name in fields} == fields
            assert reply.body == (b"" if bodiless else answer.partition(b"\r\n\r\n")[2])
    assert all(asked[0][name.lower().encode()] == value.encode() for name, value in conditions.items())
    assert running.connections == 1


# -- clients that leave


@pytest.mark.parametrize("phase", ["sending", "waiting", "reading"])
async def test_a_client_that_leaves_ends_the_work_of_the_service(phase: str) -> None:
    working, ended = asyncio.Event(), asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request_head()
        if phase == "reading":
            await wire.send(EVENTS)
        working.set()
        await wire.closed()
        ended.set()

    route = POST if phase == "sending" else GET
    setup = Setup(limits=replace(LIMITS, disconnect_check_s=0.01, first_byte_s=30, idle_s=30))
    async with serving(script) as (_, service), gateway_to(service, route, setup=setup) as front:
        async with front.client.connect() as wire:
            framing = CHUNKED if phase == "sending" else None
            await wire.write(head(route.method, PATH, headers=framing))
            async with asyncio.timeout(10):
                await working.wait()
        async with asyncio.timeout(10):
            await ended.wait()
        await until(lambda: front.counts.in_flight == 0)
        assert front.upstream.in_flight() == ((service.authority, 0),)
    assert front.counts.recorded == [(route.operation, 200 if phase == "reading" else 499)]
