"""A client's connection: HTTP/1.1 parsed by llhttp, and what is refused before it becomes a request.

uvicorn's own protocol has no limits on slowness, sizes or repeated framing headers and refuses in plain text;
this one takes its place in uvicorn's server.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from dhatu_gateway.core.exchange import CONNECTION_KEY, UPGRADE, Header, Scope
from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.problem import Problem
from dhatu_gateway.core.server.clock import ConnectionClock, Phase
from dhatu_gateway.core.server.cycle import Application, Cycle
from dhatu_gateway.core.server.flow import Flow
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.server.peer import PEER_KEY, PeerCertificate, peer_certificate
from dhatu_gateway.core.server.request import Head, check_head, head_size_bytes, keep_trailer, split_target

BYTES_PER_BYTE = 17
"""What a byte of a chunked body may cost: itself, and the size and the line ends of a chunk of its own."""

_ASGI = {"version": "3.0", "spec_version": "2.4"}


class ServerProtocol(asyncio.Protocol):
    """One connection; pipelined requests wait for their turn."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ServerLimits,
        lifecycle: Lifecycle,
    ) -> None:
        self.transport: asyncio.Transport
        self.flow: Flow
        self._limits = limits
        self._lifecycle = lifecycle
        self._application = cast(Application, config.loaded_app)
        self._server_state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._clock = ConnectionClock(self._loop, limits, self._expired)
        self._server: tuple[str, int] | None = None
        self._client: tuple[str, int] | None = None
        self._scheme = "http"
        self._peer: PeerCertificate | None = None
        self._cycle: Cycle | None = None
        """The one that answers, or has answered last."""
        self._arriving: Cycle | None = None
        """The one whose body is being read; the last of those that wait, where some do."""
        self._waiting: deque[Cycle] = deque()
        self._serving = False
        self._idle: asyncio.Future[None] | None = None
        """Ends the task's wait for the next request."""
        self._upgrading: Cycle | None = None
        """The one that asks for another protocol, to which all bytes after it belong."""
        self._lost = False
        self._refused: Problem | None = None
        self._refused_method = ""
        """Where the whole head of what is refused could be read: an answer to HEAD has no body."""
        self._closing = False
        """No further request is taken; what still arrives is dropped."""
        self._target = b""
        self._headers: list[Header] = []
        self._in_head = False
        self._default_headers: list[Header] | None = None
        self._date_line = b""
        self._head_bytes = 0
        """Of an unfinished head, and of the data in which a head ended; else of the data at hand."""
        self._framing_bytes = 0
        """What has come beside the data of an unfinished body, less what the data at hand allows."""

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.flow = Flow(self.transport, self._clock, self._loop, stall_s=self._limits.write_stall_s)
        self._server_state.connections.add(cast(Any, self))
        self._server = _address(transport.get_extra_info("sockname"))
        self._client = _address(transport.get_extra_info("peername"))
        if transport.get_extra_info("sslcontext"):
            self._scheme = "https"
            self._peer = peer_certificate(transport.get_extra_info("peercert"))
        self._clock.start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server_state.connections.discard(cast(Any, self))
        self._clock.stop()
        self._closing = True
        for cycle in (self._cycle, *self._waiting):
            if cycle is not None:
                cycle.disconnected = True
                cycle.wake()
        self._waiting.clear()
        self._lost = True
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        self.flow.end()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            if self._upgrading is not None:
                self._keep(self._upgrading, data)
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # What follows is of another protocol. One that is declined, by answering the request as it is,
            # ends the connection: nothing that follows it is ever taken for a request.
            self._closing = True
            if self._arriving is not None and "extensions" in self._arriving.scope:
                self._upgrading = self._arriving
                self._keep(self._upgrading, data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            problem = self._refused or Problem(
                kind="malformed-request", detail=f"This is not a proper HTTP/1.1 request: {error}."
            )
            self._refuse(problem)
        else:
            self._check_unfinished()

    def pause_writing(self) -> None:
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()

    def resume_reading(self) -> None:
        if not self._waiting:
            self.flow.resume_reading()

    def date_line(self) -> bytes:
        headers = self._server_state.default_headers  # uvicorn makes a new list every second
        if headers is not self._default_headers:
            self._default_headers = headers
            self._date_line = b"".join([b"%b: %b\r\n" % header for header in headers])
        return self._date_line

    def retire(self, *, idle_s: float) -> None:
        """Close when the requests at hand have been answered, or now where none has come for `idle_s`.

        Called again and again while the process drains: a client that has just been answered, or has just
        connected, may already have sent its next request, and is told to leave with the answer to that.
        """
        if self._cycle is not None and not self._cycle.answered:
            (self._waiting[-1] if self._waiting else self._cycle).keep_alive = False
        elif not self._in_head and not self._closing and self._clock.lasted_s() >= idle_s:
            self._end()

    def answered(self) -> None:
        self._server_state.total_requests += 1
        if self._cycle is None or not self._cycle.keep_alive:
            self._close()
        elif self._waiting:
            self._run(self._waiting.popleft())
            self.resume_reading()
        elif self._refused is not None:
            self._answer_refused(self._refused)
        elif self._closing:
            self._close()
        else:
            # The last piece of a large body may have paused it, and nobody asks for more of this request.
            self.resume_reading()
            self._clock.enter("head" if self._in_head else "idle")

    # -- what llhttp calls, in this order

    def on_message_begin(self) -> None:
        self._in_head = True
        self._target = b""
        self._headers = []

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._headers.append((name.lower(), value))
        elif self._arriving is not None:
            # It comes when the fields have been checked, and never becomes one of them (RFC 9110, 6.5.1).
            trailer = (name.lower(), value)
            self._refused = keep_trailer(self._arriving.scope, trailer, self._head_bytes, self._limits)
            if self._refused is not None:
                raise ValueError("refused")

    def on_headers_complete(self) -> None:
        self._in_head = False
        parser = self._parser
        head = Head(
            parser.get_method().decode("ascii"), self._target, parser.get_http_version(), self._headers
        )
        self._refused = check_head(head, self._limits)
        if self._refused is None and self._head_bytes > self._limits.max_header_bytes:
            self._refused = self._check_head_size()
        target = split_target(head)
        if self._refused is None and target is None:
            detail = "The request target is neither a path nor a URL of the host in the Host field."
            self._refused = Problem(kind="malformed-request", detail=detail)
        if self._refused is not None or target is None:
            self._refused_method = head.method
            raise ValueError("refused")  # stops the parser; `data_received` answers
        self._framing_bytes = -self._head_bytes
        cycle = self._arriving = Cycle(
            self,
            self._scope(head, *target),
            keep_alive=head.version == "1.1" and parser.should_keep_alive() and not self._lifecycle.draining,
            expects_continue=head.expects_continue,
        )
        if head.names_protocol and parser.should_upgrade():
            cycle.keep_alive = False
            if head.version == "1.1":
                cycle.scope["extensions"] = {UPGRADE: {}}
        if self._cycle is None or self._cycle.answered:
            self._run(cycle)
        else:
            self._waiting.append(cycle)
            self.flow.pause_reading()

    def on_body(self, body: bytes) -> None:
        cycle = self._arriving
        if cycle is None or cycle.answered:
            return
        cycle.body = cycle.body + body if cycle.body else body
        self._clock.received(len(body))
        self._framing_bytes -= BYTES_PER_BYTE * len(body)
        if len(cycle.body) > self._limits.high_water_bytes:
            self.flow.pause_reading()
        cycle.wake()

    def on_message_complete(self) -> None:
        cycle = self._arriving
        if cycle is not None:
            cycle.body_complete = True
            cycle.wake()
        self._clock.phase = "answer"

    # -- the rest

    def _scope(self, head: Head, path: bytes, query: bytes) -> Scope:
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": head.version,
            "server": self._server,
            "client": self._client,
            "scheme": self._scheme,
            "method": head.method,
            "root_path": "",
            # Not decoded: whoever decides on a path decides on the canonical form of `raw_path`.
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": head.headers,
            "state": self._app_state,
            CONNECTION_KEY: self.flow,
        }
        if self._peer is not None:
            scope[PEER_KEY] = self._peer
        return scope

    def _run(self, cycle: Cycle) -> None:
        """Make a cycle the current one. One task serves all of a connection's requests: tasks are dear."""
        self._cycle = cycle
        if self._idle is not None:
            if not self._idle.done():
                self._idle.set_result(None)
        elif not self._serving:
            self._serving = True
            tasks = self._server_state.tasks
            task = self._loop.create_task(self._serve())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _serve(self) -> None:
        # A refusal is a cycle that has been answered already: the application never sees it.
        while not self._lost and (cycle := self._cycle) is not None and not cycle.answered:
            await cycle.run(self._application)
            if self._cycle is cycle and not self._lost:
                self._idle = self._loop.create_future()
                await self._idle
                self._idle = None

    def _check_head_size(self) -> Problem | None:
        limit = self._limits.max_header_bytes
        if head_size_bytes(self._target, self._headers) > limit:
            return Problem(
                kind="headers-too-large", detail=f"The header fields may have {limit} bytes together."
            )
        return None

    def _check_unfinished(self) -> None:
        if not self._in_head:
            if self._arriving is not None and not self._arriving.body_complete:
                self._check_unfinished_body()
            self._head_bytes = 0
            return
        if self._clock.phase != "head" and (self._cycle is None or self._cycle.answered):
            self._clock.enter("head")
        limits = self._limits
        if not self._headers and len(self._target) > limits.max_target_bytes:
            detail = f"Path and query may have {limits.max_target_bytes} bytes together."
            self._refuse(Problem(kind="uri-too-long", detail=detail))
        elif self._head_bytes > limits.max_header_bytes + limits.max_target_bytes:
            detail = f"The header fields may have {limits.max_header_bytes} bytes together."
            self._refuse(Problem(kind="headers-too-large", detail=detail))

    def _expired(self, phase: Phase) -> None:
        match phase:
            case "head" if self._in_head:
                self._refuse(Problem(kind="request-timeout", detail="The header fields came too slowly."))
            case "body":
                self._refuse(Problem(kind="request-timeout", detail="The body came too slowly."))
            case "linger" | "flush":
                self.transport.abort()
            case _:
                self._end()

    def _keep(self, cycle: Cycle, data: bytes) -> None:
        if cycle.hold(data) > self._limits.high_water_bytes:
            self.flow.pause_reading()

    def _check_unfinished_body(self) -> None:
        if self._clock.phase != "body" and not self._closing:
            self._clock.enter("body")
        self._framing_bytes = max(0, self._framing_bytes + self._head_bytes)
        if self._framing_bytes > self._limits.max_framing_bytes:
            detail = "The body has more chunk extensions and trailers than it has data."
            self._refuse(Problem(kind="content-too-large", detail=detail))

    def _refuse(self, problem: Problem) -> None:
        """Answer what cannot become, or stay, a request; the connection is not used again."""
        self._closing = True
        self._refused = problem
        if self._arriving is not None and not self._arriving.body_complete:
            self._arriving.failure = problem
            self._arriving.wake()
        elif self._cycle is None or self._cycle.answered:
            self._answer_refused(problem)
        # Otherwise `answered` comes back to it, once the requests before it have been answered.

    def _answer_refused(self, problem: Problem) -> None:
        scope = {"method": self._refused_method, "http_version": "1.1"}
        self._cycle = Cycle(self, scope, keep_alive=False, expects_continue=False)
        self._cycle.refuse(problem)

    def _close(self) -> None:
        """Close the connection, but not over data that was not read: the reset would outrun the answer."""
        arriving = self._arriving
        if self._refused is None and not self._closing and (arriving is None or arriving.body_complete):
            self._end()
            return
        self._closing = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._clock.enter("linger")

    def _end(self) -> None:
        """Close when the client has read what is written; one that does not read is cut off."""
        self._closing = True
        self.flow.resume_reading()
        self.transport.close()
        self._clock.enter("flush")


def _address(address: Any) -> tuple[str, int] | None:
    """A socket's address; None for a Unix socket, whose address is a text."""
    return None if not address or isinstance(address, str | bytes) else (str(address[0]), int(address[1]))
