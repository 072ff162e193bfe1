"""Real servers on loopback: instances of an API that can be killed, and a Consul that knows them."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_getaddrinfo = socket.getaddrinfo

Answer = Callable[[str], tuple[int, bytes]]


class Instance(ThreadingHTTPServer):
    """Answers every GET with what `answer` says for its path, and keeps who asked for what."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.port: int = self.server_address[1]
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._connections: list[socket.socket] = []
        self._dead = False
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.005})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who was killed does not complain."""

    def get_request(self) -> Any:
        connection, address = super().get_request()
        connection.settimeout(10)
        return connection, address

    def kill(self) -> None:
        """As a process that dies: nobody listens any more, and every connection breaks."""
        if self._dead:
            return
        self._dead = True
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in self._connections:
            with_reset = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, with_reset)
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the handler has closed it
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Instance)
        headers = {name.lower(): text for name, text in self.headers.items()}
        server.seen.append((self.path, headers))
        status, body = server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def running(count: int, answer: Answer = lambda path: (200, b"{}")) -> Iterator[list[Instance]]:
    """So many instances, killed in the end."""
    instances = [Instance(answer) for _ in range(count)]
    try:
        yield instances
    finally:
        for instance in instances:
            instance.kill()


class Consul:
    """Answers as Consul's health endpoint does, for the instances that it is given."""

    def __init__(self) -> None:
        self.instances: list[dict[str, Any]] = []
        self.status = 200
        self.body: bytes | None = None
        self.server = Instance(lambda path: (self.status, self.body or json.dumps(self.instances).encode()))

    def know(
        self, *ports: int, address: str = "127.0.0.1", node: str = "10.9.9.9", weight: int | None = None
    ) -> None:
        self.instances = [
            {
                "Node": {"Node": "n1", "Address": node},
                "Service": {"ID": f"api-{port}", "Service": "api", "Address": address, "Port": port}
                | ({"Weights": {"Passing": weight, "Warning": 1}} if weight is not None else {}),
                "Checks": [{"Status": "passing"}],
            }
            for port in ports
        ]


class Names:
    """The addresses of names that end in .test; whatever else is asked for is looked up."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.asked: list[tuple[Any, Any, int]] = []

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not str(name).endswith(".test"):
            return _getaddrinfo(host, port, *args, **more)
        self.asked.append((name, port, more.get("flags") or args[3]))
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port or 0, 0, 0) if ":" in address else (address, port or 0),
            )
            for address in self.addresses
        ]
