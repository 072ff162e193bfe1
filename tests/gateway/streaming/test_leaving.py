"""Clients that leave while their request waits in line: at once nobody waits for them any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from dhatu_gateway.core.forward import Forwarder
from dhatu_gateway.core.types import Body, MediaType
from dhatu_gateway.core.upstream.admission.gate import Gate
from dhatu_gateway.core.upstream.admission.gated import Gated
from dhatu_gateway.core.upstream.admission.limits import Fixed
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.service import Upstream
from gateway.streaming.support import HANDSHAKE, SOCKET, switched
from gateway.support import Bench, Client, compose, head, make_route, validate
from gateway.support import serving as served
from gateway.upstream.scripted import LIMITS, OK, Wire, serving, until

PATH = "/api/v1/things"
ROOM = "/api/v1/room"
GET = make_route(path=PATH, validate=validate("off"), timeout_s=60.0)
ANY = Body(required=False, media_types=(MediaType(media_type="*/*", schema="", kind="stream", parts=()),))
POST = make_route("POST", PATH, body=ANY, validate=validate("off"), max_body_bytes=200_000, timeout_s=60.0)
PATIENT = replace(LIMITS, connect_s=60, first_byte_s=60, max_connections=1)
QUEUE_S = 60.0


class Line:
    """A way to a service that serves one request at a time, and how many wait before it."""

    def __init__(self, service: Endpoint, where: str) -> None:
        limits = PATIENT if where == "connection" else replace(PATIENT, max_connections=9)
        self.upstream = Upstream("things", (service,), limits)
        self.gate = Gate(Fixed(1), 9, QUEUE_S, asyncio.get_running_loop().time)
        gated = Gated(self.upstream, self.gate, asyncio.get_running_loop().time)
        self.way: Forwarder = gated if where == "gate" else self.upstream
        self._where = where

    @property
    def waiting(self) -> int:
        if self._where == "gate":
            return self.gate.waiting
        return self.upstream.members()[0].pool.waiting


@asynccontextmanager
async def behind(line: Line) -> AsyncGenerator[tuple[Client, Bench]]:
    bench = compose(GET, POST, replace(SOCKET, path=ROOM), service=line.way)
    try:
        async with served(bench.edge) as client:
            yield client, bench
    finally:
        await line.upstream.close(drain_s=0)


@pytest.mark.parametrize("where", ["connection", "gate"])
@pytest.mark.parametrize(
    "sent",
    [
        head("GET", PATH),
        head("POST", PATH, headers={"Transfer-Encoding": "chunked"}),
        head("POST", PATH, headers={"Content-Length": "100000"}) + b"abc",
    ],
    ids=["request", "upload", "begun upload"],
)
async def test_who_leaves_the_line_is_forgotten_at_once(where: str, sent: bytes) -> None:
    seen: list[bytes] = []
    go = asyncio.Event()

    async def script(wire: Wire) -> None:
        while True:
            seen.append((await wire.request()).line)
            await go.wait()
            await wire.send(OK)

    async with serving(script) as (_, service):
        line = Line(service, where)
        async with behind(line) as (client, bench), client.connect() as first:
            await first.write(head("GET", f"{PATH}?first"))
            await until(lambda: len(seen) == 1)
            async with client.connect() as leaving:
                await leaving.write(sent)
                await until(lambda: line.waiting == 1)
            await until(lambda: line.waiting == 0)
            await until(lambda: bench.counts.in_flight == 1)
            assert bench.counts.recorded == [(f"{sent.split()[0].decode()} {PATH}", 499)]
            async with client.connect() as next_:
                await next_.write(head("GET", f"{PATH}?next"))
                await until(lambda: line.waiting == 1)
                go.set()
                assert (await first.reply()).body == (await next_.reply()).body == b"ok"
    assert [request.split()[1] for request in seen] == [b"/api/v1/things?first", b"/api/v1/things?next"]


@pytest.mark.parametrize("where", ["connection", "gate"])
async def test_who_stays_gets_its_turn_with_its_body_whole(where: str) -> None:
    go = asyncio.Event()
    bodies: list[bytes] = []

    async def script(wire: Wire) -> None:
        while True:
            bodies.append((await wire.request()).body)
            await go.wait()
            await wire.send(OK)

    async with serving(script) as (_, service):
        line = Line(service, where)
        async with behind(line) as (client, _), client.connect() as first, client.connect() as second:
            await first.write(head("GET", PATH))
            await until(lambda: len(bodies) == 1)
            await second.write(head("POST", PATH, headers={"Transfer-Encoding": "chunked"}), b"2\r\nab\r\n")
            await until(lambda: line.waiting == 1)
            go.set()
            assert (await first.reply()).body == b"ok"
            await second.write(b"2\r\ncd\r\n0\r\n\r\n")
            assert (await second.reply()).body == b"ok"
    assert bodies == [b"", b"abcd"]


async def test_an_open_websocket_keeps_nobody_waiting_before_its_service() -> None:
    async with serving(answering_both) as (_, service):
        line = Line(service, "gate")
        async with behind(line) as (client, _), client.connect() as socket:
            await socket.write(head("GET", ROOM, headers=HANDSHAKE))
            assert b" 101 " in await socket.reader.readuntil(b"\r\n\r\n")
            assert line.gate.in_flight == 0
            reply = await client.request("POST", PATH, b"abc")
            assert (reply.status, line.gate.in_flight) == (200, 0)
        await until(lambda: line.upstream.in_flight() == ((service.authority, 0),))
        assert line.gate.in_flight == 0, "it has left once, not twice"


async def answering_both(wire: Wire) -> None:
    """Switch protocols where that is asked for, and answer what else comes."""
    start = await wire.reader.readuntil(b"\r\n\r\n")
    if b"upgrade" not in start.lower():
        await wire.send(OK)
        return
    again = asyncio.StreamReader()
    again.feed_data(start)
    await switched(Wire(again, wire.writer))
    await wire.closed()
