"""Bodies of raw bytes, as a caller may give them, and as they are sent."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import IO, Protocol, TypeAlias, TypeVar, cast

from .._errors import ArgumentError

SyncContent: TypeAlias = "bytes | str | os.PathLike[str] | IO[bytes] | Iterable[bytes]"
"""Bytes, text (sent as UTF-8), a path or an open file, or an iterable of chunks."""
Content: TypeAlias = "SyncContent | AsyncIterable[bytes]"
"""What the async client takes: the same, or an async iterable of chunks."""

CHUNK_BYTES = 256 * 1024

T = TypeVar("T")


class Body(Protocol):
    """Bytes to send, perhaps more than once."""

    @property
    def size_bytes(self) -> int | None:
        """None where only reading tells."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether the next attempt would send the same bytes: False once a source that runs dry was begun."""
        ...

    def chunks(self) -> Iterator[bytes]: ...

    def achunks(self) -> AsyncIterator[bytes]: ...


class BytesBody:
    """Bytes that are all there."""

    repeatable = True

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        yield self.data

    async def achunks(self) -> AsyncIterator[bytes]:
        yield self.data


class PathBody:
    """A file by its path, opened anew by each attempt."""

    repeatable = True

    def __init__(self, path: os.PathLike[str]) -> None:
        self._path = path
        with self._open() as file:
            status = os.fstat(file.fileno())
        # A pipe or a device has no size of its own.
        self.size_bytes = status.st_size if stat.S_ISREG(status.st_mode) else None

    def chunks(self) -> Iterator[bytes]:
        with self._open() as file:
            yield from _pieces(file, self.size_bytes)

    async def achunks(self) -> AsyncIterator[bytes]:
        async for chunk in in_thread(self.chunks):
            yield chunk

    def _open(self) -> IO[bytes]:
        try:
            return open(self._path, "rb")
        except OSError as error:
            raise ArgumentError(
                f"cannot read the file {os.fspath(self._path)!r}: {error.strerror}"
            ) from error


class FileBody:
    """An open file, read from where it stands; each further attempt goes back to there, if it can."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begun = False
        seekable = getattr(file, "seekable", None)
        self._start: int | None = file.tell() if seekable is not None and seekable() else None
        self.size_bytes = self._rest(self._start) if self._start is not None else None

    @property
    def repeatable(self) -> bool:
        return self._start is not None or not self._begun

    def chunks(self) -> Iterator[bytes]:
        self._begun = True
        if self._start is not None:
            self._file.seek(self._start)
        yield from _pieces(self._file, self.size_bytes)

    async def achunks(self) -> AsyncIterator[bytes]:
        async for chunk in in_thread(self.chunks):
            yield chunk

    def _rest(self, start: int) -> int:
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(start)
        return max(0, end - start)


class StreamBody:
    """An iterable of chunks; an iterator among them runs dry, a list does not."""

    size_bytes = None

    def __init__(self, source: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        self._source = source
        self._begun = False
        self._runs_dry = isinstance(source, Iterator | AsyncIterator)

    @property
    def repeatable(self) -> bool:
        return not (self._runs_dry and self._begun)

    def chunks(self) -> Iterator[bytes]:
        if not isinstance(self._source, Iterable):
            raise ArgumentError(
                "an async iterable was given as content; the sync client takes a plain iterable of bytes"
            )
        return self._through(self._source)

    def _through(self, source: Iterable[bytes]) -> Iterator[bytes]:
        self._begun = True  # only now: where no connection is made, nothing is taken from the source
        yield from map(_as_chunk, source)

    async def achunks(self) -> AsyncIterator[bytes]:
        self._begun = True
        if isinstance(self._source, AsyncIterable):
            async for chunk in self._source:
                yield _as_chunk(chunk)
        else:
            for chunk in self._source:
                yield _as_chunk(chunk)


class JoinedBody:
    """Several bodies, one after the other."""

    def __init__(self, parts: Iterable[Body]) -> None:
        self._parts = tuple(parts)

    @property
    def size_bytes(self) -> int | None:
        total = 0
        for part in self._parts:
            if part.size_bytes is None:
                return None
            total += part.size_bytes
        return total

    @property
    def repeatable(self) -> bool:
        return all(part.repeatable for part in self._parts)

    def chunks(self) -> Iterator[bytes]:
        for part in self._parts:
            yield from part.chunks()

    async def achunks(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            async for chunk in part.achunks():
                yield chunk


def body_of(content: object) -> Body:
    """What to send for `Content`.

    Raises `ArgumentError` for anything else.
    """
    if isinstance(content, bytes | bytearray | memoryview):
        return BytesBody(_as_chunk(cast("object", content)))
    if isinstance(content, str):
        return BytesBody(encode_utf8(content))
    if isinstance(content, os.PathLike):
        return PathBody(cast("os.PathLike[str]", content))
    if hasattr(content, "read"):
        return FileBody(cast("IO[bytes]", content))
    if isinstance(content, Iterable | AsyncIterable):
        return StreamBody(cast("Iterable[bytes] | AsyncIterable[bytes]", content))
    raise ArgumentError(
        "content must be bytes, str, a path, an open file or an iterable of bytes, "
        f"not {type(content).__name__}"
    )


def encode_utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ArgumentError(
            f"text cannot be sent as UTF-8: character {error.start} is a lone surrogate"
        ) from error


async def in_thread(make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """The items of an iterator that blocks, each fetched in a worker thread."""
    from anyio import to_thread  # costs 15 ms that only bodies of files need

    iterator = make()
    end = object()
    try:
        while (item := await to_thread.run_sync(next, iterator, end)) is not end:
            yield cast("T", item)
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


def _pieces(file: IO[bytes], size_bytes: int | None) -> Iterator[bytes]:
    """What is left of a file; its size was promised to the server, so that it must not change now."""
    read_bytes = 0
    while chunk := _as_chunk(file.read(CHUNK_BYTES)):
        read_bytes += len(chunk)
        if size_bytes is not None and read_bytes > size_bytes:
            break
        yield chunk
    if size_bytes is not None and read_bytes != size_bytes:
        raise ArgumentError("a file changed its size while it was being sent; send it again")


def _as_chunk(chunk: object) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(cast("memoryview[int]", chunk))
    raise ArgumentError(f"content must come in bytes, not {type(chunk).__name__}; open files in mode 'rb'")
