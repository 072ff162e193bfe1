"""The end of a proxied route: hand the request to the service, and its answer to the client."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from dhatu_gateway.core.exchange import CONNECTION_KEY, ClientConnection, Exchange, Header
from dhatu_gateway.core.forward_headers import ForwardedHeaders
from dhatu_gateway.core.headers import connection_options
from dhatu_gateway.core.placement import Place
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Route
from dhatu_gateway.core.upstream.errors import (
    CircuitOpen,
    ClientDisconnected,
    TooManyRetries,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dhatu_gateway.core.upstream.types import SWITCHING, ResponseSink, UpstreamRequest
from dhatu_gateway.core.validation.answers import WrapSink
from dhatu_gateway.core.validation.body import content_length, too_large
from dhatu_gateway.core.websocket import SWITCHED, tunnel_of, tunnelled

Terminal = Callable[[Exchange], Awaitable[None]]
"""Answers an exchange that no stage has refused."""

_ONE_PIECE_BYTES = 16_384
"""A body announced as no larger is not streamed if it comes in one piece; most are read at once."""

_logger = logging.getLogger("dhatu.upstream")


class Forwarder(Protocol):
    """What a route needs of its service's upstream."""

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the requests of a route get to its service, and the answers back."""

    upstream: Forwarder
    headers: ForwardedHeaders
    watched: WrapSink | None = None
    """Looks at the answers."""
    place: Place | None = None
    attempt_field: bytes | None = None
    """Header that says which attempt of the caller's it is; None where nobody says."""
    clock: Callable[[], float] = time.monotonic


def build_forward(route: Route, way: Way) -> Terminal:
    """Answer a route by its service."""
    service, limit_bytes, timeout_s = route.service, route.max_body_bytes, route.timeout_s
    attempt_field, keyed = way.attempt_field if route.retry != "never" else None, route.retry == "keyed"
    tunnel = tunnel_of(route)
    upstream, headers, watched, place, clock = way.upstream, way.headers, way.watched, way.place, way.clock

    async def forward(exchange: Exchange) -> None:
        target = exchange.path.encode("ascii")
        if exchange.query:
            target = b"%b?%b" % (target, exchange.query)
        request = UpstreamRequest(
            exchange.method.encode("ascii"),
            target,
            [],
            exchange.body or b"",
            exchange.deadline_at_s,
        )
        if tunnel is not None:
            request.tunnel = tunnel
            request.stream = tunnelled(exchange)
        elif exchange.body is None:
            await _attach_body(exchange, request, limit_bytes)
            if request.stream is not None:
                request.upload = ClientUpload(exchange, headers)
        request.headers = headers.to_service(exchange, clock())
        if request.upload is not None and request.content_length is None:
            request.headers += headers.announced_to_service(exchange)
        if exchange.deadline_at_s < exchange.started_at_s + timeout_s:
            request.impatient = True
        if place is not None:
            place(exchange, request)
        if attempt_field is not None:
            request.repeatable = request.stream is None and (
                not keyed or b"idempotency-key" in exchange.fields
            )
            request.repeated = exchange.fields.get(attempt_field, b"1") != b"1"
        sink: ResponseSink
        if tunnel is None and b"te" in exchange.fields and takes_trailers(exchange):
            request.trailers = []
            sink = TrailingSink(exchange, headers, request.trailers)
        else:
            sink = ClientSink(exchange, headers)
        if watched is not None:
            sink = watched(exchange, sink)
        try:
            await upstream.forward(request, sink)
        except UpstreamError as error:
            if exchange.status:
                raise
            if not isinstance(error, (CircuitOpen, TooManyRetries)):
                _logger.warning("%s: %s", route.operation, error)
            raise refusal(error, service) from error

    return forward


def refusal(error: UpstreamError, service: str) -> ProblemError:
    """What the caller is told of a call that has no answer; nothing of addresses."""
    soon = [(b"retry-after", b"1")]
    match error:
        case CircuitOpen():
            wait = [(b"retry-after", b"%d" % error.retry_after_s)]
            detail = f"The {service} service fails too often; calls are refused until it has recovered."
            return ProblemError("circuit-open", detail, headers=wait)
        case TooManyRetries():
            detail = f"The {service} service fails, and too many calls are repeated already."
            return ProblemError("too-many-retries", detail, headers=soon)
        case UpstreamOverloaded():
            detail = f"The {service} service has too much to do; try again in a moment."
            return ProblemError("upstream-overloaded", detail, headers=soon)
        case UpstreamUnavailable():
            detail = f"The {service} service cannot be reached; try again in a moment."
            return ProblemError("upstream-unavailable", detail, headers=soon)
        case UpstreamTimeout():
            return ProblemError("upstream-timeout", f"The {service} service did not answer in time.")
        case _:
            return ProblemError("upstream-failed", f"The {service} service gave no proper answer.")


async def _attach_body(exchange: Exchange, request: UpstreamRequest, limit_bytes: int) -> None:
    """Give the request the body that no stage has read: as a stream, unless it comes in one small piece.

    A stream costs a task and a write more than a whole exchange without one.
    """
    length = content_length(exchange)
    first: bytes | None = None
    if length is not None and length <= _ONE_PIECE_BYTES and b"expect" not in exchange.fields:
        first, more = await _receive(exchange)
        if not more:
            if len(first) > limit_bytes:
                raise too_large(limit_bytes)
            request.body = first
            return
    request.stream = _stream(exchange, first, limit_bytes)
    request.content_length = length


async def _stream(exchange: Exchange, first: bytes | None, limit_bytes: int) -> AsyncIterator[bytes]:
    size_bytes = 0
    part, more = (first, True) if first is not None else await _receive(exchange)
    while True:
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise too_large(limit_bytes)
        if part:
            yield part
        if not more:
            return
        part, more = await _receive(exchange)


async def _receive(exchange: Exchange) -> tuple[bytes, bool]:
    """Return the next part of the body, and whether there are more."""
    message = await exchange.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnected("the client closed its connection before its request was complete")
    return message.get("body", b""), message.get("more_body", False)


class ClientUpload:
    """The client of a body that is streamed."""

    __slots__ = ("_exchange", "_headers", "expects_continue")

    def __init__(self, exchange: Exchange, headers: ForwardedHeaders) -> None:
        self._exchange = exchange
        self._headers = headers
        self.expects_continue = b"expect" in exchange.fields and exchange.scope["http_version"] == "1.1"

    async def left(self) -> None:
        connection: ClientConnection = self._exchange.scope[CONNECTION_KEY]
        await connection.left()

    def trailers(self) -> list[Header]:
        return self._headers.trailers_to_service(self._exchange)


def takes_trailers(exchange: Exchange) -> bool:
    """Whether the client says that it can do with trailers (RFC 9110 section 10.1.4)."""
    offers = connection_options(exchange.fields.get(b"te", b""))
    return b"trailers" in offers and exchange.scope["http_version"] == "1.1"


class ClientSink:
    """Passes a service's answer on to the client."""

    __slots__ = ("_exchange", "_head", "_headers")

    def __init__(self, exchange: Exchange, headers: ForwardedHeaders) -> None:
        self._exchange = exchange
        self._headers = headers
        self._head: list[Header] | None = None

    def start(self, status: int, headers: list[Header]) -> None:
        self._exchange.status = status
        self._head = self._headers.to_client(headers, self._exchange)
        if status == SWITCHING:
            self._head += SWITCHED

    async def body(self, chunk: bytes, more: bool) -> None:
        exchange = self._exchange
        try:
            if self._head is not None:
                start = {"type": "http.response.start", "status": exchange.status, "headers": self._head}
                self._head = None
                await exchange.send(start)
            await exchange.send({"type": "http.response.body", "body": chunk, "more_body": more})
        except ConnectionResetError as error:
            raise ClientDisconnected("the client closed its connection while it was answered") from error

    async def client_gone(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass


class TrailingSink(ClientSink):
    """Passes the trailers of an answer on as well."""

    __slots__ = ("_trailers",)

    def __init__(self, exchange: Exchange, headers: ForwardedHeaders, trailers: list[Header]) -> None:
        """`trailers` are there once the last piece of the body is."""
        super().__init__(exchange, headers)
        self._trailers = trailers

    def start(self, status: int, headers: list[Header]) -> None:
        super().start(status, self._headers.announced_to_client(headers))

    async def body(self, chunk: bytes, more: bool) -> None:
        trailers = [] if more else self._headers.trailers_to_client(self._trailers)
        if not trailers:
            await super().body(chunk, more)
            return
        await super().body(chunk, True)
        try:
            last = {"type": "http.response.body", "body": b"", "more_body": False, "trailers": trailers}
            await self._exchange.send(last)
        except ConnectionResetError as error:
            raise ClientDisconnected("the client closed its connection while it was answered") from error
