"""The way to one service: pick an endpoint, send the request, stream the answer back."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from dhatu_gateway.core.upstream.balancing.choice import Choice
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.errors import UpstreamClosed, UpstreamError, UpstreamTimeout
from dhatu_gateway.core.upstream.health.checks import HealthChecks, Rhythm
from dhatu_gateway.core.upstream.health.probe import build_probe
from dhatu_gateway.core.upstream.health.watch import HeadWatch, says_of_endpoint
from dhatu_gateway.core.upstream.member import Member
from dhatu_gateway.core.upstream.policy import UpstreamPolicy
from dhatu_gateway.core.upstream.pool import ConnectionPool
from dhatu_gateway.core.upstream.stream import StreamedExchange
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamLimits, UpstreamRequest

_IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""RFC 9110 section 9.2.2: may be sent again without asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an upstream takes from outside."""

    zone: str = ""
    """Where this process runs; empty where it has no zone."""
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    """Yields floats in [0, 1)."""


class Upstream:
    """One service and its endpoints; made once per process, inside the event loop that uses it."""

    def __init__(
        self,
        service: str,
        endpoints: Sequence[Endpoint],
        limits: UpstreamLimits,
        policy: UpstreamPolicy | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """`tls` is for https endpoints, see `TlsSettings`; by default the system's authorities count."""
        if not endpoints:
            raise ValueError(f"service {service!r} has no endpoint")
        self.service = service
        policy, around = policy or UpstreamPolicy(), surroundings or Surroundings()
        self._clock = around.clock
        now_s = self._clock()
        self._choice: Choice[Member] = Choice(policy, around.zone, around.random, now_s)
        self._members = tuple(
            Member(
                endpoint, ConnectionPool(endpoint, limits, tls, around.clock), policy.balance.decay_s, now_s
            )
            for endpoint in endpoints
        )
        self._choice.update(self._members, now_s)
        self._only = self._members[0] if len(self._members) == 1 else None
        self._is_watched = self._only is None and self._choice.learns
        self._checks = self._build_checks(policy, tls, around)
        self._in_flight = 0
        self._drained: asyncio.Future[None] | None = None

    def _build_checks(
        self, policy: UpstreamPolicy, tls: ssl.SSLContext | None, around: Surroundings
    ) -> HealthChecks[Member] | None:
        if policy.health is None:
            return None
        probe = build_probe(policy.health, tls)
        checks = HealthChecks(policy.health, probe, self._on_checked, Rhythm(random=around.random))
        checks.watch(self._members)
        return checks

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        """Send the request to an endpoint and its answer to the sink.

        Raises `UpstreamUnavailable`, `UpstreamTimeout` or `UpstreamProtocolError` before `sink.start` was
        called, `UpstreamAborted` after it; `ClientDisconnected` where the client went away; and whatever the
        sink or the request's stream raises, unchanged. Cancelling it closes the connection to the service.
        """
        member = self._only or self._pick(request, request.avoid)
        request.member = member
        self._in_flight += 1
        try:
            try:
                await self._attempt(member, request, sink)
            except UpstreamError as error:
                await self._second_attempt(member, request, sink, error)
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
        if self._checks is not None:
            await self._checks.close()
        for member in self._members:
            member.pool.close()
        self._on_drained()
        await asyncio.wait((self._drained,), timeout=drain_s)
        for member in self._members:
            member.pool.abort()

    def in_flight(self) -> tuple[tuple[str, int], ...]:
        """Requests under way at each endpoint, by `host:port`."""
        return tuple((member.name, member.in_flight) for member in self._members)

    def members(self) -> Sequence[Member]:
        """Every endpoint, with its load and its health; for whoever shows them."""
        return self._members

    def _on_checked(self, member: Member) -> None:
        self._choice.checked(self._clock(), [member] if member.health.is_well else [])

    def _pick(self, request: UpstreamRequest, avoid: Collection[Member]) -> Member:
        return self._choice.pick(self._clock(), request.affinity, request.subset, avoid)

    async def _attempt(self, member: Member, request: UpstreamRequest, sink: ResponseSink) -> None:
        if not self._is_watched:
            await self._send(member, request, sink)
            return
        watch = HeadWatch(sink, member, self._choice, self._clock)
        try:
            await self._send(member, request, watch)
        except BaseException as error:
            watch.settle(failed=says_of_endpoint(error, request))
            raise

    async def _send(self, member: Member, request: UpstreamRequest, sink: ResponseSink) -> None:
        pool = member.pool
        member.in_flight += 1
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
            member.in_flight -= 1
        sink.start(status, headers)
        await sink.body(body, False)

    async def _second_attempt(
        self, tried: Member, request: UpstreamRequest, sink: ResponseSink, error: UpstreamError
    ) -> None:
        """Try again where the first attempt cannot have had an effect, else raise its error."""
        if isinstance(error, UpstreamClosed):
            if not (error.stale and request.stream is None and request.method in _IDEMPOTENT):
                raise error
            tried.pool.discard_idle()
            await self._attempt(tried, request, sink)
            return
        avoid = [tried]
        while error.unsent and self._drained is None and self._clock() < request.deadline_s:
            member = self._pick(request, avoid)
            if member in avoid:
                break
            avoid.append(member)
            request.member = member
            try:
                await self._attempt(member, request, sink)
            except UpstreamError as again:
                error = again
            else:
                return
        raise error

    def _on_drained(self) -> None:
        if self._in_flight == 0 and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
