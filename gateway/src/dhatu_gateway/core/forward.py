"""The end of a proxied route: hand the request to the service, and its answer to the client."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.forward_headers import ForwardedHeaders
from dhatu_gateway.core.placement import Place
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Route
from dhatu_gateway.core.upstream.errors import (
    ClientDisconnected,
    UpstreamAborted,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.core.validation.answers import WrapSink
from dhatu_gateway.core.validation.body import content_length, too_large

Terminal = Callable[[Exchange], Awaitable[None]]
"""Answers an exchange that no stage has refused."""

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
    clock: Callable[[], float] = time.monotonic


def build_forward(route: Route, way: Way) -> Terminal:
    """Answer a route by its service."""
    service, limit_bytes, timeout_s = route.service, route.max_body_bytes, route.timeout_s
    upstream, headers, watched, place, clock = way.upstream, way.headers, way.watched, way.place, way.clock

    async def forward(exchange: Exchange) -> None:
        target = exchange.path.encode("ascii")
        if exchange.query:
            target = b"%b?%b" % (target, exchange.query)
        request = UpstreamRequest(
            exchange.method.encode("ascii"),
            target,
            headers.to_service(exchange, clock()),
            exchange.body or b"",
            exchange.deadline_at_s,
        )
        if exchange.deadline_at_s < exchange.started_at_s + timeout_s:
            request.impatient = True
        if place is not None:
            place(exchange, request)
        if exchange.body is None:
            request.stream = _stream(exchange, limit_bytes)
            request.content_length = content_length(exchange)
        sink: ResponseSink = ClientSink(exchange, headers)
        if watched is not None:
            sink = watched(exchange, sink)
        try:
            await upstream.forward(request, sink)
        except UpstreamUnavailable as error:
            _logger.warning("%s: %s", route.operation, error)
            detail = f"The {service} service cannot be reached; try again in a moment."
            raise ProblemError("upstream-unavailable", detail, headers=[(b"retry-after", b"1")]) from error
        except UpstreamTimeout as error:
            _logger.warning("%s: %s", route.operation, error)
            raise ProblemError(
                "upstream-timeout", f"The {service} service did not answer in time."
            ) from error
        except (UpstreamProtocolError, UpstreamAborted) as error:
            if exchange.status:
                raise
            _logger.warning("%s: %s", route.operation, error)
            raise ProblemError("upstream-failed", f"The {service} service gave no proper answer.") from error

    return forward


async def _stream(exchange: Exchange, limit_bytes: int) -> AsyncIterator[bytes]:
    size_bytes = 0
    while True:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client closed its connection before its request was complete")
        part: bytes = message.get("body", b"")
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise too_large(limit_bytes)
        if part:
            yield part
        if not message.get("more_body", False):
            return


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
