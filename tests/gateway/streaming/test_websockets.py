"""WebSockets through the gateway: real clients, a real service, real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from dhatu_gateway.core.types import Cors, Parameter
from gateway.streaming.support import (
    HANDSHAKE,
    PATH,
    SOCKET,
    SWITCHING,
    Setup,
    echoing,
    gateway_to,
    socket_service,
    switched,
    tunnel_to,
)
from gateway.support import PLATFORM, head, make_route
from gateway.upstream.scripted import LIMITS, MEGABYTE, OK, Wire, answering_forever, serving, settled, until
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Subprotocol

SHOUT = Subprotocol("shout")
ROOM = Parameter(
    name="room", location="query", required=True, style="form", explode=True, content_type="", schema=""
)


# -- what passes


async def test_messages_pass_both_ways_whatever_their_size() -> None:
    async with (
        socket_service(echoing, max_size=None) as service,
        gateway_to(service) as front,
        front.open(max_size=None) as socket,
    ):
        for message in ("नमस्ते", b"\x00\xff", "", b"x" * MEGABYTE):
            await socket.send(message)
            assert await socket.recv() == message


async def test_compression_and_subprotocols_are_agreed_upon_by_the_two_ends() -> None:
    async with (
        socket_service(echoing, subprotocols=[SHOUT]) as service,
        gateway_to(service) as front,
        front.open(subprotocols=[Subprotocol("whisper"), SHOUT], compression="deflate") as socket,
    ):
        assert socket.subprotocol == SHOUT
        assert [extension.name for extension in socket.protocol.extensions] == ["permessage-deflate"]
        await socket.send("again " * 1_000)
        assert await socket.recv() == "again " * 1_000


async def test_pings_are_answered_by_the_other_end_and_the_end_has_its_reason() -> None:
    pinged = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        await (await socket.ping())
        pinged.set()
        await socket.recv()
        await socket.close(4_001, "enough")

    async with socket_service(handler) as service, gateway_to(service) as front, front.open() as socket:
        await (await socket.ping())
        await pinged.wait()
        await socket.send("go")
        with pytest.raises(ConnectionClosedError) as ended:
            await socket.recv()
    assert ended.value.rcvd is not None
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (4_001, "enough")


async def test_the_service_sees_the_request_and_nothing_that_a_client_claims() -> None:
    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen = socket.request.headers
        await socket.send(f"{socket.request.path} {seen['X-Forwarded-For']} {seen.get('X-Dhatu-Principal')}")

    headers = {"X-Forwarded-For": "203.0.113.7", "X-Dhatu-Principal": "user:root"}
    async with (
        socket_service(handler) as service,
        gateway_to(service, replace(SOCKET, parameters=(ROOM,))) as front,
        front.open(f"{PATH}?room=1", additional_headers=headers) as socket,
    ):
        assert await socket.recv() == f"{PATH}?room=1 127.0.0.1 None"


async def test_the_client_gets_the_headers_of_the_gateway_with_the_handshake() -> None:
    async with socket_service(echoing) as service, gateway_to(service) as front, front.open() as socket:
        assert socket.response is not None
        assert socket.response.headers["X-Request-Id"]


async def test_what_is_sent_before_the_answer_waits_for_it() -> None:
    seen: list[bytes] = []

    async def script(wire: Wire) -> None:
        await wire.request_head()
        await settled(lambda: 0)
        await wire.send(SWITCHING + b"welcome")
        seen.append(await wire.reader.readexactly(10))
        await wire.send(b"bye")

    async with (
        serving(script) as (_, service),
        gateway_to(service) as front,
        tunnel_to(front, b"early") as (reader, writer),
    ):
        writer.write(b" late")
        assert await reader.read() == b"welcomebye"
    assert seen == [b"early late"]


# -- what is refused


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Connection": "keep-alive"}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Upgrade": "h2c, websocket"}, 101),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": ""}, 426),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
        ({"Content-Length": "5"}, 400),
        ({"Transfer-Encoding": "chunked"}, 400),
    ],
)
async def test_only_a_proper_handshake_reaches_the_service(changes: dict[str, str], status: int) -> None:
    async with (
        socket_service(echoing) as service,
        gateway_to(service) as front,
        front.client.connect() as wire,
    ):
        await wire.write(head("GET", PATH, headers=HANDSHAKE | changes))
        reply = await wire.reply(to_head=status == 101)
        assert reply.status == status
        if status == 426:
            assert (reply.headers["upgrade"], reply.headers["connection"]) == ("websocket", "Upgrade")
        assert ("sec-websocket-version" in reply.headers) is ("Sec-WebSocket-Version" in changes)


@pytest.mark.parametrize(
    "request_line", ["GET {} HTTP/1.0", "HEAD {} HTTP/1.1"], ids=["another version", "another method"]
)
async def test_other_requests_are_told_what_to_ask_for(request_line: str) -> None:
    fields = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
    raw = f"{request_line.format(PATH)}\r\nHost: a\r\n{fields}\r\n".encode()
    async with (
        socket_service(echoing) as service,
        gateway_to(service) as front,
        front.client.connect() as wire,
    ):
        await wire.write(raw)
        assert (await wire.reply(to_head=True)).status == 426


@pytest.mark.parametrize(
    ("allowed", "origin", "opens"),
    [
        (("https://app.example.com",), "https://app.example.com", True),
        (("https://app.example.com",), "https://evil.example.com", False),
        (("https://app.example.com",), "null", False),
        (("https://app.example.com",), None, True),
        ((), "https://app.example.com", False),
        (("*",), "https://evil.example.com", True),
    ],
)
async def test_a_page_of_another_origin_opens_none(
    allowed: tuple[str, ...], origin: str | None, opens: bool
) -> None:
    cors = Cors(
        allow_origins=allowed, allow_headers=(), expose_headers=(), allow_credentials=False, max_age_s=1
    )
    setup = Setup(platform=replace(PLATFORM, cors=cors))
    async with socket_service(echoing) as service, gateway_to(service, setup=setup) as front:
        opening = front.open(origin=origin)
        if opens:
            async with opening as socket:
                await socket.send("hello")
                assert await socket.recv() == "hello"
            return
        with pytest.raises(InvalidStatus) as refused:
            await opening
        assert refused.value.response.status_code == 403
        assert front.counts.refusals == ["forbidden"]


async def test_the_parameters_of_a_handshake_are_held_against_the_document() -> None:
    route = replace(SOCKET, parameters=(ROOM,))
    async with socket_service(echoing) as service, gateway_to(service, route) as front:
        with pytest.raises(InvalidStatus) as refused:
            await front.open()
        assert refused.value.response.status_code == 400
        async with front.open(f"{PATH}?room=1") as socket:
            await socket.send("in")
            assert await socket.recv() == "in"


async def test_an_operation_that_is_none_declines_by_answering() -> None:
    async with serving(answering_forever()) as (_, service), gateway_to(service, make_route()) as front:
        reply = await front.client.send(head("GET", PATH, headers=HANDSHAKE))
        assert (reply.status, reply.body, reply.closed) == (200, b"ok", True)


# -- what the service says instead


async def test_what_the_service_answers_instead_is_passed_on() -> None:
    seen: list[bytes] = []

    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nx-why: full\r\n\r\nno")
        seen.append(await wire.reader.read())

    smuggled = head("GET", "/api/v1/things/secret")
    async with serving(script) as (_, service), gateway_to(service) as front:
        reply = await front.client.send(head("GET", PATH, headers=HANDSHAKE) + smuggled)
        assert (reply.status, reply.body, reply.headers["x-why"]) == (403, b"no", "full")
        assert reply.closed, "nothing that follows may be taken for a request"
        await until(lambda: seen == [b""])
    assert front.counts.recorded == [(SOCKET.operation, 403)]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        SWITCHING[:-2] + b"content-length: 3\r\n\r\nabc",
        SWITCHING[:-2] + b"x: 1\r\n" * 200 + b"\r\n",
    ],
    ids=["another protocol", "no option", "no protocol", "a body", "too many fields"],
)
async def test_another_switch_than_was_asked_for_is_none(answer: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.send(answer)
        assert await wire.reader.read() == b""

    async with serving(script) as (_, service), gateway_to(service) as front:
        reply = await front.client.send(head("GET", PATH, headers=HANDSHAKE) + b"bytes")
        assert (reply.status, reply.closed) == (502, True)


async def test_a_service_that_does_not_answer_is_given_up_in_time() -> None:
    async def script(wire: Wire) -> None:
        await wire.request_head()
        await wire.closed()

    setup = Setup(limits=replace(LIMITS, first_byte_s=0.05))
    async with serving(script) as (_, service), gateway_to(service, setup=setup) as front:
        reply = await front.client.send(head("GET", PATH, headers=HANDSHAKE))
        assert reply.status == 504


async def test_a_connection_that_died_unused_is_no_reason_to_refuse() -> None:
    async def once(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request_head()

    plain = make_route(path="/api/v1/plain")
    async with serving(once, switched) as (_, service), gateway_to(service, SOCKET, plain) as front:
        assert (await front.client.request("GET", "/api/v1/plain")).status == 200
        async with tunnel_to(front) as (reader, _):
            assert await reader.read() == b""
