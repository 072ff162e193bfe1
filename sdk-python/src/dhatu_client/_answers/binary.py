"""Answers of bytes, read as they arrive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self, TypedDict, Unpack

from .._call import OnProgress
from .._wire import AnswerReader, AsyncAnswerReader, TransportFailed
from .reading import Give, Read, Reading
from .streamed import AsyncStreamedAnswer, StreamHead, SyncStreamedAnswer


class SaveOptions(TypedDict, total=False):
    """How a download is saved."""

    on_progress: OnProgress
    """Called with the `Progress` of the file."""
    progress: bool
    """True: draw a bar of that on the terminal, for which the extra `progress` is needed."""
    resume: bool
    """False: go on neither with a connection that broke nor with what an earlier call left, and leave
    nothing."""
    checksum: str
    """`sha256:` and the digest of the file in hex, or another algorithm of `hashlib`."""


class BinaryResponse(AsyncStreamedAnswer[bytes]):
    """Bytes that are still arriving, to `read()`, to `save(path)`, or to go through chunk by chunk.

    They can be read once. Reading raises `TransportError` where the connection breaks.
    """

    def __init__(self, head: StreamHead, reader: AsyncAnswerReader) -> None:
        super().__init__(head, reader, _pieces(head))
        self._begun = False

    async def read(self) -> bytes:
        """All bytes that are left."""
        return b"".join([chunk async for chunk in self])

    async def save(self, path: str | os.PathLike[str], **options: Unpack[SaveOptions]) -> int:
        """Write all bytes that are left to a file, which appears when it is whole; return its size.

        Where the server offers ranges and says which version it sends (a strong ETag, or Last-Modified), a
        connection that breaks is made anew and only the rest fetched; what could not be finished stays beside
        the file as `NAME.part`, for a later call to go on with. The size and the digests that the server
        states are checked, unless the answer is compressed: ask for
        `extra_headers={"Accept-Encoding": "identity"}` where that matters.

        Raises `ChecksumError`, and `TransportError` where the connection breaks for good.
        """
        saving = _saving(self._head, Path(path), options, begun=self._begun)
        size_bytes = await self._source.advance(saving)
        saving.close()
        await self.aclose()
        return size_bytes

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._begun = True
        return await self._source.advance(self._reading)


class SyncBinaryResponse(SyncStreamedAnswer[bytes]):
    """The twin of `BinaryResponse` for code without an event loop."""

    def __init__(self, head: StreamHead, reader: AnswerReader) -> None:
        super().__init__(head, reader, _pieces(head))
        self._begun = False

    def read(self) -> bytes:
        """All bytes that are left."""
        return b"".join(self)

    def save(self, path: str | os.PathLike[str], **options: Unpack[SaveOptions]) -> int:
        """As `BinaryResponse.save`."""
        saving = _saving(self._head, Path(path), options, begun=self._begun)
        size_bytes = self._source.advance(saving)
        saving.close()
        self.close()
        return size_bytes

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        self._begun = True
        return self._source.advance(self._reading)


def _saving(head: StreamHead, path: Path, options: SaveOptions, *, begun: bool) -> Reading[int]:
    """Raises `ArgumentError`, `ConfigurationError` or `TypeError` for options that cannot be."""
    from .._progress import Bar, Meter
    from .checksums import promised_by_caller  # hashing is for those who save
    from .download import Order, download

    for unknown in options.keys() - SaveOptions.__optional_keys__:
        raise TypeError(f"save() got an unexpected keyword argument {unknown!r}")
    bar = Bar(path.name, head.distribution) if options.get("progress") else None
    order = Order(
        path=path,
        promises=promised_by_caller(options.get("checksum", "")),
        resume=options.get("resume", True),
        meter=Meter(options.get("on_progress"), bar),
        begun=begun,
    )
    return download(head, order)


def _pieces(head: StreamHead) -> Reading[bytes]:
    """The pieces of the body as they arrive."""
    try:
        while (chunk := (yield Read())) is not None:
            yield Give(chunk)
    except TransportFailed as failed:
        raise head.error(failed) from failed.failure.cause
