"""Reads one answer after another from the bytes of a connection; knows nothing of sockets and time."""

from __future__ import annotations

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from dhatu_gateway.core.headers import CONNECTION_ONLY, HOP_BY_HOP, connection_options
from dhatu_gateway.core.upstream.types import Headers, UpstreamLimits

_NEEDS_ATTENTION: Final = HOP_BY_HOP | {b"content-length"}
_NO_CONTENT: Final = frozenset({204, 304})


class MalformedAnswer(Exception):
    """Not an HTTP/1.1 answer, or one beyond the limits."""


class AnswerReader:
    """The answer being read: its head once `status` is set, and the part of its body not yet taken.

    `feed` it what arrives; the `on_` methods are called by the parser. llhttp, strict as httptools leaves
    it, refuses control characters in headers, folded lines, repeated or malformed Content-Length, and
    Content-Length together with Transfer-Encoding.

    The size of a head that comes in one read is that of the headers passed on; of one in several reads,
    every byte counts.
    """

    __slots__ = (
        "_asked_protocol",
        "_chunked",
        "_chunks",
        "_for_head",
        "_has_length",
        "_head_bytes",
        "_idle_bytes",
        "_interim",
        "_limits",
        "_options",
        "_parser",
        "_plain",
        "_protocol",
        "_until_close",
        "complete",
        "continued",
        "headers",
        "keep_alive",
        "status",
        "switched",
        "trailers",
    )

    status: int
    """0 until the whole head has been read; interim answers (1xx) are skipped."""
    headers: Headers
    """End-to-end headers, names in lower case."""
    complete: bool
    switched: bool
    """The answer is 101, and what follows it is of another protocol and ends with the connection."""
    trailers: Headers | None
    """What has come of them, where they are kept."""
    keep_alive: bool
    """Whether the connection may carry another exchange; settled once the answer is complete."""

    def __init__(self, limits: UpstreamLimits) -> None:
        self._limits = limits
        self._for_head = False
        self.continued = False
        """An interim answer 100 has come since this was last False."""
        self._new_parser()
        self.begin(for_head=False)

    def _new_parser(self) -> None:
        self._parser = HttpResponseParser(self)

    def begin(self, *, for_head: bool) -> None:
        """Expect the answer to a new request; `for_head`: it has no body, whatever its headers say."""
        if self._for_head:
            self._new_parser()  # the old one still waits for the body that an answer to HEAD never has
        self._for_head = for_head
        self._reset_head()
        self._chunks: list[bytes] = []
        self._head_bytes = 0
        self._idle_bytes = 0
        self._interim = False
        self._until_close = False
        self._asked_protocol = b""
        self.switched = False
        self.trailers = None
        self.status = 0
        self.complete = False
        self.keep_alive = False

    def expect_switch(self, protocol: bytes) -> None:
        """Take 101 for an answer, where it switches to this one; to be called after `begin`."""
        self._asked_protocol = protocol

    def keep_trailers(self) -> None:
        """Collect the trailers of this answer, and what announces them; to be called after `begin`."""
        self.trailers = []

    def _reset_head(self) -> None:
        self.headers = []
        self._protocol = b""
        self._plain = True
        self._has_length = False
        self._chunked = False
        self._options: frozenset[bytes] = frozenset()

    @property
    def untouched(self) -> bool:
        """True while not one byte has arrived."""
        return self.status == 0 and self._head_bytes == 0

    def feed(self, data: bytes) -> None:
        """Read on. Bytes beyond the end of the answer are dropped and end the life of the connection.

        Raises `MalformedAnswer`.
        """
        if self.switched:
            self._chunks.append(data)
            return
        in_head = self.status == 0
        if in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if beyond := data[upgrade.args[0] :]:  # it says where the head ended
                self._chunks.append(beyond)
        except HttpParserError as error:
            if not self.complete:
                refusal = error.__context__
                raise (
                    refusal if isinstance(refusal, MalformedAnswer) else MalformedAnswer(str(error))
                ) from error
            self.keep_alive = False
        if in_head:
            if self._head_bytes > self._limits.max_header_bytes:
                self._check_head_size()
        elif not self.complete and not self._chunks:
            # Trailers and chunk extensions: bytes without end that bring the body no further.
            self._idle_bytes += len(data)
            if self._idle_bytes > self._limits.max_header_bytes:
                raise MalformedAnswer(
                    f"more than {self._limits.max_header_bytes} bytes that are not part of its body"
                )

    def end(self) -> bool:
        """Take note that the service has closed its side, in order; tell whether the answer is complete."""
        if self._until_close:
            self.complete = True
        return self.complete

    def take(self) -> bytes:
        """Return what has arrived of the body since the last call."""
        chunks = self._chunks
        if not chunks:
            return b""
        self._chunks = []
        self._idle_bytes = 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _check_head_size(self) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in self.headers)  # 4: colon, space, CR, LF
        if self.status == 0 or size > self._limits.max_header_bytes:
            raise MalformedAnswer(f"its head is larger than {self._limits.max_header_bytes} bytes")

    def on_message_begin(self) -> None:
        if self.complete:
            raise MalformedAnswer("bytes after the end of the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            if self.trailers is not None:
                self._on_trailer(self.trailers, name.lower(), value)
            return
        name = name.lower()
        if name in _NEEDS_ATTENTION:
            self._on_framing_header(name, value)
        else:
            self.headers.append((name, value))

    def _on_framing_header(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self._has_length = True
            self.headers.append((name, value))
            return
        self._plain = False
        if name == b"connection":
            self._options |= connection_options(value)
        elif name == b"upgrade":
            self._protocol = value.strip().lower()
        elif name == b"transfer-encoding":
            if self._chunked or value.strip().lower() != b"chunked":
                raise MalformedAnswer(f"its Transfer-Encoding is not chunked, once: {value[:40]!r}")
            self._chunked = True
        elif name == b"trailer" and self.trailers is not None:
            self.headers.append((name, value))

    def _on_trailer(self, trailers: Headers, name: bytes, value: bytes) -> None:
        self._idle_bytes += len(name) + len(value)
        if len(trailers) >= self._limits.max_headers or self._idle_bytes > self._limits.max_header_bytes:
            raise MalformedAnswer(
                f"more than {self._limits.max_headers} trailers, or larger ones than headers may be"
            )
        if name not in HOP_BY_HOP and name not in self._options:
            trailers.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        if not 200 <= status <= 599:
            self._on_interim_head(status)
            return
        self.keep_alive = parser.should_keep_alive()
        if not (self.keep_alive and self._plain):
            self._on_unusual_head()
        if len(self.headers) > self._limits.max_headers:
            raise MalformedAnswer(f"more than {self._limits.max_headers} headers")
        if status in _NO_CONTENT:
            if self._has_length:  # of what a GET would bring: uvicorn would wait for that body
                self.headers = [h for h in self.headers if h[0] != b"content-length"]
        elif self._for_head:
            self.complete = True
        elif not (self._has_length or self._chunked):
            self._until_close = True
        self.status = status

    def _on_interim_head(self, status: int) -> None:
        if not 100 <= status <= 199:
            raise MalformedAnswer(f"its status {status} is not between 100 and 599")
        if status == 101 and not self._asked_protocol:
            raise MalformedAnswer("it switched protocols without being asked")
        if self._has_length or self._chunked:
            raise MalformedAnswer(f"its interim answer {status} has a body")
        if status == 101:
            self._on_switch()
            return
        self._interim = True
        self.continued = status == 100 or self.continued
        self._reset_head()

    def _on_switch(self) -> None:
        if self._protocol != self._asked_protocol or not self._parser.should_upgrade():
            raise MalformedAnswer(
                f"it switched to another protocol than it was asked for: {self._protocol!r}"
            )
        self._on_unusual_head()
        if len(self.headers) > self._limits.max_headers:
            raise MalformedAnswer(f"more than {self._limits.max_headers} headers")
        self.switched = self._until_close = True
        self.status = 101

    def _on_unusual_head(self) -> None:
        version = self._parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            raise MalformedAnswer(f"its version is HTTP/{version}, not HTTP/1.1")
        if self._chunked and version == "1.0":
            raise MalformedAnswer("it is chunked, which HTTP/1.0 does not know")  # RFC 9112 section 6.1
        if self._for_head:  # the parser does not know, and takes a missing length for a body until close
            self.keep_alive = version == "1.1" and b"close" not in self._options
        named = self._options - CONNECTION_ONLY
        if named:
            self.headers = [h for h in self.headers if h[0] not in named]

    def on_body(self, data: bytes) -> None:
        if self.complete:
            self.keep_alive = False  # the body of an answer to HEAD
        else:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        if self.switched:
            return  # of the head; what follows has no end that the parser could see
        if self._interim:
            self._interim = False
        else:
            self.complete = True
