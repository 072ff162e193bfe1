"""One HTTP/1.1 connection to a service: at most one exchange at a time, no tasks, one lazy timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from dhatu_gateway.core.upstream.deadlines import Deadlines
from dhatu_gateway.core.upstream.errors import UpstreamClosed, UpstreamProtocolError
from dhatu_gateway.core.upstream.request import host_line, request_head
from dhatu_gateway.core.upstream.response import AnswerReader, MalformedAnswer
from dhatu_gateway.core.upstream.staying import Leaving, until_left
from dhatu_gateway.core.upstream.types import Tunnel, UpstreamLimits, UpstreamRequest

_JOINED_BYTES = 65_536
"""Up to this size a body is copied behind its head: one write costs more than the copy."""


class ConnectionOwner(Protocol):
    """Whoever keeps the connections of an endpoint: the pool."""

    def released(self, connection: Connection) -> None:
        """Its exchange is over and it can carry another."""
        ...

    def detached(self, connection: Connection) -> None:
        """It has become a tunnel, and stays one until it is lost."""
        ...

    def lost(self, connection: Connection) -> None:
        """It will carry nothing more; called once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionContext:
    """What all connections to one endpoint have in common."""

    authority: str
    host_header: str
    limits: UpstreamLimits
    owner: ConnectionOwner
    clock: Callable[[], float]


class Connection(asyncio.Protocol):
    """Sends a request, collects its answer, and wakes whoever waits in `changed`.

    An exchange is `begin`, then `changed` and `take` until `answer.complete` or `error`, then `release`; or
    `abort` at any moment. Reading pauses while more than `high_water_bytes` have not been taken.
    """

    __slots__ = (
        "_asked",
        "_buffered_bytes",
        "_context",
        "_ended",
        "_host",
        "_limits",
        "_loop",
        "_lost",
        "_reading_paused",
        "_transport",
        "_tunnel",
        "_waiter",
        "_writable",
        "answer",
        "busy",
        "deadlines",
        "error",
        "reused",
        "uploading",
    )

    def __init__(self, context: ConnectionContext, loop: asyncio.AbstractEventLoop) -> None:
        self._context = context
        self._limits = context.limits
        self._host = host_line(context.host_header)
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self.deadlines = Deadlines(context.limits, context.clock, loop, self._on_deadline)
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._asked: asyncio.Future[None] | None = None
        self._lost = False
        self._ended = False
        self._reading_paused = False
        self._buffered_bytes = 0
        self._tunnel: Tunnel | None = None
        """What it was asked to become; a connection is asked once, and carries nothing else after that."""
        self.answer = AnswerReader(context.limits)
        self.busy = False
        self.reused = False
        """Whether an earlier exchange was completed on it."""
        self.uploading = False
        """Whether part of the request body is still to be written."""
        self.error: Exception | None = None
        """Why the exchange cannot be completed."""

    @property
    def usable(self) -> bool:
        """Whether a new exchange can begin."""
        return not (self._lost or self.busy or self._transport is None or self._transport.is_closing())

    # The exchange, as the upstream drives it.

    def begin(self, request: UpstreamRequest, now_s: float) -> None:
        """Send the head of the request, and its body unless it is streamed.

        Raises `InvalidRequestHead` before anything is sent.
        """
        head = request_head(request, self._host)
        self.answer.begin(for_head=request.method == b"HEAD")
        if request.trailers is not None:
            self.answer.keep_trailers()
        self.busy = True
        self.deadlines.begin(now_s, request.deadline_s, request.first_byte_s)
        body = request.body
        if request.tunnel is not None:
            self._tunnel = request.tunnel
            self.answer.expect_switch(request.tunnel.protocol)
            self._write(head)
        elif request.stream is not None:
            self.uploading = True
            self.answer.continued = False
            self.deadlines.await_client()
            self._write(head)
        elif not body:
            self._write(head)
        elif len(body) <= _JOINED_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            self._write(body)

    def changed(self) -> asyncio.Future[None]:
        """Return a future that is done once there is news.

        That is the head of the answer, more of its body, its end, an error, or that the exchange is slow.
        """
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
        self.deadlines.lift_total()
        self._await_progress()

    def switch(self) -> None:
        """The service has switched protocols: the connection is a tunnel from now on."""
        if self._tunnel is not None:
            self.deadlines.switch(self._tunnel.idle_s)
            self._context.owner.detached(self)

    def finish(self) -> None:
        """End a tunnel from the client's side: the service gets all that was written before the end."""
        self.busy = False
        if self._transport is not None:
            self._transport.close()
        if not self._lost:
            self.deadlines.await_next()  # which a service that does not read cannot put off
        self.wake()

    def release(self) -> None:
        """Give the connection back after a complete answer."""
        transport = self._transport
        if (
            transport is None
            or self.uploading
            or self._tunnel is not None
            or self._ended
            or self._lost
            or not self.answer.keep_alive
            or transport.get_write_buffer_size()  # answered before it had read the request
        ):
            self.abort()
            return
        self.busy = False
        self.reused = True
        self.deadlines.await_next()
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

    # The upload of a streamed body, or the client's side of a tunnel.

    async def asked_for_body(self, leaving: Leaving) -> None:
        """Return once the service wants the body: see `ask_for_body`.

        Raises `ClientDisconnected` where `leaving` is over before that.
        """
        if self.answer.continued or self.answer.status:
            return
        asked = self._asked = self._loop.create_future()
        timer = self._loop.call_later(self._limits.continue_s, self.ask_for_body)
        try:
            await until_left(asked, leaving)
        finally:
            self._asked = None
            timer.cancel()

    def ask_for_body(self) -> None:
        """The service wants the body: it has said so, or begun to answer, or has had its time."""
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    async def write_body(self, data: bytes) -> None:
        """Write a piece of a streamed body; returns when the service can take the next one."""
        self._write(data)
        if self._writable is not None:
            self.deadlines.await_progress()
            await self._writable
            self._await_progress()
        elif self._tunnel is not None:
            self._await_progress()

    def end_body(self, last: bytes) -> None:
        """The streamed body is over: from now on the service is expected to answer."""
        if last:
            self._write(last)
        self.uploading = False
        if self._lost:
            return
        if self.answer.status:
            self._await_progress()
        else:
            self.deadlines.await_head()
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
                if answer.continued:
                    self.ask_for_body()
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
        if self._lost:
            return
        if self._reading_paused or self.uploading:
            self.deadlines.await_client()
        else:
            self.deadlines.await_progress()

    def _on_deadline(self) -> None:
        if not self.busy:
            self.abort()  # unused for longer than keep_alive_s
        elif self.deadlines.passed():
            self.fail(self.deadlines.error(self._context.authority))
        else:
            self.wake()

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
        self.deadlines.close()
        self.resume_writing()
        if not self._lost:
            self._lost = True
            self._context.owner.lost(self)
