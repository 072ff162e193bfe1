"""An exchange that is more than one small answer: streams, slow services, vanished clients."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from dhatu_gateway.core.headers import last_chunk
from dhatu_gateway.core.upstream.connection import Connection
from dhatu_gateway.core.upstream.errors import (
    BodyLengthMismatch,
    ClientDisconnected,
    UpstreamAborted,
    UpstreamError,
)
from dhatu_gateway.core.upstream.request import chunk
from dhatu_gateway.core.upstream.types import Headers, ResponseSink, UpstreamRequest

_REFUSED: Final = 300
"""From this status on, an answer before the body says that it is not wanted (RFC 9110 section 10.1.1)."""


class StreamedExchange:
    """Carries an exchange that has begun on `connection` to its end.

    Upload and answer run side by side, as a service may answer before it has read everything. The request's
    stream and the watch for the client's disconnect read from one source, so the watch starts after the
    upload.
    """

    __slots__ = ("_answer_started", "_connection", "_released", "_request", "_sink", "_tasks", "_watching")

    def __init__(self, connection: Connection, request: UpstreamRequest, sink: ResponseSink) -> None:
        self._connection = connection
        self._request = request
        self._sink = sink
        self._tasks: list[asyncio.Task[None]] = []
        self._answer_started = False
        self._released = False
        self._watching = False

    async def run(self) -> None:
        """Return when the whole answer has gone to the sink and the connection has been released."""
        try:
            if self._connection.uploading:
                self._spawn(self._upload())
            await self._pass_on()
        except UpstreamError as error:
            if not self._answer_started:
                raise
            aborted = UpstreamAborted(f"{error}, after the head of its answer", endpoint=error.endpoint)
            raise aborted from error
        finally:
            if not self._released:
                self._released = True
                self._connection.abort()
            await self._end_tasks()

    async def _pass_on(self) -> None:
        connection, sink = self._connection, self._sink
        answer = connection.answer
        while True:
            if connection.error is not None:
                raise connection.error
            if connection.deadlines.slow and not self._watching and not connection.uploading:
                self._watching = True
                self._spawn(self._watch())
            if answer.status == 0:
                await connection.changed()
                continue
            if answer.switched:
                await self._pass_both_ways()
                return
            complete = answer.complete
            piece = connection.take()
            trailers = answer.trailers
            if complete:
                self._released = True  # from here on the connection may serve another exchange
                connection.release()
            head_due = not self._answer_started
            if head_due:
                self._answer_started = True
                connection.ask_for_body()
                if not complete and _is_event_stream(answer.headers):
                    connection.lift_deadline()
                sink.start(answer.status, answer.headers)
            if complete:
                if trailers and self._request.trailers is not None:
                    self._request.trailers += trailers
                await sink.body(piece, False)
                return
            if piece or head_due:
                await sink.body(piece, True)
            else:
                await connection.changed()

    async def _pass_both_ways(self) -> None:
        """Carry a tunnel until either side ends it, in whatever way: there is no other end to it."""
        connection, sink, answer = self._connection, self._sink, self._connection.answer
        connection.switch()
        self._answer_started = True
        sink.start(answer.status, answer.headers)
        await sink.body(connection.take(), True)
        await self._end_tasks()  # the watch: what the client sends now is for the service
        self._spawn(self._send_on())
        while not self._released:
            error = connection.error
            if error is not None and not isinstance(error, UpstreamError):
                raise error
            ended = answer.complete or error is not None
            piece = connection.take()
            if ended:
                await sink.body(piece, False)
                return
            if piece:
                await sink.body(piece, True)
            else:
                await connection.changed()

    async def _send_on(self) -> None:
        """Pass on what the client sends into a tunnel, and its end."""
        if self._request.stream is not None:
            async for data in self._request.stream:
                await self._connection.write_body(data)
        self._released = True
        self._connection.finish()

    async def _upload(self) -> None:
        request, connection = self._request, self._connection
        if request.stream is None:
            return
        upload, length = request.upload, request.content_length
        if upload is not None and upload.expects_continue:
            await connection.asked_for_body(upload.left)
            if connection.answer.status >= _REFUSED:
                return  # nobody would read it; what has been promised and not sent ends the connection
        sent_bytes = 0
        async for data in request.stream:
            if connection.error is not None:
                return
            sent_bytes += len(data)
            if length is not None and sent_bytes > length:
                raise BodyLengthMismatch(f"the request body is longer than the {length} bytes announced")
            if data:
                await connection.write_body(data if length is not None else chunk(data))
        if length is not None and sent_bytes != length:
            raise BodyLengthMismatch(f"the request body ended after {sent_bytes} of {length} bytes")
        trailers = upload.trailers() if upload is not None and length is None else ()
        connection.end_body(last_chunk(trailers) if length is None else b"")

    async def _watch(self) -> None:
        await self._sink.client_gone()
        raise ClientDisconnected("the client closed its connection while the service was answering")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_task_done)
        self._tasks.append(task)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception) and not self._released:
            self._connection.fail(error)

    async def _end_tasks(self) -> None:
        if self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)


def _is_event_stream(headers: Headers) -> bool:
    return any(
        name == b"content-type" and value.lower().startswith(b"text/event-stream") for name, value in headers
    )
