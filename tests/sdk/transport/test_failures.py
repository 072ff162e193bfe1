"""The transport over real sockets: what a server can do wrong, and what the caller is told."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dhatu_client._call import BodySpec
from dhatu_client._errors import (
    APIStatusError,
    ArgumentError,
    CallTimeoutError,
    ConnectionFailedError,
    ConnectionLostError,
    ContentTooLargeError,
    TransportError,
)
from dhatu_client._policies.breaker import BreakerPolicy
from sdk.support import answer, operation
from sdk.transport.peers import HEAD, Connect, Peer, SampleAPI

SHORT_S = 0.2


def test_a_call_over_a_socket(connect: Connect, serve: Callable[..., Peer]) -> None:
    peer = serve(HEAD + b'Content-Length: 9\r\n\r\n{"a": 1}\n')
    assert connect(base_url=peer.url).call(operation()) == {"a": 1}
    assert peer.heads[0].startswith(b"GET /documents HTTP/1.1\r\n")


@pytest.mark.parametrize("reply", [b"", HEAD, HEAD + b"Content-Length: 100\r\n\r\n{"])
def test_a_server_that_never_finishes_is_given_up(
    connect: Connect, serve: Callable[..., Peer], reply: bytes
) -> None:
    peer = serve(reply, hang=True)
    with pytest.raises(CallTimeoutError, match=r"no complete answer within 0\.2 s"):
        connect(base_url=peer.url, max_retries=0).call(operation(), options={"timeout_s": SHORT_S})


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00\x01garbage\r\n\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["nothing", "garbage", "short", "bad chunk", "not gzip"],
)
def test_a_broken_answer_is_a_lost_connection(
    connect: Connect, serve: Callable[..., Peer], reply: bytes
) -> None:
    peer = serve(reply)
    caller = connect(base_url=peer.url, max_retries=1)
    with pytest.raises(ConnectionLostError, match="after 2 attempts"):
        caller.call(operation())
    assert len(peer.heads) == 2
    with pytest.raises(ConnectionLostError):
        caller.call(operation(method="POST", retry="never"))
    assert len(peer.heads) == 3


def test_a_refused_connection_is_tried_again_even_for_a_write(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    caller = connect(base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(ConnectionFailedError, match="check base_url") as raised:
        caller.call(operation(method="POST", retry="never"))
    assert (raised.value.attempts, len(caller.time.slept)) == (3, 2)


def test_an_early_no_is_heard_while_the_body_is_still_going_out(
    connect: Connect, serve: Callable[..., Peer]
) -> None:
    peer = serve(
        b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", hang=True
    )
    body = BodySpec(media_type="application/octet-stream", kind="binary", argument="content")
    with pytest.raises((ContentTooLargeError, TransportError)) as raised:
        connect(base_url=peer.url, max_retries=0).call(
            operation(method="POST", retry="never", bodies=(body,)), content=[b"x" * 65536] * 4
        )
    assert isinstance(raised.value, APIStatusError | ConnectionLostError)


def test_events_arrive_before_the_stream_ends(connect: Connect, serve: Callable[..., Peer]) -> None:
    peer = serve(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\r\n\r\n", hang=True)
    caller = connect(base_url=peer.url)
    stream = caller.call(operation(responses=(answer("sse", "text/event-stream"),)))
    assert caller.first(stream) == 1


@pytest.mark.parametrize("option", ["timeout_s", "event_idle_s"])
def test_a_stream_that_falls_silent_is_given_up(
    connect: Connect, serve: Callable[..., Peer], option: str
) -> None:
    peer = serve(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\r\n\r\n", hang=True)
    caller = connect(base_url=peer.url)
    stream = caller.call(
        operation(responses=(answer("sse", "text/event-stream"),)), options={option: SHORT_S}
    )
    with pytest.raises(CallTimeoutError):
        caller.items(stream)


def test_the_beginning_of_a_stream_has_the_time_of_the_call(
    connect: Connect, serve: Callable[..., Peer]
) -> None:
    peer = serve(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\r\n\r\n", late=True)
    soon = threading.Timer(0.1, peer.let_go)
    soon.start()
    caller = connect(base_url=peer.url)
    stream = caller.call(
        operation(responses=(answer("sse", "text/event-stream"),)), options={"event_idle_s": 0.02}
    )
    assert caller.first(stream) == 1
    soon.join()


def test_a_body_that_raises_is_the_callers_own_error(connect: Connect, serve: Callable[..., Peer]) -> None:
    peer = serve(b"", late=True)

    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise KeyError("mine")

    body = BodySpec(media_type="application/octet-stream", kind="binary", argument="content")
    with pytest.raises(KeyError, match="mine"):
        connect(base_url=peer.url).call(operation(method="POST", bodies=(body,)), content=chunks())


@pytest.mark.parametrize("pieces", [[b"ab"], [b"ab", b"cd"]], ids=["shrank", "grew"])
def test_a_file_that_changes_its_size_is_refused(
    connect: Connect, serve: Callable[..., Peer], pieces: list[bytes]
) -> None:
    class Changing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return pieces.pop(0) if pieces else b""

    peer = serve(b"", late=True)
    body = BodySpec(media_type="application/octet-stream", kind="binary", argument="content")
    with pytest.raises(ArgumentError, match="changed its size"):
        connect(base_url=peer.url).call(operation(method="POST", bodies=(body,)), content=Changing(b"abc"))


@pytest.mark.parametrize(
    "headers", [{"Content-Length": "1"}, {"Transfer-Encoding": "chunked"}, {"not a name": "x"}, {"X": "a\nb"}]
)
def test_headers_that_would_break_the_message_are_refused(
    connect: Connect, serve: Callable[..., Peer], headers: dict[str, str]
) -> None:
    peer = serve(HEAD + b"Content-Length: 2\r\n\r\n{}")
    with pytest.raises(ArgumentError):
        connect(base_url=peer.url).call(operation(), options={"extra_headers": headers})
    assert peer.heads == []


async def test_a_cancelled_call_ends_at_once_and_says_nothing_of_the_server(
    serve: Callable[..., Peer], library: Any
) -> None:
    peer = serve(HEAD, hang=True)
    async with SampleAPI(base_url=peer.url, http_client=library) as client:
        for _ in range(BreakerPolicy().failures):
            task = asyncio.create_task(client.call(operation(), {}, {}))
            await asyncio.to_thread(peer.arrived.acquire)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            peer.let_go()
        with pytest.raises(CallTimeoutError):
            await client.call(operation(), {}, {"timeout_s": SHORT_S, "max_retries": 0})


def test_nothing_is_sent_after_closing(connect: Connect, serve: Callable[..., Peer]) -> None:
    peer = serve(HEAD + b"Content-Length: 2\r\n\r\n{}")
    used, fresh = connect(base_url=peer.url), connect(base_url=peer.url)
    used.call(operation())
    for caller in (used, fresh):
        caller.shut()
        with pytest.raises(RuntimeError, match="closed"):
            caller.call(operation())
    assert len(peer.heads) == 1
