"""One HTTP/1.1 connection to a service: at most one exchange at a time, no tasks, one lazy timer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from dhatu_gateway.core.connection_request import host_line, request_head
from dhatu_gateway.core.connection_response import AnswerReader, MalformedAnswer
from dhatu_gateway.core.connection_timer import LazyTimer
from dhatu_gateway.core.upstream_errors import Phase, UpstreamClosed, UpstreamProtocolError, UpstreamTimeout
from dhatu_gateway.core.upstream_types import UpstreamLimits, UpstreamRequest

_JOINED_BYTES = 65_536
"""Up to this size a body is copied behind its head: one write costs more than the copy."""


class ConnectionOwner(Protocol):
    """Whoever keeps the connections of an endpoint: the pool."""

    def released(self, connection: Connection) -> None:
        """Its exchange is over and it can carry another."""
        ...

    def lost(self, connection: Connection) -> None:
        """It will carry nothing more; called once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionContext:
    """What all connections to one endpoint have in common."""

    authority: str
    limits: UpstreamLimits
    owner: ConnectionOwner
    clock: Callable[[], float]


class Connection(asyncio.Protocol):
    """Sends a request, collects its answer, and wakes whoever waits in `changed`.

    An exchange is `begin`, then `changed` and `take` until `answer.complete` or `error`, then `release`; or
    `abort` at any moment. Reading pauses while more than `high_water_bytes` have not been taken.
    """

    __slots__ = (
        "_buffered_bytes",
        "_check_at_s",
        "_clock",
        "_context",
        "_ended",
        "_fail_at_s",
        "_host",
        "_limits",
        "_loop",
        "_lost",
        "_phase",
        "_reading_paused",
        "_timer",
        "_total_at_s",
        "_transport",
        "_waiter",
        "_writable",
        "answer",
        "busy",
        "error",
        "reused",
        "slow",
        "uploading",
    )

    def __init__(self, context: ConnectionContext, loop: asyncio.AbstractEventLoop) -> None:
        self._context = context
        self._limits = context.limits
        self._clock = context.clock
        self._host = host_line(context.authority)
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._timer = LazyTimer(loop, context.clock, self._on_timer)
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._lost = False
        self._ended = False
        self._reading_paused = False
        self._buffered_bytes = 0
        self._check_at_s = self._fail_at_s = self._total_at_s = math.inf
        self._phase: Phase = "first_byte"
        self.answer = AnswerReader(context.limits)
        self.busy = False
        self.reused = False
        """Whether an earlier exchange was completed on it."""
        self.slow = False
        """Whether the exchange has taken longer than `disconnect_check_s`."""
        self.uploading = False
        """Whether part of the request body is still to be written."""
        self.error: Exception | None = None
        """Why the exchange cannot be completed."""

    @property
    def usable(self) -> bool:
        """Whether a new exchange can begin."""
        return not (self._lost or self.busy or self._transport is None or self._transport.is_closing())

    # The exchange, as the upstream drives it.

    def begin(self, request: UpstreamRequest) -> None:
        """Send the head of the request, and its body unless it is streamed."""
        head = request_head(request, self._host)
        limits = self._limits
        self.answer.begin(for_head=request.method == b"HEAD")
        self.busy = True
        self.slow = False
        now_s = self._clock()
        self._total_at_s = total_at_s = request.deadline_s
        fail_at_s = now_s + limits.first_byte_s
        self._phase = "first_byte"
        if request.stream is not None:
            self.uploading = True
            fail_at_s = math.inf
        if fail_at_s >= total_at_s:
            self._phase = "total"
            fail_at_s = total_at_s
        self._fail_at_s = fail_at_s
        self._check_at_s = check_at_s = now_s + limits.disconnect_check_s
        self._timer.set(check_at_s if check_at_s < fail_at_s else fail_at_s)
        body = request.body
        if self.uploading or not body:
            self._write(head)
        elif len(body) <= _JOINED_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            self._write(body)

    def changed(self) -> asyncio.Future[None]:
        """Return a future: done once the head, more of the body, the end, an error or `slow` has come."""
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def take(self) -> bytes:
        """Return what has arrived of the body since the last call, and read on if reading was paused."""
        self._buffered_bytes = 0
        if self._reading_paused:
            self._reading_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
            self._await_progress()
        return self.answer.take()

    def lift_deadline(self) -> None:
        """Let the answer go on for as long as it keeps coming: an event stream has no total time."""
        self._total_at_s = math.inf
        self._await_progress()

    def release(self) -> None:
        """Give the connection back after a complete answer."""
        transport = self._transport
        if (
            transport is None
            or self.uploading
            or self._ended
            or self._lost
            or not self.answer.keep_alive
            or transport.get_write_buffer_size()  # answered before it had read the request
        ):
            self.abort()
            return
        self.busy = False
        self.reused = True
        self._timer.set(self._clock() + self._limits.keep_alive_s)
        self._context.owner.released(self)

    def abort(self) -> None:
        """Close at once, in whatever state; the service sees that nobody wants its answer any more."""
        self.busy = False
        if self._transport is not None:
            self._transport.abort()
        self._forget()

    def fail(self, error: Exception) -> None:
        """End the exchange with an error, which the one who drives it finds in `error`."""
        if self.error is None:
            self.error = error
        if self._transport is not None:
            self._transport.abort()
        self.wake()

    def wake(self) -> None:
        """Let `changed` return."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    # The upload of a streamed body.

    async def write_body(self, data: bytes) -> None:
        """Write a piece of a streamed body; returns when the service can take the next one."""
        self._write(data)
        if self._writable is not None:
            self._set_failure(self._clock() + self._limits.idle_s, "idle")
            await self._writable
            self._set_failure(self._total_at_s, "total")

    def end_body(self, last: bytes) -> None:
        """The streamed body is over: from now on the service is expected to answer."""
        if last:
            self._write(last)
        self.uploading = False
        if self.answer.status:
            self._await_progress()
        else:
            self._set_failure(self._clock() + self._limits.first_byte_s, "first_byte")
        self.wake()

    # Events of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        answer = self.answer
        if not self.busy:
            self.abort()  # nobody asked: taken for the next answer, it would reach the wrong client
            return
        try:
            answer.feed(data)
        except MalformedAnswer as error:
            problem = UpstreamProtocolError(
                f"{self._context.authority} sent a malformed answer: {error}",
                endpoint=self._context.authority,
            )
            problem.__cause__ = error
            self.fail(problem)
            return
        if not answer.complete:
            if answer.status == 0:
                return
            self._buffer(len(data))
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def eof_received(self) -> None:
        self._ended = True
        if not self.busy:
            self.abort()
        elif self.answer.end():
            self.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.busy and not self.answer.complete and self.error is None:
            self.error = self._closed_early()
            self.error.__cause__ = exc
        self._forget()
        self.wake()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # Inside.

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    def _buffer(self, size: int) -> None:
        self._buffered_bytes += size
        if self._buffered_bytes > self._limits.high_water_bytes and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        self._await_progress()

    def _await_progress(self) -> None:
        """The service has its idle time to send more, unless it is not the one we wait for."""
        if self._reading_paused or self.uploading:
            self._set_failure(self._total_at_s, "total")
        else:
            self._set_failure(self._clock() + self._limits.idle_s, "idle")

    def _set_failure(self, at_s: float, phase: Phase) -> None:
        if self._lost:
            return
        if at_s >= self._total_at_s:
            at_s, phase = self._total_at_s, "total"
        self._fail_at_s = at_s
        self._phase = phase
        self._timer.set(at_s if self.slow else min(at_s, self._check_at_s))

    def _on_timer(self) -> None:
        if not self.busy:
            self.abort()  # unused for longer than keep_alive_s
        elif self._clock() >= self._fail_at_s:
            self.fail(self._too_slow())
        else:
            self.slow = True
            self._timer.set(self._fail_at_s)
            self.wake()

    def _too_slow(self) -> UpstreamTimeout:
        authority = self._context.authority
        waited_for = {
            "connect": "accept a connection",
            "first_byte": f"begin its answer within {self._limits.first_byte_s} s",
            "idle": f"go on within {self._limits.idle_s} s",
            "total": "answer before the deadline",
        }[self._phase]
        return UpstreamTimeout(f"{authority} did not {waited_for}", phase=self._phase, endpoint=authority)

    def _closed_early(self) -> UpstreamClosed:
        authority = self._context.authority
        place = "in the middle of its answer" if not self.answer.untouched else "before it answered"
        return UpstreamClosed(
            f"{authority} closed the connection {place}",
            endpoint=authority,
            stale=self.reused and self.answer.untouched,
        )

    def _forget(self) -> None:
        """Leave nothing behind that could wake up later; harmless when repeated."""
        self._timer.close()
        self.resume_writing()
        if not self._lost:
            self._lost = True
            self._context.owner.lost(self)
