"""Answers that stream while their request is still arriving."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import Final, Protocol, final

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

_START_BYTES: Final = 1 << 20
"""So much output is held back, so that what goes wrong early still gets an error status."""
_CHUNK_BYTES: Final = 64 << 10
_INLINE_BYTES: Final = 4096
"""Pieces up to this size are transformed faster than a thread would start."""


class Transform(Protocol):
    """Bytes in, bytes out; `finish` is called once, at the end of the input."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def finish(self) -> Iterator[bytes]: ...


async def transformed(
    source: AsyncIterator[bytes], transform: Transform, headers: Mapping[str, str]
) -> Response:
    """The response that sends what `transform` makes of `source`.

    Raises what the transform raises before it has given 1 MiB; an error after that cuts the response off.
    """
    output = _Spool()
    producer = asyncio.create_task(_produce(source, transform, output))
    try:
        await output.wait_for(_START_BYTES)
    except BaseException:
        await _stop(producer, output)
        raise
    return _DuplexResponse(output, producer, headers)


async def _produce(source: AsyncIterator[bytes], transform: Transform, output: _Spool) -> None:
    try:
        async for data in source:
            await _write_all(transform.feed(data), output, inline=len(data) <= _INLINE_BYTES)
        await _write_all(transform.finish(), output, inline=False)
    except Exception as error:
        output.fail(error)
    else:
        output.end()


async def _write_all(pieces: Iterator[bytes], output: _Spool, *, inline: bool) -> None:
    while True:
        piece = next(pieces, None) if inline else await asyncio.to_thread(next, pieces, None)
        if piece is None:
            return
        output.write(piece)


async def _stop(producer: asyncio.Task[None], output: _Spool) -> None:
    producer.cancel()
    await asyncio.wait([producer])
    output.close()


@final
class _Spool:
    """A queue of bytes without an upper bound on memory: beyond 1 MiB it lies in a temporary file.

    The input is read however slowly the output is fetched, because many clients send all of a request before
    they read any of the answer, and would otherwise wait for us while we wait for them.
    """

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](max_size=_START_BYTES)
        self._read_at = 0
        self._written_to = 0
        self._ended = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def write(self, data: bytes) -> None:
        self._file.seek(self._written_to)
        self._file.write(data)
        self._written_to += len(data)
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._changed.set()

    def close(self) -> None:
        self._file.close()

    async def wait_for(self, size_bytes: int) -> None:
        """Returns once so much can be read, or everything; raises what `fail` was given."""
        while True:
            if self._error is not None:
                raise self._error
            if self._ended or self._written_to - self._read_at >= size_bytes:
                return
            self._changed.clear()
            await self._changed.wait()

    async def read(self) -> bytes:
        """The next piece; empty at the end."""
        await self.wait_for(1)
        self._file.seek(self._read_at)
        data = self._file.read(_CHUNK_BYTES)
        self._read_at += len(data)
        if self._read_at == self._written_to:
            self._read_at = self._written_to = 0
            self._file.seek(0)
            self._file.truncate()
        return data


@final
class _DuplexResponse(Response):
    """Starlette's StreamingResponse reads the request in search of a disconnect, and would eat the body."""

    media_type = "application/octet-stream"

    def __init__(self, output: _Spool, producer: asyncio.Task[None], headers: Mapping[str, str]) -> None:
        super().__init__(headers=dict(headers))
        del self.headers["content-length"]
        self._output = output
        self._producer = producer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while data := await self._output.read():
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await _stop(self._producer, self._output)


async def first_bytes(request: Request, size_bytes: int) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes of the body, or all where it is shorter, and an iterator over the whole body."""
    stream = request.stream()
    head = b""
    async for data in stream:
        head += data
        if len(head) >= size_bytes:
            break

    async def whole() -> AsyncIterator[bytes]:
        yield head
        async for data in stream:
            yield data

    return head, whole()
