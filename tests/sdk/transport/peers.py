"""Servers on loopback, and clients of every transport that talk to them."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from dhatu_client._call import ApiSpec
from dhatu_client._client import AsyncAPIClient, SyncAPIClient
from sdk.support import API, Caller

Connect = Callable[..., Caller]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class SampleAPI(AsyncAPIClient):
    _api: ClassVar[ApiSpec] = API


class SyncSampleAPI(SyncAPIClient):
    _api: ClassVar[ApiSpec] = API


class Peer:
    """Accepts connections on loopback, reads one request head from each, answers, and keeps what it read.

    One that hangs keeps the connection until it is let go; one that is late answers only then.
    """

    def __init__(self, reply: bytes, *, hang: bool = False, late: bool = False) -> None:
        self._reply = reply
        self._hang = hang
        self._late = late
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
                if self._late:
                    self._next.acquire(timeout=10)
                connection.sendall(self._reply)
                if self._hang:
                    self._next.acquire(timeout=10)

    def let_go(self) -> None:
        """Answer, if that is still to be done, and go on to the next connection."""
        self._next.release()

    def close(self) -> None:
        self._over.set()
        self.let_go()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


class Website:
    """Answers with what it was asked, as JSON; paths that end like one of `pages` get that."""

    def __init__(self, pages: dict[str, bytes] | None = None, tls: ssl.SSLContext | None = None) -> None:
        site = self
        self.pages = pages or {}
        self.requests: list[dict[str, Any]] = []

        class Handler(_Handler):
            website = site

        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves, or that TLS refuses, is no error of the test."""


class _Handler(BaseHTTPRequestHandler):
    website: ClassVar[Website]
    protocol_version = "HTTP/1.1"
    timeout = 10

    def _answer(self) -> None:
        body = self._body()
        said = {
            "method": self.command,
            "target": self.path,
            "headers": {name.lower(): text for name, text in self.headers.items()},
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "connection": self.client_address[1],
        }
        self.website.requests.append(said)
        for path, page in self.website.pages.items():
            if self.path.split("?")[0].endswith(path):
                self.wfile.write(page)
                return
        content = json.dumps(said).encode()
        self.wfile.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(content) + content)

    do_GET = do_POST = do_PUT = _answer  # the names that http.server calls

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_CONNECT(self) -> None:  # the name that http.server calls
        """As a proxy does: join both sides until one has said all."""
        self.website.requests.append(
            {
                "method": "CONNECT",
                "target": self.path,
                "headers": {name.lower(): text for name, text in self.headers.items()},
            }
        )
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as there:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=_pump, args=(there, self.connection))
            back.start()
            _pump(self.connection, there)
            back.join()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side is gone, which is the end as well
