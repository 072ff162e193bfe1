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
from dhatu_gateway.core.upstream.errors import (
    UpstreamClosed,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dhatu_gateway.core.upstream.health.checks import HealthChecks, Rhythm
from dhatu_gateway.core.upstream.health.probe import build_probe
from dhatu_gateway.core.upstream.health.watch import HeadWatch, says_of_endpoint
from dhatu_gateway.core.upstream.member import Member
from dhatu_gateway.core.upstream.policy import UpstreamPolicy
from dhatu_gateway.core.upstream.pool import ConnectionPool
from dhatu_gateway.core.upstream.staying import left_early
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
        """`tls` is for https endpoints, see `TlsSettings`; by default the system's authorities count.

        A service whose endpoints are not known yet has none, and cannot be reached until `replace`.
        """
        self.service = service
        policy, around = policy or UpstreamPolicy(), surroundings or Surroundings()
        self._limits = limits
        self._tls = tls
        self._decay_s = policy.balance.decay_s
        self._clock = around.clock
        self._choice: Choice[Member] = Choice(policy, around.zone, around.random, self._clock())
        self._checks: HealthChecks[Member] | None = None
        if policy.health is not None:
            probe, rhythm = build_probe(policy.health, tls), Rhythm(random=around.random)
            self._checks = HealthChecks(policy.health, probe, self._on_checked, rhythm)
        self._members: tuple[Member, ...] = ()
        self._retired: list[Member] = []
        self._only: Member | None = None
        self._is_watched = False
        self._in_flight = 0
        self._drained: asyncio.Future[None] | None = None
        if endpoints:
            self.replace(endpoints)

    def replace(self, endpoints: Sequence[Endpoint]) -> None:
        """Send requests to these from now on; those under way end where they are.

        An endpoint that stays keeps its connections, its load and its health. Raises `ValueError` for none at
        all: whoever finds endpoints decides what to do when there are none to be found.
        """
        if not endpoints:
            raise ValueError(f"service {self.service!r} must not lose its last endpoint")
        if self._drained is not None:
            return
        now_s = self._clock()
        known = {member.endpoint.identity: member for member in self._members}
        found = {endpoint.identity: endpoint for endpoint in endpoints}
        members: list[Member] = []
        for identity, endpoint in found.items():
            member = known.get(identity)
            if member is None:
                member = self._admit(endpoint, now_s)
            else:
                member.describe(endpoint)
            members.append(member)
        if self._checks is not None:
            self._checks.watch(members)
        self._members = tuple(members)
        self._choice.update(self._members, now_s)
        self._only = members[0] if len(members) == 1 else None
        self._is_watched = self._only is None and self._choice.learns
        self._retire([member for identity, member in known.items() if identity not in found])

    def _admit(self, endpoint: Endpoint, now_s: float) -> Member:
        pool = ConnectionPool(endpoint, self._limits, self._tls, self._clock)
        return Member(endpoint, pool, self._decay_s, now_s)

    def _retire(self, gone: Sequence[Member]) -> None:
        for member in gone:
            member.pool.close("it is no longer an endpoint of its service")
        # Kept until their last exchange is over, for `close` to cut off.
        self._retired = [member for member in (*self._retired, *gone) if not member.pool.is_empty]

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
        for member in (*self._members, *self._retired):
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
        if not self._members:
            error = UpstreamUnavailable("no endpoint has been found yet")
            error.service = self.service
            raise error
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
                connection = await pool.acquire(request.deadline_s, left_early(request, sink))
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
            status, headers, trailers = answer.status, answer.headers, answer.trailers
            connection.release()
        finally:
            member.in_flight -= 1
        sink.start(status, headers)
        if trailers and request.trailers is not None:
            request.trailers += trailers
        await sink.body(body, False)

    async def _second_attempt(
        self, tried: Member, request: UpstreamRequest, sink: ResponseSink, error: UpstreamError
    ) -> None:
        """Try again where the first attempt cannot have had an effect, else raise its error."""
        if isinstance(error, UpstreamClosed):
            unread = request.stream is None or request.tunnel is not None
            if not (error.stale and unread and request.method in _IDEMPOTENT):
                raise error
            tried.pool.discard_idle()
            try:
                await self._attempt(tried, request, sink)
            except UpstreamError as again:
                error = again
            else:
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
