"""Whatever a client does to a connection gets a problem or a clean close, and the next one is served."""

from __future__ import annotations

import asyncio

import pytest
from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import Body, MediaType
from gateway.support import compose, head, make_route, serving, validate

GET = make_route()
ANY = Body(required=False, media_types=(MediaType(media_type="*/*", schema="", kind="stream", parts=()),))
POST = make_route("POST", body=ANY, validate=validate("off"))
OK = head("GET", "/api/v1/things")

SMALL = ServerLimits(max_target_bytes=200, max_header_bytes=1_000, max_headers=20)
QUICK = ServerLimits(
    header_timeout_s=0.05,
    body_grace_s=0.05,
    min_body_bytes_per_s=1e9,
    keep_alive_s=0.05,
    linger_s=0.05,
    tick_s=0.01,
)

CHUNKED = "Transfer-Encoding: chunked\r\n"


def raw(*lines: str, method: str = "POST", body: bytes = b"") -> bytes:
    fields = "".join(f"{line}\r\n" for line in ("Host: a", *lines))
    return f"{method} /api/v1/things HTTP/1.1\r\n{fields}\r\n".encode() + body


MALFORMED = {
    "two equal lengths": (raw("Content-Length: 2", "Content-Length: 2", body=b"{}"), 400),
    "two lengths": (raw("Content-Length: 2", "Content-Length: 3", body=b"{}"), 400),
    "a list of lengths": (raw("Content-Length: 2, 2", body=b"{}"), 400),
    "a negative length": (raw("Content-Length: -1"), 400),
    "a length that is no number": (raw("Content-Length: 0x2", body=b"{}"), 400),
    "length and chunks": (raw("Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "chunks and length": (raw("Transfer-Encoding: chunked", "Content-Length: 2", body=b"0\r\n\r\n"), 400),
    "another coding": (raw("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 400),
    "chunked twice": (
        raw("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        400,
    ),
    "chunked in disguise": (raw("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), 400),
    "a bad chunk size": (raw("Transfer-Encoding: chunked", body=b"zz\r\n"), 400),
    "a chunk without its end": (raw("Transfer-Encoding: chunked", body=b"1\r\nab\r\n"), 400),
    "two hosts": (raw("Host: b", method="GET"), 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "a host with a path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "a host with a user": (b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
    "two credentials": (raw("Authorization: x", "Authorization: y", method="GET"), 400),
    "a space before the colon": (raw("X-Odd : 1", method="GET"), 400),
    "a folded header": (raw("X-Odd: 1", " 2", method="GET"), 400),
    "a NUL in a header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400),
    "a bare line feed": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another version": (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 400),
    "no HTTP": (b"hello there\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a tunnel": (b"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", 405),
    "an unknown expectation": (raw("Expect: miracles", "Content-Length: 2"), 417),
    "an unknown expectation of chunks": (raw("Expect: miracles", "Transfer-Encoding: chunked"), 417),
    "a long target": (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "an endless target": (b"GET /" + b"a" * 5_000, 414),
    "a large header": (raw("X: " + "a" * 1_100, method="GET"), 431),
    "an endless header": (raw(method="GET")[:-2] + b"X: " + b"a" * 5_000, 431),
    "many headers": (raw(*(f"X-{n}: 1" for n in range(20)), method="GET"), 431),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_request_gets_a_problem_and_its_connection_is_closed(name: str) -> None:
    data, status = MALFORMED[name]
    async with serving(compose(GET, POST).edge, SMALL) as client:
        reply = await client.send(data)
        assert (reply.status, reply.json["status"]) == (status, status)
        assert reply.headers["content-type"] == "application/problem+json"
        assert len(reply.json["detail"]) > 10
        assert reply.closed
        assert (await client.send(OK)).status == 200


async def test_one_byte_at_a_time_is_fine() -> None:
    bench = compose(POST)
    async with serving(bench.edge) as client, client.connect() as wire:
        for byte in head("POST", "/api/v1/things?q=1", b"abc") + OK.replace(b"GET", b"POST"):
            await wire.write(bytes((byte,)))
        first, second = await wire.reply(), await wire.reply()
    assert (first.json["body"], first.json["target"]) == ("abc", "/api/v1/things?q=1")
    assert second.json["body"] == ""


async def test_pipelined_requests_are_answered_in_order_and_the_bad_one_last() -> None:
    async with serving(compose(POST).edge) as client, client.connect() as wire:
        requests = [head("POST", f"/api/v1/things?n={n}", b"abc") for n in range(5)]
        await wire.write(b"".join(requests) + raw("Content-Length: x") + OK)
        replies = [await wire.reply() for _ in range(6)]
        assert [reply.json["target"][-1] for reply in replies[:5]] == list("01234")
        assert (replies[5].status, replies[5].closed) == (400, True)


async def test_what_was_refused_never_reaches_the_application() -> None:
    seen: list[Scope] = []
    edge = compose(POST).edge

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await edge(scope, receive, send)

    async with serving(application) as client, client.connect() as wire:
        await wire.write(head("POST", "/api/v1/things", b"abc") + raw("Content-Length: x"))
        replies = [await wire.reply() for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 400]
    assert [scope["method"] for scope in seen if scope.get("type") != "lifespan"] == ["POST"]


async def test_chunked_bodies_arrive_whole() -> None:
    async with serving(compose(POST).edge) as client:
        reply = await client.send(
            raw("Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n")
        )
        assert (reply.json["body"], reply.json["content_length"]) == ("abcde", None)


async def test_the_body_is_asked_for_only_where_it_is_wanted() -> None:
    async with serving(compose(POST).edge) as client:
        async with client.connect() as wire:
            await wire.write(raw("Expect: 100-Continue", "Content-Length: 3"))
            assert (await wire.reply(to_head=True)).status == 100
            await wire.write(b"abc")
            assert (await wire.reply()).json["body"] == "abc"
        reply = await client.send(raw("Expect: 100-continue", "Content-Length: 1001"))
        assert (reply.status, reply.closed) == (413, True)


async def test_an_upgrade_is_declined_by_answering() -> None:
    async with serving(compose(GET, POST).edge) as client:
        upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
        assert (await client.send(raw(*upgrade, method="GET"))).status == 200
        reply = await client.send(raw(*upgrade, "Content-Length: 3", body=b"abc"))
        assert (reply.status, reply.closed) == (400, True)


async def test_http_1_0_is_closed_after_the_answer() -> None:
    async with serving(compose(GET).edge) as client:
        reply = await client.send(b"GET http://elsewhere/api/v1/things HTTP/1.0\r\n\r\n")
        assert (reply.status, reply.closed) == (200, True)


async def test_head_has_the_headers_and_no_body() -> None:
    async with serving(compose(GET).edge) as client, client.connect() as wire:
        await wire.write(head("HEAD", "/api/v1/things"))
        reply = await wire.reply(to_head=True)
        assert int(reply.headers["content-length"]) > 0
        await wire.write(OK)
        assert (await wire.reply()).status == 200


# -- slowness


@pytest.mark.parametrize("field", [b"Host: a/b", b"Host: a\r\nExpect: something"])
async def test_a_refused_head_has_no_body_either(field: bytes) -> None:
    async with serving(compose(GET).edge) as client, client.connect() as wire:
        await wire.write(b"HEAD /api/v1/things HTTP/1.1\r\n" + field + b"\r\n\r\n")
        reply = await wire.reply(to_head=True)
        assert reply.status in (400, 417)
        assert int(reply.headers["content-length"]) > 0
        assert reply.closed


async def test_headers_that_come_too_slowly_get_408() -> None:
    async with serving(compose(GET).edge, QUICK) as client:
        reply = await client.send(OK[:-4])
        assert (reply.status, reply.json["title"], reply.closed) == (408, "Request timeout", True)


async def test_a_connection_that_sends_nothing_is_closed() -> None:
    async with serving(compose(GET).edge, QUICK) as client, client.connect() as wire:
        assert await wire.closed() == b""


async def test_an_idle_connection_is_closed() -> None:
    async with serving(compose(GET).edge, QUICK) as client, client.connect() as wire:
        await wire.write(OK)
        assert (await wire.reply()).status == 200
        assert await wire.closed() == b""


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_body_that_comes_too_slowly_gets_408(framing: str) -> None:
    bench = compose(POST)
    async with serving(bench.edge, QUICK) as client:
        reply = await client.send(raw(framing, body=b"3\r\nabc"))
        assert (reply.status, reply.closed) == (408, True)
    assert bench.counts.refusals == ["request-timeout"]
    assert bench.counts.in_flight == 0


async def test_a_slow_service_is_not_the_clients_fault() -> None:
    bench = compose(GET)
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: object, body: bytes, sink: object) -> None:
        waiting.set()
        await go_on.wait()
        raise ConnectionResetError

    bench.upstream.answer = slow
    async with serving(bench.edge, QUICK) as client, client.connect() as wire:
        await wire.write(OK)
        await waiting.wait()
        with pytest.raises(TimeoutError):  # four times as long as anything else may take
            await asyncio.wait_for(wire.reader.read(), 0.2)
        go_on.set()
        assert await wire.closed() == b""


# -- the application's side


async def test_a_client_that_leaves_is_noticed() -> None:
    gone = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        with pytest.raises(ConnectionResetError):
            await send({"type": "http.response.start", "status": 200, "headers": []})
        gone.set()

    async with serving(application) as client:
        async with client.connect() as wire:
            await wire.write(OK)
        async with asyncio.timeout(5):
            await gone.wait()


async def test_a_client_that_does_not_read_is_let_go() -> None:
    outcome: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
        except ConnectionResetError as error:
            outcome.set_result(error)
            raise

    async with serving(application, ServerLimits(write_stall_s=0.05)) as client, client.connect() as wire:
        await wire.write(OK)
        async with asyncio.timeout(5):
            assert "closed" in str(await outcome)


@pytest.mark.parametrize(
    "headers",
    [[(b"x", b"a\r\nSet-Cookie: b")], [(b"x\r\ny", b"a")], [(b"x", b"a\x00")]],
    ids=["value", "name", "nul"],
)
async def test_a_header_cannot_become_two(
    headers: list[tuple[bytes, bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async with serving(application) as client:
        reply = await client.send(OK)
    assert (reply.status, "set-cookie" in reply.headers) == (500, False)
    assert "line break or a NUL" in caplog.text


@pytest.mark.parametrize("length", [b"2", b"4"])
async def test_an_answer_of_the_wrong_length_is_cut_off(
    length: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": b"abc"})

    async with serving(application) as client, client.connect() as wire:
        await wire.write(OK)
        assert await wire.closed() == b""
    assert "has not the length" in caplog.text


async def test_a_broken_off_answer_does_not_look_whole() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})

    async with serving(application) as client, client.connect() as wire:
        await wire.write(OK)
        assert not (await wire.closed()).endswith(b"0\r\n\r\n")


async def test_large_bodies_flow_both_ways_with_backpressure() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    body = bytes(range(256)) * 8_000
    async with serving(application) as client, client.connect() as wire:
        sending = asyncio.create_task(wire.write(head("POST", "/", body)))
        reply = await wire.reply()
        await sending
    assert reply.body == body


async def test_the_unread_rest_of_a_refused_body_does_not_drown_the_answer() -> None:
    async with serving(compose(POST).edge) as client, client.connect() as wire:
        sending = asyncio.create_task(wire.write(head("POST", "/api/v1/things", bytes(3_000_000))))
        reply = await wire.reply()
        assert (reply.status, reply.json["title"]) == (413, "Content too large")
        await asyncio.gather(sending, return_exceptions=True)
