"""Trailers (RFC 9110 section 6.5): they cross the gateway where they are wanted, and never become fields."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from dhatu_gateway.core.types import Body, Idempotency, MediaType, Route
from dhatu_gateway.core.upstream.delivery.hedge import Hedge, HedgeRule
from gateway.streaming.support import gateway_to
from gateway.support import Wire as ClientWire
from gateway.support import head, make_route, validate
from gateway.upstream.scripted import OK, RecordingSink, Wire, request_for, serving, upstream_of

PATH = "/api/v1/things"
GET = make_route(path=PATH)
ANY = Body(required=False, media_types=(MediaType(media_type="*/*", schema="", kind="stream", parts=()),))
POST = make_route("POST", PATH, body=ANY, validate=validate("off"))
WANTED = {"TE": "trailers", "Connection": "TE"}
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"
FORBIDDEN = (
    *("Host: evil", "Trailer: x", "Connection: close", "Expect: 100-continue"),
    *("Content-Type: text/html", "Content-Encoding: gzip", "Content-Range: bytes 0-1/2", "Cache-Control: no"),
    *("Authorization: Bearer x", "Cookie: a=b", "Set-Cookie: a=b", "WWW-Authenticate: Basic", "Age: 1"),
    *("X-Dhatu-Principal: user:root", "X_Dhatu_Principal: root", "X-Request-Id: 1"),
    *("If-Match: *", "Range: bytes=0-1", "Location: /", "Vary: *", "TE: gzip"),
    *("Access-Control-Allow-Origin: *", "Content-Security-Policy: x", "X-Hop: named by Connection"),
)
ALL = "".join(f"{line}\r\n" for line in FORBIDDEN).encode()
CLAIMS = b"X-API-Key: k\r\nX-Forwarded-For: 10.0.0.1\r\nRemote-User: root\r\n"


async def raw_answer(wire: ClientWire) -> tuple[bytes, bytes]:
    """The head of a chunked answer, and everything after it up to the end of its trailers."""
    async with asyncio.timeout(10):
        start = await wire.reader.readuntil(b"\r\n\r\n")
        body = await wire.reader.readuntil(b"0\r\n")
        while not body.endswith((b"0\r\n\r\n", b"\r\n\r\n")):
            body += await wire.reader.readuntil(b"\r\n")
    return start.lower(), body


# -- of answers


@pytest.mark.parametrize("pieces", [1, 2], ids=["in one piece", "in pieces"])
async def test_a_client_that_wants_them_gets_the_trailers_of_an_answer(pieces: int) -> None:
    end = b"2\r\nok\r\n0\r\nDigest: sha-256=abc\r\nserver-timing: db;dur=53\r\n\r\n"

    async def script(wire: Wire) -> None:
        for _ in range(2):
            fields = dict((await wire.request()).headers)
            assert (fields[b"te"], fields[b"connection"]) == (b"trailers", b"TE")
            start = CHUNKED + b"Trailer: Digest, Content-Length\r\nTrailer: Server-Timing\r\n\r\n"
            await (wire.send(start + end) if pieces == 1 else wire.send(start))
            if pieces == 2:
                await asked.wait()
                await wire.send(end)

    asked = asyncio.Event()
    async with (
        serving(script) as (running, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        for _ in range(2):
            await wire.write(head("GET", PATH, headers=WANTED))
            await running.accepted.wait()
            asked.set()
            start, body = await raw_answer(wire)
            assert b"\r\ntrailer: digest, server-timing\r\n" in start
            assert body == b"2\r\nok\r\n0\r\ndigest: sha-256=abc\r\nserver-timing: db;dur=53\r\n\r\n"
        assert running.connections == 1


async def trailed(wire: Wire) -> None:
    while True:
        await wire.request()
        await wire.send(CHUNKED + b"trailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n")


@pytest.mark.parametrize("fields", [{}, {"TE": "gzip"}], ids=["nothing", "another coding"])
async def test_others_do_not(fields: dict[str, str]) -> None:
    async def script(wire: Wire) -> None:
        request = await wire.request()
        assert not request.values(b"te")
        await wire.send(CHUNKED + b"trailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n")

    async with (
        serving(script) as (_, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH, headers=fields))
        start, body = await raw_answer(wire)
        assert b"trailer" not in start
        assert body == b"2\r\nok\r\n0\r\n\r\n"


async def test_nobody_gets_those_of_the_answer_before() -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED + b"\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n")
        await wire.request()
        await wire.send(CHUNKED + b"\r\n2\r\nok\r\n0\r\n\r\n")

    async with (
        serving(script) as (running, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH, headers=WANTED))
        assert (await raw_answer(wire))[1].endswith(b"0\r\nx-sum: 1\r\n\r\n")
        await wire.write(head("GET", PATH, headers=WANTED))
        assert (await raw_answer(wire))[1].endswith(b"ok\r\n0\r\n\r\n")
        assert running.connections == 1


async def test_a_client_of_http_1_0_has_no_use_for_them() -> None:
    async with (
        serving(trailed) as (_, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH, headers=WANTED).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await wire.closed()).endswith(b"\r\n\r\nok")


async def test_what_may_be_no_trailer_of_an_answer_is_dropped() -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED + b"connection: x-hop\r\n\r\n2\r\nok\r\n0\r\n" + ALL + b"x-sum: 1\r\n\r\n")

    async with (
        serving(script) as (_, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH, headers=WANTED))
        assert (await raw_answer(wire))[1] == b"2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n"


@pytest.mark.parametrize("trailers", [b"x: 1\r\n" * 200, b"x: " + b"1" * 70_000 + b"\r\n"])
async def test_an_answer_with_too_many_trailers_is_none(trailers: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED + b"\r\n2\r\nok\r\n0\r\n" + trailers + b"\r\n")
        await wire.closed()

    async with (
        serving(script) as (_, service),
        gateway_to(service, GET) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH, headers=WANTED))
        assert (await wire.reply()).status == 502


async def test_of_two_answers_the_one_that_counts_brings_its_own() -> None:
    async def slow(wire: Wire) -> None:
        await wire.request()
        await wire.closed()

    async def quick(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED + b"\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n")

    rule = HedgeRule(
        after_s=lambda: 0.01, observe=lambda took_s: None, withdraw=lambda now_s: True, clock=time.monotonic
    )
    request = request_for()
    request.repeatable, request.trailers = True, []
    async with upstream_of(slow, quick) as upstream:
        await Hedge(upstream, rule).forward(request, RecordingSink())
    assert request.trailers == [(b"x-sum", b"1")]


async def test_a_kept_answer_announces_none() -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED + b"trailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n")

    route = replace(POST, idempotency=Idempotency(keep_s=60, required=False), retry="keyed")
    keyed = {**WANTED, "Idempotency-Key": "one", "Content-Length": "0"}
    async with serving(script) as (running, service), gateway_to(service, route) as front:
        async with front.client.connect() as wire:
            await wire.write(head("POST", PATH, headers=keyed))
            assert (await raw_answer(wire))[1].endswith(b"x-sum: 1\r\n\r\n")
        again = await front.client.send(head("POST", PATH, headers=keyed))
        assert (again.body, again.headers.get("trailer")) == (b"ok", None)
        assert running.connections == 1


# -- of requests


async def seen_by_service(*pieces: bytes, route: Route = POST) -> tuple[dict[bytes, bytes], bytes]:
    """The head that a service gets of a request, and what follows it."""
    seen: list[tuple[dict[bytes, bytes], bytes]] = []

    async def script(wire: Wire) -> None:
        _, fields = await wire.request_head()
        body = await wire.reader.readuntil(b"\r\n0\r\n")
        while not body.endswith(b"\r\n\r\n"):
            body += await wire.reader.readuntil(b"\r\n")
        seen.append((dict(fields), body))
        await wire.send(OK)

    async with (
        serving(script) as (_, service),
        gateway_to(service, route) as front,
        front.client.connect() as wire,
    ):
        for piece in pieces:
            await wire.write(piece)
            await asyncio.sleep(0)
        assert (await wire.reply()).body == b"ok"
    return seen[0]


async def test_the_trailers_of_a_request_go_to_the_service() -> None:
    fields = {"Transfer-Encoding": "chunked", "Trailer": "X-Sum, Content-Length"}
    start = head("POST", PATH, headers=fields)
    for pieces in (
        (start + b"2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n",),
        (start, b"2\r\nab\r\n0\r", b"\nX-S", b"um: 1\r\n", b"\r\n"),
    ):
        seen, body = await seen_by_service(*pieces)
        assert seen[b"trailer"] == b"x-sum"
        assert body == b"2\r\nab\r\n0\r\nx-sum: 1\r\n\r\n"


async def test_what_may_be_no_trailer_of_a_request_is_dropped() -> None:
    fields = {"Transfer-Encoding": "chunked", "Connection": "X-Hop"}
    sent = head("POST", PATH, headers=fields) + b"2\r\nab\r\n0\r\n" + ALL + CLAIMS + b"X-Sum: 1\r\n\r\n"
    seen, body = await seen_by_service(sent)
    assert body == b"2\r\nab\r\n0\r\nx-sum: 1\r\n\r\n"
    assert b"trailer" not in seen


@pytest.mark.parametrize(
    "trailers", [b"X: 1\r\n" * 101, b"X: " + b"1" * 20_000 + b"\r\n"], ids=["many", "large"]
)
async def test_a_request_with_too_many_trailers_is_refused(trailers: bytes) -> None:
    async with serving(Wire.closed) as (_, service), gateway_to(service, POST) as front:
        chunked = head("POST", PATH, headers={"Transfer-Encoding": "chunked"})
        reply = await front.client.send(chunked + b"2\r\nab\r\n0\r\n" + trailers + b"\r\n")
        assert (reply.status, reply.closed) == (431, True)


async def test_a_large_body_earns_its_trailers_no_more_room() -> None:
    async with serving(Wire.closed) as (_, service), gateway_to(service, POST) as front:
        async with front.client.connect() as wire:
            await wire.write(head("POST", PATH, headers={"Transfer-Encoding": "chunked"}))
            await wire.write(b"3e7\r\n" + bytes(999) + b"\r\n")
            await wire.write(b"0\r\nX: ")
            for _ in range(40):
                wire.writer.write(b"1" * 1_000)
                await asyncio.sleep(0)
            reply = await wire.reply()
        assert (reply.status, reply.closed) == (413, True)


async def test_a_body_of_known_length_has_none() -> None:
    async def script(wire: Wire) -> None:
        request = await wire.request()
        assert (request.body, request.values(b"trailer")) == (b"ab", [])
        await wire.send(OK)

    async with serving(script) as (_, service), gateway_to(service, POST) as front:
        fields = {"Trailer": "X-Sum", "Expect": "100-continue"}
        reply = await front.client.send(head("POST", PATH, b"ab", fields))
        assert reply.body == b"ok"
