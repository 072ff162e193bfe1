"""Connections that really break: over sockets on loopback, in the middle of events and of files."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dhatu_client import ConnectionLostError, Progress
from dhatu_client._call import BodySpec
from sdk.files import BYTES, WHOLE, names
from sdk.support import Caller, answer, operation

Connect = Callable[..., Caller]
EVENTS = operation(responses=(answer("sse", "text/event-stream"),))
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Breaking:
    """Answers one connection after the other with what was written down, and hangs up when it is told to.

    What arrives together with the end of its connection is lost to some libraries.
    """

    def __init__(self, *replies: bytes) -> None:
        self._replies = replies
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._hang_up = threading.Semaphore(0)
        self.heads: list[str] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        for reply in self._replies:
            connection, _ = self._listener.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                    head += piece
                self.heads.append(head.decode().lower())
                connection.sendall(reply)
                self._hang_up.acquire(timeout=10)

    def hang_up(self) -> None:
        self._hang_up.release()

    def close(self) -> None:
        while self._thread.is_alive():  # replies that nobody asked for
            self.hang_up()
            socket.create_connection(self._listener.getsockname()).close()
            self._thread.join(0.05)
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Breaking]]:
    servers: list[Breaking] = []

    def start(*replies: bytes) -> Breaking:
        servers.append(Breaking(*replies))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_events_go_on_after_a_connection_that_broke(connect: Connect, serve: Callable[..., Breaking]) -> None:
    whole = chunk(b"id: 3\ndata: 3\n\n") + chunk(b"")
    server = serve(
        CHUNKED + chunk(b"id: 1\ndata: 1\n\n") + chunk('id: 2\ndata: "धा'.encode()[:-1]),
        CHUNKED + chunk(b"id: 2\ndata: 2\n\n")[:-1],
        CHUNKED + whole,
    )
    caller = connect(base_url=server.url)
    events = caller.call(EVENTS)
    for number in (1, 2, 3):
        assert caller.next(events) == number
        server.hang_up()
    assert caller.items(events) == []
    assert "last-event-id: 1\r\n" in server.heads[1]
    assert "last-event-id: 2\r\n" in server.heads[2]


def test_files_go_on_after_a_connection_that_broke(
    connect: Connect, serve: Callable[..., Breaking], tmp_path: Path
) -> None:
    head = b'Content-Type: application/zip\r\nETag: "v1"\r\nAccept-Ranges: bytes\r\n'
    part = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 300-1023/1024\r\nContent-Length: 724\r\n"
    server = serve(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n" + head + b"\r\n" + WHOLE[:300],
        part + head + b"\r\n" + WHOLE[300:],
    )
    caller = connect(base_url=server.url)

    def tell(progress: Progress) -> None:
        if progress.done_bytes == 300:
            server.hang_up()

    assert caller.save(caller.call(BYTES), tmp_path / "a.zip", on_progress=tell) == len(WHOLE)
    assert (tmp_path / "a.zip").read_bytes() == WHOLE
    assert 'range: bytes=300-\r\nif-range: "v1"\r\n' in server.heads[1]


def test_uploads_are_told_of_as_they_are_sent(
    connect: Connect, serve: Callable[..., Breaking], tmp_path: Path
) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    path = tmp_path / "data"
    path.write_bytes(b"x" * 300)
    told: list[Progress] = []
    body = BodySpec(media_type="application/octet-stream", kind="binary", argument="content")
    upload = operation(method="PUT", bodies=(body,))
    connect(base_url=server.url).call(upload, options={"on_progress": told.append}, content=path)
    assert told == [Progress(0, 300), Progress(300, 300)]
    assert "content-length: 300\r\n" in server.heads[0]


def test_a_server_that_is_gone_is_given_up(
    connect: Connect, serve: Callable[..., Breaking], tmp_path: Path
) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\nContent-Type: application/zip\r\n\r\n"
    server = serve(reply + WHOLE[:300])
    server.hang_up()
    caller = connect(base_url=server.url)
    with pytest.raises(ConnectionLostError):
        caller.save(caller.call(BYTES), tmp_path / "a.zip")
    assert names(tmp_path) == []
