"""`Expect: 100-continue` (RFC 9110 section 10.1.1): no body is sent that nobody reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.problem import Kind, ProblemError
from dhatu_gateway.core.types import Body, MediaType
from dhatu_gateway.core.upstream.discovery import Endpoint
from gateway.streaming.support import Setup, gateway_to
from gateway.support import Wire as ClientWire
from gateway.support import head, make_route, validate
from gateway.upstream.scripted import LIMITS, OK, Wire, answering, serving

PATH = "/api/v1/things"
ANY = Body(required=False, media_types=(MediaType(media_type="*/*", schema="", kind="stream", parts=()),))
POST = make_route("POST", PATH, body=ANY, validate=validate("off"), max_body_bytes=100)
EXPECTING = head("POST", PATH, headers={"Expect": "100-continue", "Content-Length": "3"})
CHUNKS = head("POST", PATH, headers={"Expect": "100-Continue", "Transfer-Encoding": "chunked"})
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PATIENT = Setup(limits=replace(LIMITS, continue_s=60))
"""No test is saved by the time that a service has for its 100."""


async def continued(wire: ClientWire) -> None:
    assert (await wire.reply(to_head=True)).status == 100


@pytest.mark.parametrize(
    ("kind", "status"), [("unauthorized", 401), ("forbidden", 403), ("too-many-requests", 429)]
)
async def test_a_body_is_not_asked_for_where_the_request_is_refused(kind: Kind, status: int) -> None:
    def nobody(exchange: object) -> None:
        raise ProblemError(kind, "No.")

    closed = Policies(
        authenticate=lambda route: nobody, authorize=lambda route: None, rate_limit=lambda route: None
    )
    async with serving(Wire.closed) as (running, service):
        async with gateway_to(service, POST, setup=Setup(policies=closed)) as front:
            reply = await front.client.send(EXPECTING)
            assert (reply.status, reply.closed) == (status, True)
        assert running.connections == 0


async def test_a_body_that_is_too_large_is_not_asked_for() -> None:
    async with serving(Wire.closed) as (running, service):
        async with gateway_to(service, POST) as front:
            reply = await front.client.send(EXPECTING.replace(b": 3\r\n", b": 101\r\n"))
            assert (reply.status, reply.closed) == (413, True)
        assert running.connections == 0


async def test_a_body_is_not_asked_for_where_no_service_would_get_it() -> None:
    nowhere = Endpoint(host="127.0.0.1", port=1)
    async with gateway_to(nowhere, POST) as front:
        reply = await front.client.send(EXPECTING)
        assert (reply.status, reply.closed) == (503, True)


@pytest.mark.parametrize(
    ("request_head", "body", "sent"),
    [(EXPECTING, b"abc", b"abc"), (CHUNKS, b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n")],
    ids=["length", "chunks"],
)
async def test_it_is_the_service_that_asks_for_a_body(request_head: bytes, body: bytes, sent: bytes) -> None:
    async def script(wire: Wire) -> None:
        for _ in range(2):
            _, headers = await wire.request_head()
            assert dict(headers)[b"expect"] == b"100-continue"
            await wire.send(CONTINUE[:9], CONTINUE[9:])
            assert await wire.reader.readexactly(len(sent)) == sent
            await wire.send(OK)

    async with (
        serving(script) as (running, service),
        gateway_to(service, POST, setup=PATIENT) as front,
        front.client.connect() as wire,
    ):
        for _ in range(2):
            await wire.write(request_head)
            await continued(wire)
            await wire.write(body)
            assert (await wire.reply()).body == b"ok"
        assert running.connections == 1


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"413 Too Large", b"417 Failed", b"303 See"])
async def test_a_service_that_refuses_gets_no_body(status: bytes) -> None:
    seen: list[bytes] = []

    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\nno")
        seen.append(await wire.reader.read())

    async with (
        serving(script) as (running, service),
        gateway_to(service, POST, setup=PATIENT) as front,
    ):
        reply = await front.client.send(EXPECTING)
        assert (reply.status, reply.body, reply.closed) == (int(status[:3]), b"no", True)
        await running.finished.wait()
    assert seen == [b""], "the body would be read as the next request"


async def test_a_service_that_begins_to_answer_well_gets_the_body_all_the_same() -> None:
    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n")
        await wire.send(await wire.reader.readexactly(3))

    async with (
        serving(script) as (_, service),
        gateway_to(service, POST, setup=PATIENT) as front,
        front.client.connect() as wire,
    ):
        await wire.write(EXPECTING)
        assert b" 200 " in await wire.reader.readuntil(b"\r\n\r\n")
        await wire.write(b"abc")
        assert await wire.reader.readexactly(3) == b"abc"


async def test_a_service_that_knows_nothing_of_it_gets_the_body_after_a_while() -> None:
    setup = Setup(limits=replace(LIMITS, continue_s=0.01))
    async with (
        serving(answering(OK)) as (_, service),
        gateway_to(service, POST, setup=setup) as front,
        front.client.connect() as wire,
    ):
        await wire.write(EXPECTING)
        await continued(wire)
        await wire.write(b"abc")
        assert (await wire.reply()).body == b"ok"


async def test_a_body_that_the_gateway_reads_is_asked_for_by_the_gateway() -> None:
    json = Body(required=True, media_types=(MediaType(media_type="*/*", schema="", kind="json", parts=()),))
    route = make_route("POST", PATH, body=json)
    async with (
        serving(answering(OK)) as (running, service),
        gateway_to(service, route, setup=PATIENT) as front,
        front.client.connect() as wire,
    ):
        await wire.write(EXPECTING.replace(b"\r\n\r\n", b"\r\nContent-Type: application/json\r\n\r\n"))
        await continued(wire)
        assert running.connections == 0
        await wire.write(b"[1]")
        assert (await wire.reply()).body == b"ok"


async def test_a_client_that_does_not_wait_is_not_told_to_go_on() -> None:
    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(CONTINUE)
        assert await wire.reader.readexactly(3) == b"abc"
        await wire.send(OK)

    async with serving(script) as (_, service), gateway_to(service, POST, setup=PATIENT) as front:
        assert (await front.client.send(EXPECTING + b"abc")).body == b"ok"


async def test_a_client_of_http_1_0_is_not_told_to_go_on() -> None:
    async with (
        serving(answering(OK)) as (_, service),
        gateway_to(service, POST, setup=PATIENT) as front,
        front.client.connect() as wire,
    ):
        await wire.write(EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0"))
        await wire.write(b"abc")
        assert (await wire.reply()).body == b"ok"


async def test_a_client_that_leaves_while_the_service_thinks_is_noticed() -> None:
    async def script(wire: Wire) -> None:
        await wire.request_head()
        reached.append(True)
        assert await wire.reader.read() == b""

    reached: list[bool] = []
    async with serving(script) as (running, service), gateway_to(service, POST, setup=PATIENT) as front:
        async with front.client.connect() as wire:
            await wire.write(EXPECTING)
            await running.accepted.wait()
        await running.finished.wait()
        assert front.upstream.in_flight() == ((service.authority, 0),)
    assert reached
