"""Content-Encoding of requests: undone here, within the limit of the body, or refused (RFC 9110, 8.4)."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from dhatu_gateway.core.exchange import Exchange, Message
from dhatu_gateway.core.problem import ProblemError

PIECE_BYTES = 65_536
"""As much is decompressed at once; between two pieces the other requests get their turn."""

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_ACCEPTED = "gzip, deflate"
_GONE = frozenset({b"content-encoding", b"content-length", b"content-digest", b"content-md5", b"digest"})
"""Fields of a request that no longer hold once its body is decompressed."""


def decode_body(exchange: Exchange, limit_bytes: int) -> None:
    """Let the exchange receive its body decompressed; raises `ProblemError` (415) for unknown encodings.

    Receiving raises `ProblemError` where the body is not what it says (400) or becomes too large (413).
    """
    coding = exchange.fields[b"content-encoding"].decode("latin-1").strip().lower()
    if coding in ("", "identity"):
        return
    if coding not in _WINDOW_BITS:
        raise ProblemError(
            "unsupported-media-type",
            f"Content-Encoding may be one of {_ACCEPTED}, once.",
            headers=[(b"accept-encoding", _ACCEPTED.encode("ascii"))],
        )
    exchange.headers = [header for header in exchange.headers if header[0] not in _GONE]
    fields = {name: value for name, value in exchange.fields.items() if name not in _GONE}
    exchange.fields = {**fields, b"transfer-encoding": b"chunked"}  # its length is not known any more
    receive = exchange.receive
    inflating = _Inflating(_WINDOW_BITS[coding], coding, limit_bytes)
    pieces: Iterator[bytes] = iter(())
    more = True

    async def receive_decoded() -> Message:
        nonlocal pieces, more
        while True:
            piece = next(pieces, b"")
            if piece:
                await asyncio.sleep(0)
                return {"type": "http.request", "body": piece, "more_body": True}
            if not more:
                inflating.end()
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await receive()
            if message["type"] != "http.request":
                return message
            more = message.get("more_body", False)
            pieces = inflating.pieces(message.get("body", b""))

    exchange.receive = receive_decoded


class _Inflating:
    """One compressed body; a gzip may have several members (RFC 1952 section 2.2)."""

    def __init__(self, window_bits: int, coding: str, limit_bytes: int) -> None:
        self._window_bits = window_bits
        self._coding = coding
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._stream = zlib.decompressobj(window_bits)
        self._begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                if self._coding == "deflate":
                    raise self._malformed()
                self._stream = zlib.decompressobj(self._window_bits)
            self._begun = True
            try:
                piece = self._stream.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise self._malformed() from error
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            self._size_bytes += len(piece)
            if self._size_bytes > self._limit_bytes:
                raise ProblemError(
                    "content-too-large", f"The body may have {self._limit_bytes} bytes, decompressed."
                )
            if piece:
                yield piece

    def end(self) -> None:
        """Refuse a body that breaks off."""
        if self._begun and not self._stream.eof:
            raise self._malformed()

    def _malformed(self) -> ProblemError:
        return ProblemError("malformed-request", f"The body is not what {self._coding} makes, or breaks off.")
