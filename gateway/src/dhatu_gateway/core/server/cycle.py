"""One request on a client's connection and its answer: the ASGI side of `protocol`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Literal, Protocol

from dhatu_gateway.core.exchange import UPGRADE, Header, Message, Receive, Scope, Send
from dhatu_gateway.core.headers import last_chunk
from dhatu_gateway.core.problem import INTERNAL_ERROR, Problem, ProblemError, problem_headers
from dhatu_gateway.core.server.flow import Flow

Application = Callable[[Scope, Receive, Send], Awaitable[Any]]

_STATUS_LINES: dict[int, bytes] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus
}
_SWITCHING = 101
_BODILESS = frozenset({204, 304})
_join_field = b": ".join

_logger = logging.getLogger("dhatu.server")


class Connection(Protocol):
    """What a cycle needs of the connection that it runs on."""

    transport: asyncio.Transport
    flow: Flow

    def date_line(self) -> bytes:
        """Return the Date field, as a whole line."""
        ...

    def resume_reading(self) -> None:
        """Go on reading, if reading was paused because nobody took what had arrived."""
        ...

    def answered(self) -> None:
        """The answer of the current request is complete: go on with the next one, or close."""
        ...


class Cycle:
    """Runs the application on one request, feeds it the body and writes its answer."""

    __slots__ = (
        "_connection",
        "_ended",
        "_framing",
        "_head",
        "_remaining_bytes",
        "_started",
        "_waiter",
        "answered",
        "beyond",
        "body",
        "body_complete",
        "disconnected",
        "expects_continue",
        "failure",
        "keep_alive",
        "scope",
        "tunnelling",
    )

    def __init__(
        self, connection: Connection, scope: Scope, *, keep_alive: bool, expects_continue: bool
    ) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.expects_continue = expects_continue
        self.body = b""
        """What has arrived and has not been received yet."""
        self.body_complete = False
        self.answered = False
        self.disconnected = False
        self.beyond = b""
        """What has come after a request for another protocol: nobody's, unless that is switched to."""
        self.tunnelling = False
        """The protocol has been switched: bytes go both ways as they are."""
        self.failure: Problem | None = None
        """Why the rest of the body will never come, though the client is still there."""
        self._connection = connection
        self._ended = False
        """The application has received the end of the body."""
        self._started = False
        self._head = b""
        """Held back until the first piece of the body, so that both leave in one write."""
        self._framing: Literal["length", "chunked", "close", "none"] = "none"
        """How the client finds the end of the answer's body (RFC 9112 section 6.3)."""
        self._remaining_bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    async def run(self, application: Application) -> None:
        """Call the application; an answer that it leaves unfinished is cut off."""
        try:
            await application(self.scope, self.receive, self.send)
        except Exception:
            if not self.disconnected:
                _logger.exception("the application failed on %s", self.scope["path"])
            if not self._started and not self.disconnected:
                self.refuse(INTERNAL_ERROR)
        finally:
            if not self.answered and not self.disconnected:
                # A truncated answer must not look whole: no last chunk, no orderly end.
                self._connection.transport.abort()

    def refuse(self, problem: Problem) -> None:
        """Answer without the application and close the connection afterwards."""
        self.keep_alive = False
        body = problem.to_json()
        self._start(problem.status, problem_headers(problem, body))
        self._write(body, more=False)

    def hold(self, data: bytes) -> int:
        """Take what comes after a request for another protocol; answers how many bytes wait."""
        if self.answered:
            return 0
        if not self.tunnelling:
            self.beyond += data
            return len(self.beyond)
        self.body = self.body + data if self.body else data
        self.wake()
        return len(self.body)

    def wake(self) -> None:
        """Let `receive` look again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self) -> Message:
        """The request's ASGI events; raises `ProblemError` where the body is late or malformed."""
        if self.expects_continue:
            self.expects_continue = False
            if not self.body and not self.body_complete and not self._started:
                self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self.answered and (not self.disconnected or (self.tunnelling and self.body)):
            if not self._ended:
                if self.body or self.body_complete:
                    body, self.body = self.body, b""
                    self._ended = self.body_complete
                    return {"type": "http.request", "body": body, "more_body": not self._ended}
                if self.failure is not None:
                    raise ProblemError(self.failure.kind, self.failure.detail)
            self._connection.resume_reading()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take the answer's ASGI events; raises `ConnectionResetError` where the client is gone.

        Beyond ASGI, the last piece of a body may bring `trailers`.
        """
        if self.disconnected:
            raise ConnectionResetError("the client has closed its connection")
        if message["type"] == "http.response.start":
            self._start(message["status"], message.get("headers", ()))
            return
        if "trailers" in message:
            self._write_last(message["body"], message["trailers"])
        else:
            self._write(message.get("body", b""), more=message.get("more_body", False))
        flow = self._connection.flow
        if flow.write_paused:
            await flow.writable()

    def _start(self, status: int, headers: Sequence[Header]) -> None:
        if self._started:
            raise RuntimeError("the answer has been started already")
        fields = dict(headers)
        if b"transfer-encoding" in fields:
            headers = [header for header in headers if header[0] != b"transfer-encoding"]
        lines = list(map(_join_field, headers))
        if status == _SWITCHING:
            self._switch()
        elif status in _BODILESS or self.scope["method"] == "HEAD":
            self._framing = "none"
        elif b"content-length" in fields:
            self._framing = "length"
            self._remaining_bytes = int(fields[b"content-length"])
        elif self.scope["http_version"] == "1.1":
            self._framing = "chunked"
            lines.append(b"transfer-encoding: chunked")
        else:
            self._framing = "close"
            self.keep_alive = False
        if not self.body_complete or b"close" in fields.get(b"connection", b""):
            self.keep_alive = False
        if not self.keep_alive and b"connection" not in fields:
            lines.append(b"connection: close")
        lines.append(b"\r\n")
        head = b"\r\n".join(lines)
        line_ends = len(lines)
        if head.count(b"\n") != line_ends or head.count(b"\r") != line_ends or b"\0" in head:
            raise ValueError("a header of the answer has a line break or a NUL in it")
        self._started = True
        status_line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        self._head = status_line + self._connection.date_line() + head

    def _switch(self) -> None:
        if UPGRADE not in self.scope.get("extensions", ()):
            raise RuntimeError("the client has not asked for another protocol")
        self.tunnelling = True
        self.keep_alive = False
        self._framing = "close"
        self._ended = self.body_complete = False
        self.body, self.beyond = self.beyond, b""

    def _write(self, body: bytes, *, more: bool) -> None:
        if not self._started or self.answered:
            raise RuntimeError("a body must come after the start of the answer and before its end")
        data = self._framed(body, more=more)
        if self._head:
            data = self._head + data
            self._head = b""
        if data:
            self._connection.transport.write(data)
        if not more:
            self.answered = True
            self._connection.answered()

    def _write_last(self, body: bytes, trailers: Sequence[Header]) -> None:
        """End the answer with trailers, which only chunks can have."""
        if self._framing != "chunked":
            self._write(body, more=False)
            return
        last = last_chunk(trailers)
        self._write(body, more=True)
        self._framing = "close"
        self._write(last, more=False)

    def _framed(self, body: bytes, *, more: bool) -> bytes:
        match self._framing:
            case "length":
                self._remaining_bytes -= len(body)
                if self._remaining_bytes < 0 or (self._remaining_bytes and not more):
                    raise RuntimeError("the body of the answer has not the length that was announced")
                return body
            case "chunked":
                framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
                return framed if more else framed + b"0\r\n\r\n"
            case "close":
                return body
            case "none":
                return b""
