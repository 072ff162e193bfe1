"""Answers with all that came: status, headers, attempts, and the body before anything understands it.

`with_raw_response` and `with_streaming_response` of a generated class hold its methods over a client in
another mode, whose `call` returns these.
"""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from dataclasses import replace
from typing import Any, Generic, TypeAlias, TypeVar, Unpack, cast

from .._call import Operation
from .._closing import AsyncClosing, Closing
from .._media import parameter_of
from .._modes import describes_stream
from .._wire import Answer, AnswerReader, AsyncAnswerReader
from .binary import BinaryResponse, SaveOptions, SyncBinaryResponse
from .decode import text_of
from .sse import LineSplitter
from .streamed import StreamedAnswer, StreamHead

T = TypeVar("T", covariant=True)

Understand: TypeAlias = Callable[[Answer], object]
"""What an answer means, as the operation describes it."""


class RawResponse(StreamedAnswer, Generic[T]):
    """A whole answer, and what the operation makes of it: `parse()`."""

    def __init__(self, head: StreamHead, understand: Callable[[], object]) -> None:
        super().__init__(head)
        self._understand = understand
        self._parsed: list[object] = []

    @property
    def content(self) -> bytes:
        """The body. Raises `RuntimeError` where it is a series of items that are still arriving."""
        answer = self._head.answer
        if answer.reader is not None:
            raise RuntimeError(
                f"{self._head.operation}: the answer is still arriving: parse() gives its items, and "
                "with_streaming_response its bytes"
            )
        return answer.content

    def text(self) -> str:
        """The body in the charset that the answer names, UTF-8 where it names none."""
        return text_of(self.headers.get("content-type", ""), self.content)

    def json(self) -> Any:
        """The body as JSON, not validated. Raises `ValueError` where it is something else."""
        return json.loads(self.content)

    def parse(self) -> T:
        """What the method itself would have returned. Raises `DecodingError`."""
        if not self._parsed:
            self._parsed.append(self._understand())
        return cast("T", self._parsed[0])


class StreamingResponse(StreamedAnswer, AsyncClosing, Generic[T]):
    """An answer whose body is still arriving, whatever it is; an async context that frees its connection."""

    def __init__(self, head: StreamHead, operation: Operation[Any, Any], understand: Understand) -> None:
        super().__init__(head)
        self._operation = operation
        self._understand = understand
        self._body = BinaryResponse(head, cast("AsyncAnswerReader", head.answer.reader))
        self._content: bytes | None = None

    async def iter_bytes(self) -> AsyncGenerator[bytes, None]:
        """The body in the pieces in which it arrives."""
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                yield chunk

    async def iter_text(self) -> AsyncGenerator[str, None]:
        """The body in pieces of text, in the charset that the answer names, UTF-8 where it names none."""
        decoder = _decoder(self.headers.get("content-type", ""))
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                if text := decoder.decode(chunk):
                    yield text
        if text := decoder.decode(b"", final=True):
            yield text

    async def iter_lines(self) -> AsyncGenerator[str, None]:
        """The body line by line, each without what ends it: CR LF, LF or CR."""
        splitter = LineSplitter()
        async with aclosing(self.iter_text()) as pieces:
            async for piece in pieces:
                for line in splitter.feed(piece.encode()):
                    yield line.decode()
        if rest := splitter.rest():
            yield rest.decode()

    async def read(self) -> bytes:
        """The whole body, as much of it as is left; the same bytes when called again."""
        if self._content is None:
            self._content = await self._body.read()
        return self._content

    async def save(self, path: str | os.PathLike[str], **options: Unpack[SaveOptions]) -> int:
        """As `BinaryResponse.save`."""
        return await self._body.save(path, **options)

    async def parse(self) -> T:
        """What the method itself would have returned. Raises `DecodingError`."""
        answer = self._head.answer
        if not describes_stream(self._operation, answer):
            answer = replace(answer, content=await self.read(), reader=None)
        return cast("T", self._understand(answer))

    async def aclose(self) -> None:
        """Stop reading and free the connection."""
        await self._body.aclose()

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        if self._content is not None:
            yield self._content
            return
        async for chunk in self._body:
            yield chunk


class SyncStreamingResponse(StreamedAnswer, Closing, Generic[T]):
    """The twin of `StreamingResponse` for code without an event loop."""

    def __init__(self, head: StreamHead, operation: Operation[Any, Any], understand: Understand) -> None:
        super().__init__(head)
        self._operation = operation
        self._understand = understand
        self._body = SyncBinaryResponse(head, cast("AnswerReader", head.answer.reader))
        self._content: bytes | None = None

    def iter_bytes(self) -> Generator[bytes, None, None]:
        """The body in the pieces in which it arrives."""
        with closing(self._chunks()) as chunks:
            yield from chunks

    def iter_text(self) -> Generator[str, None, None]:
        """The body in pieces of text, in the charset that the answer names, UTF-8 where it names none."""
        decoder = _decoder(self.headers.get("content-type", ""))
        with closing(self._chunks()) as chunks:
            for chunk in chunks:
                if text := decoder.decode(chunk):
                    yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def iter_lines(self) -> Generator[str, None, None]:
        """The body line by line, each without what ends it: CR LF, LF or CR."""
        splitter = LineSplitter()
        with closing(self.iter_text()) as pieces:
            for piece in pieces:
                for line in splitter.feed(piece.encode()):
                    yield line.decode()
        if rest := splitter.rest():
            yield rest.decode()

    def read(self) -> bytes:
        """The whole body, as much of it as is left; the same bytes when called again."""
        if self._content is None:
            self._content = self._body.read()
        return self._content

    def save(self, path: str | os.PathLike[str], **options: Unpack[SaveOptions]) -> int:
        """As `BinaryResponse.save`."""
        return self._body.save(path, **options)

    def parse(self) -> T:
        """What the method itself would have returned. Raises `DecodingError`."""
        answer = self._head.answer
        if not describes_stream(self._operation, answer):
            answer = replace(answer, content=self.read(), reader=None)
        return cast("T", self._understand(answer))

    def close(self) -> None:
        """Stop reading and free the connection."""
        self._body.close()

    def _chunks(self) -> Generator[bytes, None, None]:
        if self._content is not None:
            yield self._content
            return
        yield from self._body


class Arrived:
    """Reads an answer that is whole already."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def chunks(self) -> Generator[bytes, None, None]:
        yield self._content

    def close(self) -> None:
        """Nothing is open."""


class AsyncArrived:
    """The same for the async client."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield self._content

    async def aclose(self) -> None:
        """Nothing is open."""


def _decoder(content_type: str) -> codecs.IncrementalDecoder:
    charset = parameter_of(content_type, "charset") or "utf-8"
    try:
        return codecs.getincrementaldecoder(charset)("replace")
    except LookupError:
        return codecs.getincrementaldecoder("utf-8")("replace")
