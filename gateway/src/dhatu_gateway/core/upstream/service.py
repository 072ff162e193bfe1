"""The way to one service: pick an endpoint, send the request, stream the answer back."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final

from dhatu_gateway.core.upstream.balancer import Balancer
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.errors import UpstreamClosed, UpstreamError, UpstreamTimeout
from dhatu_gateway.core.upstream.pool import ConnectionPool
from dhatu_gateway.core.upstream.stream import StreamedExchange
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamLimits, UpstreamRequest

_IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""RFC 9110 section 9.2.2: may be sent again without asking."""


class Upstream:
    """One service and its endpoints; made once per process, inside the event loop that uses it."""

    def __init__(
        self,
        service: str,
        endpoints: Sequence[Endpoint],
        limits: UpstreamLimits,
        balancer: Balancer,
        *,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tls` is for https endpoints, see `TlsSettings`; by default the system's authorities count."""
        if not endpoints:
            raise ValueError(f"service {service!r} has no endpoint")
        self.service = service
        self._pools = tuple(ConnectionPool(endpoint, limits, tls, clock) for endpoint in endpoints)
        self._only = self._pools[0] if len(self._pools) == 1 else None
        self._balancer = balancer
        self._clock = clock
        self._in_flight = 0
        self._drained: asyncio.Future[None] | None = None

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        """Send the request to an endpoint and its answer to the sink.

        Raises `UpstreamUnavailable`, `UpstreamTimeout` or `UpstreamProtocolError` before `sink.start` was
        called, `UpstreamAborted` after it; `ClientDisconnected` where the client went away; and whatever the
        sink or the request's stream raises, unchanged. Cancelling it closes the connection to the service.
        """
        pool = self._only or self._balancer.pick(self._pools)
        self._in_flight += 1
        try:
            try:
                await self._attempt(pool, request, sink)
            except UpstreamError as error:
                await self._second_attempt(pool, request, sink, error)
        except UpstreamError as error:
            error.service = self.service
            raise
        finally:
            self._in_flight -= 1
            if self._drained is not None:
                self._on_drained()

    async def close(self, drain_s: float) -> None:
        """Refuse new requests, give those in flight `drain_s` seconds to end, then cut them off."""
        if self._drained is None:
            self._drained = asyncio.get_running_loop().create_future()
        for pool in self._pools:
            pool.close()
        self._on_drained()
        await asyncio.wait((self._drained,), timeout=drain_s)
        for pool in self._pools:
            pool.abort()

    def in_flight(self) -> tuple[tuple[str, int], ...]:
        """Requests under way at each endpoint, by `host:port`."""
        return tuple((pool.endpoint.authority, pool.in_flight) for pool in self._pools)

    async def _attempt(self, pool: ConnectionPool, request: UpstreamRequest, sink: ResponseSink) -> None:
        pool.in_flight += 1
        try:
            now_s = self._clock()
            if now_s >= request.deadline_s:
                raise UpstreamTimeout("the deadline passed before the request could be sent", phase="total")
            connection = pool.take()
            if connection is None:
                connection = await pool.acquire(request.deadline_s)
                now_s = self._clock()
            answer = connection.answer
            try:
                connection.begin(request, now_s)
                if not connection.uploading:
                    await connection.changed()
            except BaseException:
                connection.abort()
                raise
            if connection.uploading or connection.error is not None or not answer.complete:
                await StreamedExchange(connection, request, sink).run()
                return
            # Nearly every exchange ends here: the whole answer has come in one piece.
            body = connection.take()
            status, headers = answer.status, answer.headers
            connection.release()
        finally:
            pool.in_flight -= 1
        sink.start(status, headers)
        await sink.body(body, False)

    async def _second_attempt(
        self, tried: ConnectionPool, request: UpstreamRequest, sink: ResponseSink, error: UpstreamError
    ) -> None:
        """Try again where the first attempt cannot have had an effect, else raise its error."""
        if isinstance(error, UpstreamClosed):
            if not (error.stale and request.stream is None and request.method in _IDEMPOTENT):
                raise error
            tried.discard_idle()
            await self._attempt(tried, request, sink)
            return
        others = [pool for pool in self._pools if pool is not tried]
        while error.unsent and others and self._drained is None and self._clock() < request.deadline_s:
            pool = self._balancer.pick(others)
            others.remove(pool)
            try:
                await self._attempt(pool, request, sink)
            except UpstreamError as again:
                error = again
            else:
                return
        raise error

    def _on_drained(self) -> None:
        if self._in_flight == 0 and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
