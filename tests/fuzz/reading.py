"""What was sent, read by another parser than the gateway's; what the gateway answers, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass

import h11

from .held import Fault

_MAX_HEAD_BYTES = 131_072
# What RFC 9112 lets a server read leniently, and llhttp does, but h11 does not: empty lines before a request
# (section 2.2), and several spaces before and after its target (section 3).
_SPACES = re.compile(rb"\A([!-~]+) +(?:([!-\xff]+) +(?=HTTP/))?")
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [ -~]*")
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9a-z-]+): ([\t -~\x80-\xff]*)")
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One complete request of a client."""

    method: bytes
    target: bytes
    body: bytes
    coded: bool
    """The body has a content coding, which the gateway may undo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What h11 makes of the bytes of one connection."""

    requests: tuple[Sent, ...]
    whole: bool
    """Nothing is left of the bytes, and all of it could be read."""
    ends_with_head: bool = False
    """What could not be read is a request by HEAD: its refusal may have a body, or none."""


def read_requests(data: bytes) -> Reading:
    """Read all complete requests, as a server would that keeps its connections as long as it may."""
    sent: list[Sent] = []
    while data := _SPACES.sub(_with_one_space, data.lstrip(b"\r\n"), count=1):
        machine = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
        machine.receive_data(data)
        try:
            request = _next(machine)
        except h11.RemoteProtocolError:
            request = None
        if request is None:
            return Reading(requests=tuple(sent), whole=False, ends_with_head=data.startswith(b"HEAD "))
        sent.append(request)
        data = machine.trailing_data[0]
        if machine.their_state is not h11.DONE:
            break
    return Reading(requests=tuple(sent), whole=not data)


def _with_one_space(line: re.Match[bytes]) -> bytes:
    method, target = line.groups()
    return method + b" " + (target + b" " if target is not None else b"")


def _next(machine: h11.Connection) -> Sent | None:
    """Read one request; None where the rest of it is not there."""
    head: h11.Request | None = None
    body: list[bytes] = []
    while True:
        match machine.next_event():
            case h11.Request() as head:
                pass
            case h11.Data() as part:
                body.append(part.data)
            case h11.EndOfMessage():
                assert head is not None
                coded = any(name == b"content-encoding" for name, _ in head.headers)
                return Sent(method=head.method, target=head.target, body=b"".join(body), coded=coded)
            case _:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One complete answer."""

    status: int
    fields: dict[bytes, bytes]
    body: bytes


class Answers:
    """Reads the answers of one connection as they arrive; raises `Fault` where one is not well-formed."""

    def __init__(self, methods: tuple[bytes, ...]) -> None:
        """`methods` of the requests that are answered, as far as anybody can tell."""
        self.complete: list[Answer] = []
        self._methods = methods
        self._data = b""
        self._to_the_end: tuple[int, dict[bytes, bytes], int] | None = None
        """Status and fields of an answer that ends with the connection, and where its body begins."""

    def feed(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            status, fields = _head(self._data[:end])
            framed = self._framed(status, fields, end + 4)
            if framed is None:
                return
            body, after = framed
            self._data = self._data[after:]
            if status >= 200:
                self.complete.append(Answer(status=status, fields=fields, body=body))

    def finish(self, *, may_lack_body: bool = False) -> None:
        """Take note that the connection has ended; raises `Fault` where an answer has not."""
        if may_lack_body and self._data.endswith(b"\r\n\r\n"):
            status, fields = _head(self._data[:-4])
            self.complete.append(Answer(status=status, fields=fields, body=b""))
            return
        if self._to_the_end is not None:
            status, fields, start = self._to_the_end
            left = len(self._data) - start
            if left not in (0, int(fields.get(b"content-length", left))):
                raise Fault(f"an answer to HEAD is cut off: {self._data[:2000]!r}")
            self.complete.append(Answer(status=status, fields=fields, body=self._data[start:]))
        elif self._data:
            raise Fault(f"what an answer ends with is too much or too little: {self._data[:2000]!r}")

    @property
    def unfinished(self) -> bool:
        return bool(self._data)

    def _framed(self, status: int, fields: dict[bytes, bytes], start: int) -> tuple[bytes, int] | None:
        """Return the body and where it ends; None where the end has not come yet."""
        data, at = self._data, len(self.complete)
        to_head = at < len(self._methods) and self._methods[at] == b"HEAD"
        if to_head and status >= 400 and fields.get(b"connection") == b"close":
            # Refused before anybody knew that it was HEAD, perhaps: the end tells.
            self._to_the_end = status, fields, start
            return None
        if status < 200 or status in _BODILESS or to_head:
            return b"", start
        length = fields.get(b"content-length")
        if length is not None:
            if b"transfer-encoding" in fields or not length.isdigit():
                raise Fault(f"an answer is framed in two ways, or none: {fields!r}")
            end = start + int(length)
            return (data[start:end], end) if len(data) >= end else None
        if fields.get(b"transfer-encoding") == b"chunked":
            return _chunks(data, start)
        if fields.get(b"connection") != b"close":
            raise Fault(f"nobody can tell where the answer ends: {fields!r}")
        self._to_the_end = status, fields, start
        return None


def _chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    body = b""
    while (line_end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line_end], 16)
        at, body = line_end + 2 + size + 2, body + data[line_end + 2 : line_end + 2 + size]
        if len(data) < at:
            return None
        if data[at - 2 : at] != b"\r\n":
            raise Fault(f"a chunk of an answer does not end where it says: {data[:2000]!r}")
        if not size:
            return body, at
    return None


def _head(lines: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *rest = lines.split(b"\r\n")
    status = _STATUS_LINE.fullmatch(first)
    matches = [_FIELD_LINE.fullmatch(line) for line in rest]
    if status is None or None in matches:
        raise Fault(f"the head of an answer is malformed: {lines[:2000]!r}")
    pairs = [(match[1], match[2]) for match in matches if match is not None]
    fields = dict(pairs)
    single = [name for name, _ in pairs if name in (b"content-length", b"transfer-encoding", b"connection")]
    if len(set(single)) != len(single):
        raise Fault(f"an answer repeats what frames it: {lines[:2000]!r}")
    return int(status[1]), fields
