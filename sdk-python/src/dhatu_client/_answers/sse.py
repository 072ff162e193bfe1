"""Lines, server-sent events and JSON Lines of a byte stream, whatever its chunks; without I/O."""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple, Protocol

MAX_EVENT_BYTES: Final = 64 * 1024 * 1024
"""Of one line or event: more than any API sends, and less than would fill the memory."""
_LONGEST_RETRY_DIGITS = 15
_LINE_COST_BYTES = 8  # what an empty line of data takes in the list of lines


class OversizedError(ValueError):
    """A line or an event is longer than is allowed; never leaves the package."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"a line or an event of the stream is larger than {max_bytes:,} bytes")


class ServerSentEvent(NamedTuple):
    """One event, as the WHATWG HTML standard defines it (section 9.2)."""

    event: str
    """`message` where the server named none."""
    data: str
    id: str
    """The last id that the server sent, with this event or before it."""
    retry_ms: int | None
    """Time to wait before reconnecting, where the server has said so."""


class LineSplitter:
    """Lines of a byte stream: each ends in CR LF, LF or CR, which is left out.

    A CR ends its line at once; an LF that begins the next chunk then belongs to it. `only_lf` is for JSON
    Lines, in which a CR is white space. Raises `OversizedError`.
    """

    def __init__(self, *, max_bytes: int = MAX_EVENT_BYTES, only_lf: bool = False) -> None:
        self._begun = bytearray()  # grows without copying what is there at each of many small chunks
        self._after_cr = False
        self._max_bytes = max_bytes
        self._only_lf = only_lf

    def feed(self, chunk: bytes) -> list[bytes]:
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        size = len(self._begun) + len(chunk)
        if self._only_lf:
            *ended, rest = chunk.split(b"\n")
        else:
            self._after_cr = chunk.endswith(b"\r")
            ended = chunk.splitlines()
            rest = ended.pop() if ended and not chunk.endswith((b"\n", b"\r")) else b""
        if ended and self._begun:
            self._begun += ended[0]
            ended[0] = bytes(self._begun)
            self._begun.clear()
        self._begun += rest
        # No line is longer than all that there is, which spares looking at each.
        if size > self._max_bytes and max(map(len, (*ended, self._begun))) > self._max_bytes:
            raise OversizedError(self._max_bytes)
        return ended

    def rest(self) -> bytes:
        """The last line, if nothing ended it."""
        return bytes(self._begun)


class EventDecoder:
    """Server-sent events of a byte stream; what the end of the stream cuts off is not an event.

    Raises `OversizedError`.
    """

    def __init__(self, *, last_event_id: str = "", max_bytes: int = MAX_EVENT_BYTES) -> None:
        self.last_event_id = last_event_id
        """As of the last event that was complete, one without data included."""
        self.retry_ms: int | None = None
        self._lines = LineSplitter(max_bytes=max_bytes)
        self._max_bytes = max_bytes
        self._first = True
        self._data: list[str] = []
        self._size = 0
        self._event = ""
        # The standard begins with none on each connection; browsers go on with the last one, so that an event
        # without an id does not make the stream forget where it stands.
        self._id = last_event_id

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
                self._size += len(value) + _LINE_COST_BYTES
                if self._size > self._max_bytes:
                    raise OversizedError(self._max_bytes)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit() and len(value) <= _LONGEST_RETRY_DIGITS:
                self.retry_ms = int(value)
            case _:  # a comment has an empty name; unknown fields are ignored
                pass

    def _dispatch(self) -> list[ServerSentEvent]:
        data, event = self._data, self._event
        self._data, self._size, self._event = [], 0, ""
        self.last_event_id = self._id
        if not data:
            return []
        return [ServerSentEvent(event or "message", "\n".join(data), self._id, self.retry_ms)]


class Payload(NamedTuple):
    """One item of a series, not yet understood."""

    data: bytes
    event: str = "message"
    id: str = ""
    retry_ms: int | None = None


class Payloads(Protocol):
    """Takes a series apart; what is read of one connection does not join what is read of the next."""

    last_event_id: str
    """Of the last event that was complete; empty where there are no ids."""
    retry_ms: int | None

    def feed(self, chunk: bytes) -> list[Payload]: ...

    def finish(self) -> list[Payload]:
        """What is left at the end of the body."""
        ...

    def restart(self) -> None:
        """Another connection begins."""
        ...


class EventPayloads:
    """The data of server-sent events; events without any keep the connection alive and hold nothing.

    Neither does `[DONE]`, with which many APIs end a series of JSON, unless the data is text. What is called
    `error` always counts.
    """

    def __init__(self, *, text: bool = False, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._max_bytes = max_bytes
        self._events = EventDecoder(max_bytes=max_bytes)
        self._nothing = ("",) if text else ("", "[DONE]")

    def feed(self, chunk: bytes) -> list[Payload]:
        events = self._events.feed(chunk)
        self.last_event_id = self._events.last_event_id
        if self._events.retry_ms is not None:
            self.retry_ms = self._events.retry_ms
        return [
            Payload(event.data.encode(), event.event, event.id, event.retry_ms)
            for event in events
            if event.data not in self._nothing or event.event == "error"
        ]

    def finish(self) -> list[Payload]:
        return []

    def restart(self) -> None:
        self._events = EventDecoder(last_event_id=self.last_event_id, max_bytes=self._max_bytes)


class LinePayloads:
    """The lines of JSON Lines; empty ones hold nothing, and the last need not be ended."""

    last_event_id = ""
    retry_ms: int | None = None

    def __init__(self, *, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._lines = LineSplitter(max_bytes=max_bytes, only_lf=True)
        self._first = True

    def feed(self, chunk: bytes) -> list[Payload]:
        return self._payloads(self._lines.feed(chunk))

    def finish(self) -> list[Payload]:
        return self._payloads([self._lines.rest()])

    def restart(self) -> None:
        raise AssertionError("lines have no ids by which to go on")

    def _payloads(self, lines: list[bytes]) -> list[Payload]:
        if self._first and lines:
            lines = [lines[0].removeprefix(codecs.BOM_UTF8), *lines[1:]]
            self._first = False
        return [Payload(line) for line in lines if line.strip()]
