"""Answers of bytes, read as they arrive."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from pathlib import Path
from types import TracebackType
from typing import Self

from ._streamed import StreamedAnswer, StreamHead
from ._wire import AnswerReader, AsyncAnswerReader, TransportFailed


class BinaryResponse(StreamedAnswer):
    """Bytes that are still arriving, to `read()`, to `save(path)`, or to go through chunk by chunk.

    They can be read once. Reading raises `TransportError` where the connection breaks.
    """

    def __init__(self, head: StreamHead, reader: AsyncAnswerReader) -> None:
        super().__init__(head)
        self._reader = reader
        self._chunks = self._read()

    async def read(self) -> bytes:
        """All bytes that are left."""
        return b"".join([chunk async for chunk in self])

    async def save(self, path: str | os.PathLike[str]) -> int:
        """Write all bytes that are left to a file, which appears when it is whole; return their number."""
        from anyio import to_thread  # only saving needs threads

        size_bytes = 0
        part = _part(path)
        file = await to_thread.run_sync(part.open, "wb")
        try:
            with file:
                async for chunk in self:
                    await to_thread.run_sync(file.write, chunk)
                    size_bytes += len(chunk)
            await to_thread.run_sync(part.replace, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return size_bytes

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await self._chunks.__anext__()

    async def aclose(self) -> None:
        """Stop reading and free the connection."""
        await self._chunks.aclose()
        await self._reader.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(self) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._reader.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        except TransportFailed as failed:
            raise self._head.error(failed) from failed.failure.cause
        finally:
            await self._reader.aclose()


class SyncBinaryResponse(StreamedAnswer):
    """The twin of `BinaryResponse` for code without an event loop."""

    def __init__(self, head: StreamHead, reader: AnswerReader) -> None:
        super().__init__(head)
        self._reader = reader
        self._chunks = self._read()

    def read(self) -> bytes:
        """All bytes that are left."""
        return b"".join(self)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write all bytes that are left to a file, which appears when it is whole; return their number."""
        size_bytes = 0
        part = _part(path)
        try:
            with part.open("wb") as file:
                for chunk in self:
                    file.write(chunk)
                    size_bytes += len(chunk)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return size_bytes

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Stop reading and free the connection."""
        self._chunks.close()
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> Generator[bytes, None, None]:
        try:
            with closing(self._reader.chunks()) as chunks:
                yield from chunks
        except TransportFailed as failed:
            raise self._head.error(failed) from failed.failure.cause
        finally:
            self._reader.close()


def _part(path: str | os.PathLike[str]) -> Path:
    """The file beside `path` that is written first."""
    whole = Path(path)
    return whole.with_name(whole.name + ".part")
