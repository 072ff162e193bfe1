"""The connections to one endpoint: kept for reuse, limited in number, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dhatu_gateway.core.upstream.connection import Connection, ConnectionContext
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.errors import Phase, UpstreamOverloaded, UpstreamTimeout, UpstreamUnavailable
from dhatu_gateway.core.upstream.staying import Leaving, until_left
from dhatu_gateway.core.upstream.timer import LazyTimer
from dhatu_gateway.core.upstream.types import UpstreamLimits


@dataclass(slots=True, eq=False)
class _Ticket:
    """A place in the queue."""

    result: asyncio.Future[Connection | None]
    """A connection, or None for the right to open one."""
    expires_s: float


class ConnectionPool:
    """Hands out connections, the last used first, so that the others may expire.

    Every open or opening connection takes one of `max_connections` slots; who finds none free waits in turn.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        limits: UpstreamLimits,
        tls: ssl.SSLContext | None,
        clock: Callable[[], float],
    ) -> None:
        self.endpoint = endpoint
        self._limits = limits
        self._clock = clock
        self._tls = (tls or ssl.create_default_context()) if endpoint.tls else None
        self._loop = asyncio.get_running_loop()
        self._server_name = endpoint.found_as or endpoint.host if endpoint.tls else None
        self._context = ConnectionContext(
            authority=endpoint.authority,
            host_header=endpoint.host_header,
            limits=limits,
            owner=self,
            clock=clock,
        )
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._detached: set[Connection] = set()
        """Tunnels: open, but they take no slot."""
        self._slots_taken = 0
        self._queue: deque[_Ticket] = deque()
        self._queue_timer = LazyTimer(self._loop, clock, self._expire_tickets)
        self._closing = ""
        """Why no new request is taken; empty while they are."""

    def take(self) -> Connection | None:
        """Return an idle connection that is alive as far as one can know, if there is one."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def acquire(self, deadline_s: float, leaving: Leaving | None = None) -> Connection:
        """Return a connection: an idle one, a new one, or the next that is given back.

        Raises `UpstreamUnavailable` and `UpstreamTimeout`, and `ClientDisconnected` where `leaving` is over
        while it waits for others.
        """
        while True:
            connection = self.take()
            if connection is not None:
                return connection
            if self._closing:
                raise self._unavailable(f"is no longer in use: {self._closing}")
            if self._slots_taken < self._limits.max_connections:
                self._slots_taken += 1
                return await self._connect(deadline_s)
            connection = await self._wait(deadline_s, leaving)
            if connection is None:
                return await self._connect(deadline_s)
            if connection.usable:  # else it was lost on its way to us
                return connection

    def discard_idle(self) -> None:
        """Close the idle connections: one of them was found dead, and the others are no younger."""
        while self._idle:
            self._idle.pop().abort()

    def close(self, why: str = "the gateway is shutting down") -> None:
        """Keep nothing from now on, refuse who waits, and close what is idle; exchanges under way may end."""
        self._closing = why
        self.discard_idle()
        self._queue_timer.close()
        for ticket in self._queue:
            if not ticket.result.done():
                ticket.result.set_exception(self._unavailable(f"was given up: {why}"))
        self._queue.clear()

    def abort(self) -> None:
        """Cut off every exchange that is still under way."""
        for connection in tuple(self._open):
            error = self._unavailable("was cut off: the gateway is shutting down")
            error.unsent = False
            connection.fail(error)

    @property
    def is_empty(self) -> bool:
        """Whether no connection is open or opening."""
        return self._slots_taken == 0 and not self._detached

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    # What connections report.

    def released(self, connection: Connection) -> None:
        if self._closing:
            connection.abort()
            return
        ticket = self._next_ticket()
        if ticket is None:
            self._idle.append(connection)
        else:
            ticket.result.set_result(connection)

    def detached(self, connection: Connection) -> None:
        """A tunnel may last for days: its slot goes to requests, which `max_connections` counts."""
        if connection in self._open:
            self._detached.add(connection)
            self._free_slot()

    def lost(self, connection: Connection) -> None:
        if connection not in self._open:
            return  # never counted: its connection attempt failed, and gives the slot back itself
        self._open.remove(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if connection in self._detached:
            self._detached.remove(connection)
        else:
            self._free_slot()

    # Inside.

    async def _connect(self, deadline_s: float) -> Connection:
        """Open a connection on a slot already taken; gives the slot back when it fails."""
        endpoint = self.endpoint
        timeout_s = min(self._limits.connect_s, deadline_s - self._clock())
        try:
            if timeout_s <= 0:
                raise TimeoutError
            async with asyncio.timeout(timeout_s):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._context, self._loop),
                    endpoint.host,
                    endpoint.port,
                    ssl=self._tls,
                    server_hostname=self._server_name,
                )
        except TimeoutError as error:
            self._free_slot()
            phase: Phase = "connect" if timeout_s == self._limits.connect_s else "total"
            message = f"{endpoint.authority} did not accept a connection within {max(timeout_s, 0):.3f} s"
            raise UpstreamTimeout(message, phase=phase, endpoint=endpoint.authority) from error
        except OSError as error:
            self._free_slot()
            raise self._unavailable(f"cannot be reached: {error}") from error
        except BaseException:
            self._free_slot()
            raise
        if not connection.usable:
            self._free_slot()
            raise self._unavailable("accepted a connection and closed it at once")
        self._open.add(connection)
        return connection

    async def _wait(self, deadline_s: float, leaving: Leaving | None) -> Connection | None:
        """Wait for a connection or for a slot."""
        if len(self._queue) >= self._limits.max_pending:
            raise self._overloaded(f"{len(self._queue)} requests already wait for a connection")
        expires_s = min(deadline_s, self._clock() + self._limits.connect_s)
        ticket = _Ticket(self._loop.create_future(), expires_s)
        self._queue.append(ticket)
        self._queue_timer.set(min(expires_s, self._queue_timer.due_s))
        try:
            return await until_left(ticket.result, leaving)
        except BaseException:
            self._return_ticket(ticket)
            raise

    def _return_ticket(self, ticket: _Ticket) -> None:
        """Undo what a ticket brought to somebody who no longer waits."""
        if ticket in self._queue:
            self._queue.remove(ticket)
        elif ticket.result.done() and not ticket.result.cancelled() and ticket.result.exception() is None:
            connection = ticket.result.result()
            if connection is None:
                self._free_slot()
            else:
                self.released(connection)

    def _next_ticket(self) -> _Ticket | None:
        while self._queue:
            ticket = self._queue.popleft()
            if not ticket.result.done():
                return ticket
        return None

    def _free_slot(self) -> None:
        ticket = None if self._closing else self._next_ticket()
        if ticket is None:
            self._slots_taken -= 1
        else:
            ticket.result.set_result(None)

    def _expire_tickets(self) -> None:
        now_s = self._clock()
        waiting: deque[_Ticket] = deque()
        for ticket in self._queue:
            if ticket.expires_s > now_s:
                waiting.append(ticket)
            elif not ticket.result.done():
                ticket.result.set_exception(
                    self._overloaded(f"none of its {self._slots_taken} connections became free")
                )
        self._queue = waiting
        if waiting:
            self._queue_timer.set(min(ticket.expires_s for ticket in waiting))

    def _unavailable(self, why: str) -> UpstreamUnavailable:
        authority = self.endpoint.authority
        return UpstreamUnavailable(f"{authority} {why}", endpoint=authority)

    def _overloaded(self, why: str) -> UpstreamOverloaded:
        authority = self.endpoint.authority
        return UpstreamOverloaded(f"{authority} is overloaded: {why}", endpoint=authority)
