"""Proper answers in all their forms, and the connections they leave behind."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.upstream.types import UpstreamRequest
from gateway.upstream.scripted import (
    OK,
    RawRequest,
    Wire,
    answering,
    answering_and_closing,
    answering_forever,
    exchange,
    request_for,
    serving,
    upstream_of,
    upstream_to,
)

CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"3\r\nsam\r\n7;x=y\r\nskrtam!\r\n0\r\nx-sum: 1\r\n\r\n"
)


async def test_a_small_answer_reaches_the_sink_in_one_piece() -> None:
    async with upstream_of(answering(OK)) as upstream:
        sink = await exchange(upstream)
    assert (sink.status, sink.headers, sink.pieces, sink.finished) == (
        200,
        [(b"content-length", b"2")],
        [b"ok"],
        True,
    )


async def test_the_request_arrives_as_it_was_given() -> None:
    seen: list[RawRequest] = []

    async def script(wire: Wire) -> None:
        seen.append(await wire.request())
        await wire.send(OK)

    async with serving(script) as (_, endpoint), upstream_to(endpoint) as upstream:
        await exchange(upstream, request_for(b"POST", b'{"text": "x"}'))
    assert seen == [
        RawRequest(
            line=b"POST /api/v1/things?q=1 HTTP/1.1",
            headers=(
                (b"host", f"127.0.0.1:{endpoint.port}".encode()),
                (b"accept", b"*/*"),
                (b"content-length", b"13"),
            ),
            body=b'{"text": "x"}',
        )
    ]


async def test_a_get_without_a_body_announces_none_and_a_post_announces_an_empty_one() -> None:
    seen: list[RawRequest] = []

    async def script(wire: Wire) -> None:
        for _ in range(2):
            seen.append(await wire.request())
            await wire.send(OK)

    async with upstream_of(script) as upstream:
        await exchange(upstream, request_for(b"GET"))
        await exchange(upstream, request_for(b"POST"))
    assert [request.values(b"content-length") for request in seen] == [[], [b"0"]]


async def test_a_large_body_is_sent_whole() -> None:
    seen: list[bytes] = []

    async def script(wire: Wire) -> None:
        seen.append((await wire.request()).body)
        await wire.send(OK)

    body = bytes(range(256)) * 8192
    async with upstream_of(script) as upstream:
        await exchange(upstream, request_for(b"POST", body))
    assert seen == [body]


@pytest.mark.parametrize(
    "target", [b"/a b", b"/a\r\nx: y", b"/a\n", b"/a\0"], ids=["space", "crlf", "lf", "nul"]
)
async def test_a_target_that_would_become_two_requests_is_never_sent(target: bytes) -> None:
    async with serving(answering_forever()) as (service, endpoint), upstream_to(endpoint) as upstream:
        request = request_for()
        request.target = target
        with pytest.raises(ValueError, match="line break, NUL or space"):
            await exchange(upstream, request)
        assert (await exchange(upstream)).status == 200
    assert service.connections == 2


@pytest.mark.parametrize("field", [(b"x", b"a\r\nb: c"), (b"x\n", b"a"), (b"x", b"a\rb"), (b"x", b"\0")])
async def test_a_header_that_would_become_two_is_never_sent(field: tuple[bytes, bytes]) -> None:
    async with upstream_of(answering_forever()) as upstream:
        request = request_for()
        request.headers.append(field)
        with pytest.raises(ValueError, match="line break, NUL or space"):
            await exchange(upstream, request)


async def test_a_connection_is_used_again() -> None:
    async with serving(answering_forever()) as (service, endpoint), upstream_to(endpoint) as upstream:
        for _ in range(5):
            assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        OK + b"bytes that belong to no answer",
        OK + OK,
        OK + b"HTTP/1.1 ",
    ],
    ids=[
        "connection: close",
        "HTTP/1.0",
        "bytes beyond the end",
        "a second answer nobody asked for",
        "the beginning of one",
    ],
)
async def test_a_connection_that_must_not_be_used_again_is_not(answer: bytes) -> None:
    async with serving(answering(answer)) as (service, endpoint), upstream_to(endpoint) as upstream:
        for _ in range(2):
            sink = await exchange(upstream)
            assert (sink.content, sink.finished) == (b"ok", True)
    assert service.connections == 2


async def test_chunks_are_joined_and_their_framing_and_trailers_stay_behind() -> None:
    async with serving(answering(CHUNKED, OK)) as (service, endpoint), upstream_to(endpoint) as upstream:
        sink = await exchange(upstream)
        assert (sink.content, sink.headers, sink.finished) == (b"samskrtam!", [], True)
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 1


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async with upstream_of(answering_and_closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as upstream:
        sink = await exchange(upstream)
    assert (sink.content, sink.finished) == (b"all of it", True)


async def test_an_empty_answer_without_a_length_ends_with_the_connection() -> None:
    async with upstream_of(answering_and_closing(b"HTTP/1.1 200 OK\r\n\r\n")) as upstream:
        sink = await exchange(upstream)
    assert (sink.content, sink.finished) == (b"", True)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("length", [b"", b"content-length: 10\r\n"])
async def test_an_answer_without_content_is_complete_with_its_head(status: int, length: bytes) -> None:
    answer = b"HTTP/1.1 %d X\r\netag: 1\r\n%b\r\n" % (status, length)
    async with serving(answering(answer, OK)) as (service, endpoint), upstream_to(endpoint) as upstream:
        sink = await exchange(upstream)
        assert (sink.status, sink.headers, sink.pieces) == (status, [(b"etag", b"1")], [b""])
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 1


@pytest.mark.parametrize(
    "framing",
    [b"content-length: 10\r\n", b"transfer-encoding: chunked\r\n", b""],
    ids=["length", "chunked", "none"],
)
async def test_an_answer_to_head_has_no_body_and_leaves_the_connection_usable(framing: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\n%b\r\n" % framing
    async with (
        serving(answering(answer, answer, OK)) as (service, endpoint),
        upstream_to(endpoint) as upstream,
    ):
        for _ in range(2):
            sink = await exchange(upstream, request_for(b"HEAD"))
            assert (sink.content, sink.finished) == (b"", True)
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 1


async def test_the_length_of_an_answer_to_head_is_passed_on() -> None:
    async with upstream_of(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")) as upstream:
        assert (await exchange(upstream, request_for(b"HEAD"))).headers == [(b"content-length", b"10")]


async def test_a_body_after_an_answer_to_head_reaches_nobody() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno"
    async with (
        serving(answering(answer), answering(OK)) as (service, endpoint),
        upstream_to(endpoint) as upstream,
    ):
        assert (await exchange(upstream, request_for(b"HEAD"))).content == b""
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 2


@pytest.mark.parametrize(
    "interim", [b"100 Continue\r\n", b"103 Early Hints\r\nlink: </a.css>\r\n", b"199 Odd\r\n"]
)
async def test_interim_answers_are_skipped(interim: bytes) -> None:
    async with upstream_of(answering((b"HTTP/1.1 " + interim + b"\r\n") * 2 + OK)) as upstream:
        sink = await exchange(upstream)
    assert (sink.status, sink.headers, sink.content) == (200, [(b"content-length", b"2")], b"ok")


async def test_headers_of_one_connection_stay_behind() -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Internal\r\nKeep-Alive: timeout=5\r\nX-Internal: 1\r\n"
        b"Set-Cookie: a\r\nSet-Cookie: b\r\nUpgrade: h2c\r\nProxy-Authenticate: Basic\r\nTrailer: X-Sum\r\n"
    )
    async with upstream_of(answering(head + b"Content-Length: 0\r\n\r\n")) as upstream:
        sink = await exchange(upstream)
    assert sink.headers == [(b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"0")]


async def test_connection_cannot_take_the_length_of_an_answer_away() -> None:
    answer = b"HTTP/1.1 200 OK\r\nconnection: content-length\r\ncontent-length: 2\r\n\r\nok"
    async with upstream_of(answering(answer)) as upstream:
        assert (await exchange(upstream)).headers == [(b"content-length", b"2")]


async def test_an_answer_in_single_bytes_is_the_same_answer() -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(*(CHUNKED[i : i + 1] for i in range(len(CHUNKED))))

    async with upstream_of(script) as upstream:
        sink = await exchange(upstream)
    assert (sink.status, sink.content, sink.finished) == (200, b"samskrtam!", True)


async def test_error_answers_of_the_service_are_answers() -> None:
    async with upstream_of(
        answering(b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n")
    ) as upstream:
        sink = await exchange(upstream)
    assert (sink.status, sink.headers[0]) == (503, (b"retry-after", b"1"))


async def test_what_the_sink_raises_comes_out_and_costs_no_connection() -> None:
    class Refusing:
        def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
            raise LookupError(f"no use for {status}")

        async def body(self, chunk: bytes, more: bool) -> None:
            raise AssertionError("start has refused the answer")

        async def client_gone(self) -> None:
            raise AssertionError("the exchange was quick")

    async with serving(answering_forever()) as (service, endpoint), upstream_to(endpoint) as upstream:
        request: UpstreamRequest = request_for()
        with pytest.raises(LookupError, match="no use for 200"):
            await upstream.forward(request, Refusing())
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 1
