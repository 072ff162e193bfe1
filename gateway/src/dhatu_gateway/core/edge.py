"""From a request to the handler of its route, and from every error to an answer."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dhatu_gateway.core.canonical import canonical_path
from dhatu_gateway.core.clients import Clients
from dhatu_gateway.core.cors import CrossOrigin
from dhatu_gateway.core.exchange import Exchange, Header, Receive, Scope, Send
from dhatu_gateway.core.headers import by_name
from dhatu_gateway.core.pipeline import Handler, Recorder
from dhatu_gateway.core.problem import INTERNAL_ERROR, Problem, ProblemError, problem_headers
from dhatu_gateway.core.router import Match, Resource, Router
from dhatu_gateway.core.security_headers import SecurityHeaders
from dhatu_gateway.core.upstream.errors import ClientDisconnected, UpstreamAborted
from dhatu_gateway.core.versions import VERSION_FIELD, VersionResolver

CLIENT_CLOSED = 499
"""Recorded where the client went away before it was answered; nginx's number."""

_DENIED = "Calls from this address are not accepted."
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")

_logger = logging.getLogger("dhatu.edge")


class EdgeMetrics(Protocol):
    """What the edge counts itself."""

    in_flight: int

    @property
    def unmatched(self) -> Recorder: ...

    def refuse(self, kind: str, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeParts:
    """What the edge is made of."""

    router: Router[Handler]
    versions: VersionResolver
    cors: CrossOrigin
    clients: Clients
    metrics: EdgeMetrics
    security_headers: SecurityHeaders
    clock: Callable[[], float] = time.monotonic


class Edge:
    """The request path as a pure ASGI callable for the http scope."""

    def __init__(self, parts: EdgeParts) -> None:
        self._find = parts.router.find
        self._find_canonical = parts.router.find_canonical
        self._versions = parts.versions
        self._cors = parts.cors
        self._find_client = parts.clients.find
        self._metrics = parts.metrics
        self._over_tls = parts.security_headers.over_tls
        self._over_http = parts.security_headers.over_http
        self._clock = parts.clock
        # Unique among all processes, and nobody has to guess it: it is not a secret.
        self._id_prefix = secrets.token_hex(8) + "-"
        self._ids = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._exchange(scope, receive, send)
        metrics = self._metrics
        recorder = metrics.unmatched
        handler: Handler | None = None
        metrics.in_flight += 1
        try:
            match = self._match(exchange)
            exchange.path = match.path
            exchange.path_values = match.values
            handler = match.resource.methods.get(exchange.method)
            if handler is None:
                await self._answer_options(exchange, match.resource)
            else:
                recorder = handler.recorder
                exchange.route = handler.route
                await handler.run(exchange)
        except ProblemError as error:
            if handler is None:  # whose first stage would have done so
                self._cors.mark(exchange)
            await self._refuse(exchange, error.problem)
        except (ClientDisconnected, ConnectionResetError):
            exchange.status = exchange.status or CLIENT_CLOSED
        except UpstreamAborted as error:
            # Its head is on its way, so there is nothing left to say: the server cuts the answer off.
            _logger.warning("%s: %s", exchange.request_id, error)
        except Exception:
            _logger.exception("%s: the gateway failed", exchange.request_id)
            await self._refuse(exchange, INTERNAL_ERROR)
        finally:
            metrics.in_flight -= 1
            recorder.record(exchange.status, self._clock() - exchange.started_at_s)

    def _exchange(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        exchange = Exchange()
        exchange.scope = scope
        exchange.receive = receive
        exchange.send = send
        exchange.method = scope["method"]
        exchange.query = scope["query_string"]
        headers: list[Header] = scope["headers"]
        exchange.headers = headers
        exchange.fields = by_name(headers)
        exchange.principal = None
        peer = scope["client"]
        client = self._find_client(peer[0] if peer else "", exchange.fields)
        exchange.client_address = client.address
        exchange.client_network = client.network
        if client.scheme:
            scope["scheme"] = client.scheme
        exchange.body = None
        exchange.status = 0
        exchange.started_at_s = self._clock()
        field = exchange.fields.get(b"x-request-id")
        if field is not None and _REQUEST_ID.fullmatch(field):
            exchange.request_id = field.decode("ascii")
        else:
            exchange.request_id = f"{self._id_prefix}{next(self._ids):x}"
        exchange.response_headers = [
            (b"x-request-id", exchange.request_id.encode("ascii")),
            *(self._over_tls if scope["scheme"] == "https" else self._over_http),
        ]
        # Raised before anything is matched.
        exchange.refusal = None if client.allowed else ProblemError("forbidden", _DENIED)
        return exchange

    def _match(self, exchange: Exchange) -> Match[Handler]:
        raw: bytes = exchange.scope["raw_path"]
        exchange.path = ""
        if exchange.refusal is not None:
            raise exchange.refusal
        match = self._find(raw)
        if match is not None:
            return match
        exchange.path = canonical_path(raw)
        for versioned in self._versions.resolve(exchange.path, exchange.fields.get(VERSION_FIELD)):
            match = self._find_canonical(versioned)
            if match is not None:
                exchange.response_headers.append((b"vary", b"API-Version"))
                return match
        raise ProblemError("not-found", "No operation has this path.")

    async def _answer_options(self, exchange: Exchange, resource: Resource[Handler]) -> None:
        """Answer a method that no operation has: OPTIONS is about the resource, any other is refused."""
        if exchange.method != "OPTIONS":
            detail = f"{exchange.method} is not served here; {resource.allow.decode('ascii')} are."
            raise ProblemError("method-not-allowed", detail, headers=[(b"allow", resource.allow)])
        origin = exchange.fields.get(b"origin")
        method = exchange.fields.get(b"access-control-request-method")
        if origin is not None and method is not None:
            headers = self._preflight(resource, origin, method.decode("latin-1"))
        else:
            headers = [(b"allow", resource.allow)]
            self._cors.mark(exchange)
        await _send(exchange, 204, [*headers, *exchange.response_headers], b"")

    def _preflight(self, resource: Resource[Handler], origin: bytes, method: str) -> list[Header]:
        """Answer for the operation that is asked about, and for those of its path under the same rules."""
        asked = resource.methods.get(method)
        if asked is None:
            return self._cors.preflight(origin, resource.allow)
        alike = {name for name, found in resource.methods.items() if found.cross_origin is asked.cross_origin}
        return asked.cross_origin.preflight(origin, ", ".join(sorted({*alike, "OPTIONS"})).encode("ascii"))

    async def _refuse(self, exchange: Exchange, problem: Problem) -> None:
        if exchange.status:
            # Half an answer is out; the server cuts it off, so that nobody takes it for the whole.
            _logger.warning("%s: failed while it was answered: %s", exchange.request_id, problem.detail)
            return
        self._metrics.refuse(problem.kind)
        body = problem.to_json(instance=exchange.path, request_id=exchange.request_id)
        headers = [*problem_headers(problem, body), *exchange.response_headers]
        try:
            await _send(exchange, problem.status, headers, body)
        except ConnectionResetError:
            exchange.status = CLIENT_CLOSED


async def _send(exchange: Exchange, status: int, headers: list[Header], body: bytes) -> None:
    exchange.status = status
    await exchange.send({"type": "http.response.start", "status": status, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": body, "more_body": False})
