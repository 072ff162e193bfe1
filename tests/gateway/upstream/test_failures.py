"""Services that misbehave: each gets its error, none gets a truncated body passed off as whole."""

from __future__ import annotations

import dataclasses

import pytest
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.errors import (
    UpstreamAborted,
    UpstreamClosed,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dhatu_gateway.core.upstream.types import UpstreamLimits
from gateway.upstream.scripted import (
    LIMITS,
    OK,
    RecordingSink,
    Script,
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

HEAD = b"HTTP/1.1 200 OK\r\n"


def limits(*, first_byte_s: float = LIMITS.first_byte_s, idle_s: float = LIMITS.idle_s) -> UpstreamLimits:
    return dataclasses.replace(LIMITS, first_byte_s=first_byte_s, idle_s=idle_s)


async def silence(wire: Wire) -> None:
    await wire.request()
    await wire.closed()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"hello, world\r\n\r\n", "Expected HTTP/"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "Expected HTTP/"),
        (b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n", "HTTP/2.0"),
        (b"HTTP/2.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n", "HTTP/2.0"),
        (b"HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n", "99"),
        (b"HTTP/1.1 600 High\r\ncontent-length: 0\r\n\r\n", "600"),
        (b"HTTP/1.1 1000 Long\r\ncontent-length: 0\r\n\r\n", "status"),
        (HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\nok!", "Content-Length"),
        (HEAD + b"content-length: 2, 2\r\n\r\nok", "Content-Length"),
        (HEAD + b"content-length: -2\r\n\r\nok", "Content-Length"),
        (HEAD + b"content-length: +2\r\n\r\nok", "Content-Length"),
        (HEAD + b"content-length: 99999999999999999999\r\n\r\nok", "Content-Length"),
        (HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (HEAD + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (
            HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding",
        ),
        (b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.0"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", "chunk size"),
        (HEAD + b"x: a\r\n folded\r\ncontent-length: 0\r\n\r\n", "whitespace"),
        (HEAD + b"x: a\nset-cookie: b\r\ncontent-length: 0\r\n\r\n", "CR"),
        (HEAD + b"x: a\rset-cookie: b\r\ncontent-length: 0\r\n\r\n", "LF"),
        (HEAD + b"x: a\0b\r\ncontent-length: 0\r\n\r\n", "header value"),
        (HEAD + b"x y: a\r\ncontent-length: 0\r\n\r\n", "header token"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            "switched protocols",
        ),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "switched protocols"),
        (b"HTTP/1.1 103 Hints\r\ncontent-length: 2\r\n\r\nok", "interim answer 103 has a body"),
        (HEAD + b"x: y\r\n" * 129 + b"content-length: 0\r\n\r\n", "more than 128 headers"),
        (HEAD + b"x: " + b"y" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n", "larger than 65536 bytes"),
        (HEAD + b"x: " + b"y" * 700_000, "larger than 65536 bytes"),
        (b"HTTP/1.1 103 Hints\r\nx: y\r\n\r\n" * 40_000, "larger than 65536 bytes"),
    ],
)
async def test_a_malformed_answer_is_refused_and_the_next_request_served(answer: bytes, why: str) -> None:
    async def bad(wire: Wire) -> None:
        await wire.request()
        await wire.send(answer)
        await wire.closed()

    async with upstream_of(bad, answering(OK)) as upstream:
        with pytest.raises(UpstreamProtocolError, match=why) as caught:
            await exchange(upstream)
        assert (caught.value.service, caught.value.unsent) == ("corpus", False)
        assert (await exchange(upstream)).content == b"ok"


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize(
    "part",
    [b"", b"HTTP/1.", HEAD + b"content-le", b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=["nothing", "part of the first line", "part of the head", "an interim answer"],
)
async def test_a_connection_closed_before_the_head_is_over(part: bytes, method: bytes) -> None:
    async with serving(answering_and_closing(part)) as (service, endpoint), upstream_to(endpoint) as upstream:
        with pytest.raises(UpstreamClosed, match="closed the connection") as caught:
            await exchange(upstream, request_for(method))
    assert not caught.value.stale
    assert service.connections == 1, "a new connection that dies is no reason to send a request twice"


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "part",
    [HEAD + b"content-length: 10\r\n\r\nshort", HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nshort\r\n"],
    ids=["length", "chunked"],
)
async def test_a_short_body_is_never_passed_off_as_whole(part: bytes, reset: bool) -> None:
    sink = RecordingSink()

    async def short(wire: Wire) -> None:
        await wire.request()
        await wire.send(part)
        await sink.arrived.wait()
        if reset:
            wire.abort()

    async with upstream_of(short, answering(OK)) as upstream:
        with pytest.raises(UpstreamAborted, match="closed the connection in the middle") as caught:
            await upstream.forward(request_for(), sink)
        assert isinstance(caught.value.__cause__, UpstreamClosed)
        assert (sink.content, sink.finished) == (b"short", False)
        assert (await exchange(upstream)).content == b"ok"


async def test_a_reset_ends_no_body_that_only_an_orderly_end_completes() -> None:
    sink = RecordingSink()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(HEAD + b"\r\npart")
        await sink.arrived.wait()
        wire.abort()

    async with upstream_of(script) as upstream:
        with pytest.raises(UpstreamAborted):
            await upstream.forward(request_for(), sink)
    assert not sink.finished


async def test_garbage_in_the_middle_of_a_body_breaks_it_off() -> None:
    sink = RecordingSink()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n")
        await sink.arrived.wait()
        await wire.send(b"not a chunk\r\n")
        await wire.closed()

    async with upstream_of(script) as upstream:
        with pytest.raises(UpstreamAborted, match="malformed"):
            await upstream.forward(request_for(), sink)
    assert not sink.finished


@pytest.mark.parametrize(
    "endless",
    [b"2;" + b"x" * 65_536, b"0\r\n" + b"x: y\r\n" * 20_000, b"0\r\nx: " + b"y" * 100_000],
    ids=["a chunk extension", "trailers", "one trailer"],
)
async def test_framing_without_end_is_refused(endless: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n")
        for _ in range(20):
            await wire.send(endless[:65_536], endless[65_536:])
        await wire.closed()

    async with upstream_of(script) as upstream:
        with pytest.raises((UpstreamProtocolError, UpstreamAborted), match="malformed"):
            await exchange(upstream)


async def test_an_answer_beyond_its_length_is_cut_there() -> None:
    long = HEAD + b"content-length: 2\r\n\r\nok, and more than was promised"
    async with (
        serving(answering(long), answering(OK)) as (service, endpoint),
        upstream_to(endpoint) as upstream,
    ):
        assert (await exchange(upstream)).content == b"ok"
        assert (await exchange(upstream)).content == b"ok"
    assert service.connections == 2


@pytest.mark.parametrize(
    ("phase", "changed", "deadline_s"),
    [("first_byte", {"first_byte_s": 0.05}, 5), ("total", {}, 0.05), ("total", {"first_byte_s": 0.1}, 0.05)],
)
async def test_a_service_that_never_answers(phase: str, changed: dict[str, float], deadline_s: float) -> None:
    async with upstream_of(silence, limits=limits(**changed)) as upstream:
        with pytest.raises(UpstreamTimeout) as caught:
            await exchange(upstream, request_for(deadline_s=deadline_s))
    assert (caught.value.phase, caught.value.unsent, caught.value.service) == (phase, False, "corpus")


async def test_half_a_head_does_not_stop_the_clock() -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(HEAD)
        await wire.closed()

    async with upstream_of(script, limits=limits(first_byte_s=0.05)) as upstream:
        with pytest.raises(UpstreamTimeout) as caught:
            await exchange(upstream)
    assert caught.value.phase == "first_byte"


@pytest.mark.parametrize(("idle_s", "deadline_s", "phase"), [(0.05, 5, "idle"), (2, 0.1, "total")])
async def test_a_body_that_stops_coming_is_broken_off(idle_s: float, deadline_s: float, phase: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(HEAD + b"content-length: 10\r\n\r\nhalf")
        await wire.closed()

    async with upstream_of(script, limits=limits(idle_s=idle_s)) as upstream:
        with pytest.raises(UpstreamAborted) as caught:
            await exchange(upstream, request_for(deadline_s=deadline_s))
    cause = caught.value.__cause__
    assert isinstance(cause, UpstreamTimeout)
    assert cause.phase == phase


async def test_a_refused_connection_is_unavailable() -> None:
    async with serving(silence) as (_, endpoint):
        pass  # the port is free again
    async with upstream_to(endpoint) as upstream:
        with pytest.raises(UpstreamUnavailable, match="cannot be reached") as caught:
            await exchange(upstream)
    assert caught.value.unsent
    assert isinstance(caught.value.__cause__, OSError)


async def test_an_unknown_host_is_unavailable() -> None:
    async with upstream_to(Endpoint(host="no-such-host.invalid", port=80)) as upstream:
        with pytest.raises(UpstreamUnavailable, match="no-such-host"):
            await exchange(upstream)


async def test_another_endpoint_takes_what_one_could_not() -> None:
    async with serving(silence) as (_, dead):
        pass
    async with serving(answering_forever()) as (_, alive), upstream_to(dead, alive) as upstream:
        for _ in range(4):
            assert (await exchange(upstream, request_for(b"POST", b"x"))).content == b"ok"


async def test_a_deadline_that_has_passed_sends_nothing() -> None:
    async with serving(answering_forever()) as (service, endpoint), upstream_to(endpoint) as upstream:
        for connections in (0, 1):
            with pytest.raises(UpstreamTimeout) as caught:
                await exchange(upstream, request_for(deadline_s=-1))
            assert caught.value.phase == "total"
            assert service.connections == connections
            await exchange(upstream)


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"HEAD"])
async def test_an_idle_connection_that_dies_unheard_is_replaced_for_idempotent_requests(
    method: bytes,
) -> None:
    async with serving(dying(1), answering(OK)) as (service, endpoint), upstream_to(endpoint) as upstream:
        await exchange(upstream)
        assert (await exchange(upstream, request_for(method))).status == 200
    assert service.connections == 2


@pytest.mark.parametrize("method", [b"POST", b"PATCH"])
async def test_other_requests_are_never_sent_twice(method: bytes) -> None:
    async with serving(dying(1), answering(OK)) as (service, endpoint), upstream_to(endpoint) as upstream:
        await exchange(upstream)
        with pytest.raises(UpstreamClosed, match="before it answered"):
            await exchange(upstream, request_for(method, b"x"))
    assert service.connections == 1


async def test_a_request_is_repeated_once_only() -> None:
    async with serving(dying(1), dying(0)) as (service, endpoint), upstream_to(endpoint) as upstream:
        await exchange(upstream)
        with pytest.raises(UpstreamClosed):
            await exchange(upstream)
    assert service.connections == 2


def dying(answers: int) -> Script:
    """Answer so many requests, and close when the next has come."""

    async def script(wire: Wire) -> None:
        for _ in range(answers):
            await wire.request()
            await wire.send(OK)
        await wire.request()

    return script
