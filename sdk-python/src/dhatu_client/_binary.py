"""Answers of bytes, read as they arrive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from ._call import OnProgress
from ._download import Order, download
from ._progress import Meter
from ._reading import Give, Read, Reading
from ._streamed import AsyncStreamedAnswer, StreamHead, SyncStreamedAnswer
from ._wire import AnswerReader, AsyncAnswerReader, TransportFailed


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

    async def save(
        self,
        path: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
        progress: bool = False,
        resume: bool = True,
        checksum: str = "",
    ) -> int:
        """Write all bytes that are left to a file, which appears when it is whole; return its size.

        Where the server offers ranges and says which version it sends (a strong ETag, or Last-Modified), a
        connection that breaks is made anew and only the rest fetched; what could not be finished stays beside
        the file as `NAME.part`, for a later call to go on with. `resume=False` turns both off. The size and
        the digests that the server states are checked, unless the answer is compressed: ask for
        `extra_headers={"Accept-Encoding": "identity"}` where that matters. `checksum="sha256:..."` is checked
        in any case. `progress=True` draws a bar on the terminal, for which it needs the extra `progress`.

        Raises `ChecksumError`, and `TransportError` where the connection breaks for good.
        """
        meter = Meter(on_progress, bar=progress, label=Path(path).name)
        order = Order(path=Path(path), checksum=checksum, resume=resume, meter=meter, begun=self._begun)
        saving = download(self._head, order)
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

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
        progress: bool = False,
        resume: bool = True,
        checksum: str = "",
    ) -> int:
        """As `BinaryResponse.save`."""
        meter = Meter(on_progress, bar=progress, label=Path(path).name)
        order = Order(path=Path(path), checksum=checksum, resume=resume, meter=meter, begun=self._begun)
        saving = download(self._head, order)
        size_bytes = self._source.advance(saving)
        saving.close()
        self.close()
        return size_bytes

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        self._begun = True
        return self._source.advance(self._reading)


def _pieces(head: StreamHead) -> Reading[bytes]:
    """The pieces of the body as they arrive."""
    try:
        while (chunk := (yield Read())) is not None:
            yield Give(chunk)
    except TransportFailed as failed:
        raise head.error(failed) from failed.failure.cause
