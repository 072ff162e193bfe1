"""The transport over real sockets: what a server can do wrong, and what the caller is told."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections.abc import Callable, Iterator
from typing import ClassVar

import httpx
import pytest
from dhatu_client._breaker import BreakerPolicy
from dhatu_client._call import ApiSpec, BodySpec
from dhatu_client._client import AsyncAPIClient
from dhatu_client._errors import (
    APIStatusError,
    ArgumentError,
    CallTimeoutError,
    ConnectionFailedError,
    ConnectionLostError,
    ContentTooLargeError,
    TransportError,
)
from sdk.support import API, Caller, Server, answer, operation

Connect = Callable[..., Caller]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SHORT_S = 0.2


class SampleAPI(AsyncAPIClient):
    _api: ClassVar[ApiSpec] = API


class Peer:
    """Accepts connections on loopback, reads one request head from each, answers, and keeps what it read."""

    def __init__(self, reply: bytes, *, hang: bool = False) -> None:
        self._reply = reply
        self._hang = hang
        self._over = threading.Event()
        self._next = threading.Semaphore(0)
        self.arrived = threading.Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._over.is_set():
                    return
                head = b""
                while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                    head += piece
                if not head:
                    continue
                self.heads.append(head)
                self.arrived.release()
                connection.sendall(self._reply)
                if self._hang:
                    self._next.acquire(timeout=10)

    def let_go(self) -> None:
        """Go on to the next connection of a server that hangs."""
        self._next.release()

    def close(self) -> None:
        self._over.set()
        self.let_go()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(reply: bytes, *, hang: bool = False) -> Peer:
        peers.append(Peer(reply, hang=hang))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


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


def test_the_beginning_of_a_stream_has_the_time_of_the_call(connect: Connect) -> None:
    read_s: list[float] = []

    def serve(request: httpx.Request) -> httpx.Response:
        read_s.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: 1\n\n")

    server = Server(serve)
    caller = connect(server)
    events = operation(responses=(answer("sse", "text/event-stream"),))
    stream = caller.call(events, options={"timeout_s": 30, "event_idle_s": 2})
    assert (read_s, server.request.extensions["timeout"]["read"]) == ([30], 2)
    assert caller.items(stream) == [1]


def test_a_body_that_raises_is_the_callers_own_error(connect: Connect, serve: Callable[..., Peer]) -> None:
    peer = serve(HEAD + b"Content-Length: 2\r\n\r\n{}", hang=True)

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

    peer = serve(HEAD + b"Content-Length: 2\r\n\r\n{}")
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
    serve: Callable[..., Peer],
) -> None:
    peer = serve(HEAD, hang=True)
    async with SampleAPI(base_url=peer.url) as client:
        for _ in range(BreakerPolicy().failures):
            task = asyncio.create_task(client.call(operation(), {}, {}))
            await asyncio.to_thread(peer.arrived.acquire)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            peer.let_go()
        with pytest.raises(CallTimeoutError):
            await client.call(operation(), {}, {"timeout_s": SHORT_S, "max_retries": 0})


def test_closing_closes_only_what_the_client_made(connect: Connect) -> None:
    lent = connect(Server(httpx.Response(200, json=1)))
    own = connect()
    for caller in (lent, own):
        caller.shut()
    assert lent.call(operation()) == 1
    with pytest.raises(RuntimeError, match="closed"):
        own.call(operation())
