"""Answers that are a series of items: server-sent events and JSON Lines, read as they arrive."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from ._streamed import StreamedAnswer, StreamHead
from ._wire import AnswerReader, AsyncAnswerReader, TransportFailed

T = TypeVar("T", covariant=True)

_LONGEST_RETRY_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSentEvent:
    """One event, as the WHATWG HTML standard defines it (section 9.2)."""

    event: str
    """`message` where the server named none."""
    data: str
    id: str
    """The last id that the server sent, with this event or before it."""
    retry_ms: int | None
    """Time to wait before reconnecting, where the server has said so."""


class LineSplitter:
    """Lines of a byte stream, whatever its chunks: each ends in CR LF, LF or CR, which is left out.

    A CR ends its line at once; an LF that begins the next chunk then belongs to it.
    """

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r") if chunk else False
        lines: list[bytes] = []
        for line in chunk.splitlines(keepends=True):
            text = line.rstrip(b"\r\n")
            self._begun.append(text)
            if len(text) < len(line):
                lines.append(b"".join(self._begun))
                self._begun.clear()
        return lines

    def rest(self) -> bytes:
        """The last line, if nothing ended it."""
        return b"".join(self._begun)


class EventDecoder:
    """Server-sent events of a byte stream; what the end of the stream cuts off is not an event."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._first = True
        self._data: list[str] = []
        self._event = ""
        self._id = ""
        self._retry_ms: int | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        events: list[ServerSentEvent] = []
        for line in self._lines.feed(chunk):
            if self._first:
                line = line.removeprefix(codecs.BOM_UTF8)
                self._first = False
            if line:
                self._field(line.decode("utf-8", "replace"))
            else:
                events += self._dispatch()
        return events

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit() and len(value) <= _LONGEST_RETRY_DIGITS:
                self._retry_ms = int(value)
            case _:  # a comment has an empty name; unknown fields are ignored
                pass

    def _dispatch(self) -> list[ServerSentEvent]:
        data, event = self._data, self._event
        self._data, self._event = [], ""
        if not data:
            return []
        return [
            ServerSentEvent(
                event=event or "message", data="\n".join(data), id=self._id, retry_ms=self._retry_ms
            )
        ]


class EventPayloads:
    """The data of server-sent events; events without any keep the connection alive and hold nothing.

    Neither does `[DONE]`, with which many APIs end a series of JSON, unless the data is text.
    """

    def __init__(self, *, text: bool = False) -> None:
        self._events = EventDecoder()
        self._nothing = ("",) if text else ("", "[DONE]")

    def feed(self, chunk: bytes) -> list[bytes]:
        events = self._events.feed(chunk)
        return [event.data.encode() for event in events if event.data not in self._nothing]

    def finish(self) -> list[bytes]:
        return []


class LinePayloads:
    """The lines of JSON Lines; empty ones hold nothing, and the last need not be ended."""

    def __init__(self) -> None:
        self._lines = LineSplitter()

    def feed(self, chunk: bytes) -> list[bytes]:
        return [line for line in self._lines.feed(chunk) if line.strip()]

    def finish(self) -> list[bytes]:
        rest = self._lines.rest()
        return [rest] if rest.strip() else []


class EventStream(StreamedAnswer, Generic[T]):
    """Items as they arrive: `async with stream: async for item in stream: ...`.

    Iteration goes on where the last one stopped, and ends by closing the stream. It raises `TransportError`
    where the connection breaks, `DecodingError` at an item that does not match the API's description.
    """

    def __init__(
        self,
        head: StreamHead,
        reader: AsyncAnswerReader,
        payloads: EventPayloads | LinePayloads,
        parse: Callable[[bytes], T],
    ) -> None:
        super().__init__(head)
        self._reader = reader
        self._items = self._read(payloads, parse)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self._items.__anext__()

    async def aclose(self) -> None:
        """Stop reading and free the connection."""
        await self._items.aclose()
        await self._reader.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(
        self, payloads: EventPayloads | LinePayloads, parse: Callable[[bytes], T]
    ) -> AsyncGenerator[T, None]:
        try:
            async with aclosing(self._reader.chunks()) as chunks:
                async for chunk in chunks:
                    for payload in payloads.feed(chunk):
                        yield parse(payload)
            for payload in payloads.finish():
                yield parse(payload)
        except TransportFailed as failed:
            raise self._head.error(failed) from failed.failure.cause
        finally:
            await self._reader.aclose()


class SyncEventStream(StreamedAnswer, Generic[T]):
    """The twin of `EventStream` for code without an event loop."""

    def __init__(
        self,
        head: StreamHead,
        reader: AnswerReader,
        payloads: EventPayloads | LinePayloads,
        parse: Callable[[bytes], T],
    ) -> None:
        super().__init__(head)
        self._reader = reader
        self._items = self._read(payloads, parse)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        return next(self._items)

    def close(self) -> None:
        """Stop reading and free the connection."""
        self._items.close()
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(
        self, payloads: EventPayloads | LinePayloads, parse: Callable[[bytes], T]
    ) -> Generator[T, None, None]:
        try:
            with closing(self._reader.chunks()) as chunks:
                for chunk in chunks:
                    for payload in payloads.feed(chunk):
                        yield parse(payload)
            for payload in payloads.finish():
                yield parse(payload)
        except TransportFailed as failed:
            raise self._head.error(failed) from failed.failure.cause
        finally:
            self._reader.close()
