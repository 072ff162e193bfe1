"""A gateway over a small table of its own, served by the real server on a real socket, and a raw client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from dhatu_gateway.core.answering import Answering, KeptAnswers, kept_answers
from dhatu_gateway.core.clients import ClientNetworks, Clients
from dhatu_gateway.core.cors import CrossOrigin
from dhatu_gateway.core.edge import Edge, EdgeParts
from dhatu_gateway.core.forward import Forwarder, Way, build_forward
from dhatu_gateway.core.forward_headers import ForwardedHeaders
from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.pipeline import Handler, Pipeline, Policies
from dhatu_gateway.core.router import Router
from dhatu_gateway.core.security_headers import SecurityHeaders
from dhatu_gateway.core.server.config import server_config
from dhatu_gateway.core.server.cycle import Application
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.server.protocol import ServerProtocol
from dhatu_gateway.core.types import (
    Cors,
    Platform,
    Route,
    SecurityScheme,
    Service,
    Validate,
    Validation,
    Version,
)
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.core.validation.answers import build_answers
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.versions import VersionResolver
from uvicorn.server import ServerState

PLATFORM = Platform(
    title="Test",
    version="1",
    header_prefix="X-Dhatu-",
    services=(Service(name="echo", url_variable="ECHO_URL", default_url="http://127.0.0.1:1"),),
    versions=(Version(name="v1", state="current", deprecated_at="", sunset="", link=""),),
    security_schemes=(
        SecurityScheme(key="apiKey", kind="api_key", location="header", parameter="X-API-Key"),
    ),
    scopes=(),
    cors=Cors(
        allow_origins=("*",),
        allow_headers=("Content-Type",),
        expose_headers=("X-Request-Id",),
        allow_credentials=False,
        max_age_s=600,
    ),
    security_headers=(),
)


def validate(everything: Validation = "enforce", **parts: Any) -> Validate:
    """What to do with requests that the document does not allow, the same for all parts but those named."""
    names = ("path", "query", "headers", "cookies", "body")
    return Validate(**(dict.fromkeys(names, everything) | {"response": "off", "undeclared": "keep"} | parts))


def make_route(method: str = "GET", path: str = "/api/v1/things", **changes: Any) -> Route:
    """A route that asks for nothing, changed as the test says."""
    carried = re.search(r"/(v[0-9]+)/", path)
    version = carried[1] if carried else ""
    defaults: dict[str, Any] = {
        "operation": f"{method} {path}",
        "service": "echo",
        "version": version,
        "method": method,
        "path": path,
        "parameters": (),
        "body": None,
        "answers": (),
        "security": (),
        "roles": (),
        "timeout_s": 5.0,
        "max_body_bytes": 1_000,
        "rate_limits": (),
        "validate": validate(),
        "deprecated": False,
        "sunset": "",
        "cors": None,
        "networks": None,
    }
    return Route(**(defaults | changes))


@dataclass
class Counts:
    """Metrics and recorder of a test at once."""

    in_flight: int = 0
    refusals: list[str] = field(default_factory=list)
    recorded: list[tuple[str, int]] = field(default_factory=list)
    findings: list[tuple[str, str]] = field(default_factory=list)

    def find(self, operation: str, message: str, outcome: str) -> None:
        self.findings.append((message, outcome))

    def refuse(self, kind: str) -> None:
        self.refusals.append(kind)

    @property
    def unmatched(self) -> Count:
        return Count("", self.recorded)

    def of(self, route: Route) -> Count:
        return Count(route.operation, self.recorded)


@dataclass
class Count:
    operation: str
    recorded: list[tuple[str, int]]

    def record(self, status: int, duration_s: float) -> None:
        assert duration_s >= 0
        self.recorded.append((self.operation, status))


Answer = Callable[[UpstreamRequest, bytes, ResponseSink], Awaitable[None]]


async def echo(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
    """Answer with what the service has seen."""
    seen = {
        "target": request.target.decode(),
        "method": request.method.decode(),
        "body": body.decode("utf-8", "replace"),
        "headers": [[name.decode(), value.decode("latin-1")] for name, value in request.headers],
        "content_length": request.content_length,
    }
    content = json.dumps(seen).encode()
    sink.start(200, [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))])
    await sink.body(content, False)


@dataclass
class FakeUpstream:
    """A service without a socket: records requests and answers as told."""

    answer: Answer = echo
    requests: list[UpstreamRequest] = field(default_factory=list)

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        self.requests.append(request)
        body = request.body
        if request.stream is not None:
            body = b"".join([part async for part in request.stream])
        await self.answer(request, body, sink)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A composed edge and what can be seen of it."""

    edge: Edge
    upstream: FakeUpstream
    counts: Counts


def compose(
    *routes: Route,
    document: dict[str, Any] | None = None,
    platform: Platform = PLATFORM,
    policies: Policies | None = None,
    clients: ClientNetworks | None = None,
    clock: Callable[[], float] = time.monotonic,
    kept: KeptAnswers | None = None,
    service: Forwarder | None = None,
) -> Bench:
    """Put an edge together as `app.py` does, with stages that let everybody through.

    `service` takes the place of the bench's own upstream.
    """
    upstream, counts = FakeUpstream(), Counts()
    open_door = policies or Policies(
        authenticate=lambda route: None, authorize=lambda route: None, rate_limit=lambda route: None
    )
    schemas = Schemas(document or {})
    pipeline = Pipeline(platform, routes, lambda route: schemas, open_door, counts)
    headers = ForwardedHeaders(platform)
    answering = Answering(platform, routes, kept or kept_answers(None))

    def handler(route: Route) -> Handler:
        watched = build_answers(route, schemas, counts)
        forward = build_forward(route, Way(upstream=service or upstream, headers=headers, watched=watched))
        return pipeline.compose(route, answering.wrap(route, forward), counts.of(route))

    handlers = [(route.method, route.path, handler(route)) for route in routes]
    parts = EdgeParts(
        router=Router(handlers),
        versions=VersionResolver(platform.versions, routes),
        cors=CrossOrigin(platform.cors),
        clients=Clients(clients or ClientNetworks()),
        metrics=counts,
        security_headers=SecurityHeaders(platform.security_headers),
        clock=clock,
    )
    return Bench(edge=Edge(parts), upstream=upstream, counts=counts)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool
    """The server has closed the connection after it."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> list[tuple[str, str, str]]:
        """The refused parts of a problem."""
        return [(part["location"], part["name"], part["detail"]) for part in self.json["errors"]]


@dataclass
class Client:
    """Speaks to a server byte by byte."""

    port: int
    connections: set[Any] = field(default_factory=set)
    """Those that the server has open."""

    @contextlib.asynccontextmanager
    async def connect(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Wire]:
        name = None if tls is None else "gateway.test"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls, server_hostname=name)
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def send(self, raw: bytes) -> Reply:
        """Send bytes on a connection of their own and read one answer."""
        async with self.connect() as wire:
            await wire.write(raw)
            return await wire.reply()

    async def request(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        return await self.send(head(method, target, body, headers))


def head(method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """Write a proper request."""
    fields = {"Host": "gateway.test"} | (headers or {})
    if body is not None and "Transfer-Encoding" not in fields:
        fields.setdefault("Content-Length", str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + (body or b"")


@dataclass
class Wire:
    """The client's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def reply(self, *, to_head: bool = False) -> Reply:
        """Read one answer, whichever way it is framed."""
        async with asyncio.timeout(5):
            lines = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
            pairs = [line.split(": ", 1) for line in lines[1:]]
            assert len(dict(pairs)) == len(pairs), f"repeated fields: {pairs}"
            headers = {name.lower(): value for name, value in pairs}
            status = int(lines[0].split()[1])
            body = b""
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    body += (await self.reader.readexactly(size + 2))[:-2]
                assert await self.reader.readexactly(2) == b"\r\n"
            elif not to_head and status >= 200 and status not in (204, 304):
                body = await self.reader.readexactly(int(headers["content-length"]))
            closed = headers.get("connection") == "close" and await self.reader.read() == b""
        return Reply(status=status, headers=headers, body=body, closed=closed)

    async def closed(self) -> bytes:
        """Wait until the server has closed; returns what it sent before."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@contextlib.asynccontextmanager
async def serving(
    application: Application,
    limits: ServerLimits | None = None,
    lifecycle: Lifecycle | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[Client]:
    """Serve an application by the gateway's own protocol on a free port."""
    limits, lifecycle = limits or ServerLimits(), lifecycle or Lifecycle()
    config = server_config(application, limits=limits, lifecycle=lifecycle)
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"Mon, 23 Nov 2026 12:00:00 GMT")]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: ServerProtocol(config, state, {}, limits=limits, lifecycle=lifecycle),
        "127.0.0.1",
        0,
        ssl=tls,
    )
    try:
        yield Client(server.sockets[0].getsockname()[1], state.connections)
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
