"""Decompressing piece by piece; each piece of output is bounded, however far a few bytes expand."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol, final

import zstandard

from . import brotli_binding as brotli
from .encoders import Algorithm

MAX_OUTPUT_BYTES: Final = 256 << 20
RECOGNISED_BYTES: Final = 6
"""So many first bytes tell the format."""

_MAGIC: Final[tuple[tuple[bytes, Algorithm], ...]] = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "lzma"),
)
_PIECE_BYTES: Final = 1 << 20
_ZSTD_INPUT_BYTES: Final = 512
"""zstd's binding cannot bound its output, but 4 bytes of input give at most one block of 128 KiB."""
_WINDOW_BYTES: Final = 128 << 20


class CorruptDataError(Exception):
    """Data that is not what its algorithm writes, or not all of it."""


class OutputTooLargeError(Exception):
    """Data that expands to more than `MAX_OUTPUT_BYTES`."""


class Decoder(Protocol):
    """Decompresses one stream; `finish` is called once, at its end."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """The output so far, in pieces of at most 18 MiB; raises `CorruptDataError`."""
        ...

    def finish(self) -> None:
        """Raises `CorruptDataError` where the stream is not complete."""
        ...


def recognise(first: bytes) -> Algorithm:
    """The format that begins with these bytes; brotli has no mark and is what remains.

    >>> recognise(bytes.fromhex("28b52ffd0458"))
    'zstd'
    """
    for magic, algorithm in _MAGIC:
        if first.startswith(magic):
            return algorithm
    return "brotli"


def new_decoder(algorithm: Algorithm) -> Decoder:
    """A decoder for one input, which may hold several members (gzip), frames (zstd) or streams (xz)."""
    match algorithm:
        case "zstd":
            return _Members("zstd", _ZstdFrame)
        case "gzip":
            return _Members("gzip", _GzipMember)
        case "lzma":
            return _Members("lzma", _XzStream)
        case "brotli":
            return _Brotli()


def decompress(algorithm: Algorithm, data: bytes, *, max_output_bytes: int = MAX_OUTPUT_BYTES) -> bytes:
    """All of `data` at once; raises `CorruptDataError` or `OutputTooLargeError`."""
    decoder = LimitedDecoder(new_decoder(algorithm), max_output_bytes)
    output = bytearray()
    for piece in decoder.decode(data):
        output += piece
    decoder.finish()
    return bytes(output)


@final
class LimitedDecoder:
    """A decoder that raises `OutputTooLargeError` once it has given more than `max_output_bytes`."""

    def __init__(self, decoder: Decoder, max_output_bytes: int = MAX_OUTPUT_BYTES) -> None:
        self._decoder = decoder
        self._left_bytes = max_output_bytes
        self._max_output_bytes = max_output_bytes

    def decode(self, data: bytes) -> Iterator[bytes]:
        for piece in self._decoder.decode(data):
            self._left_bytes -= len(piece)
            if self._left_bytes < 0:
                raise OutputTooLargeError(f"The data expands to more than {self._max_output_bytes} bytes.")
            yield piece

    def finish(self) -> None:
        self._decoder.finish()


class _Member(Protocol):
    finished: bool
    unused: bytes
    """What follows the end."""

    def decode(self, data: bytes) -> Iterator[bytes]: ...


@final
class _Members:
    """One member after another until the input ends."""

    def __init__(self, algorithm: Algorithm, new_member: Callable[[], _Member]) -> None:
        self._algorithm: Algorithm = algorithm
        self._new_member = new_member
        self._member: _Member | None = None
        self._any = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member is None:
                self._member = self._new_member()
                self._any = True
            try:
                yield from self._member.decode(data)
            except (zstandard.ZstdError, zlib.error, lzma.LZMAError) as error:
                raise _damaged(self._algorithm, error) from error
            data = self._member.unused
            if self._member.finished:
                self._member = None

    def finish(self) -> None:
        if self._member is not None or not self._any:
            raise _truncated(self._algorithm)


@final
class _ZstdFrame:
    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()
        self.finished = False
        self.unused = b""

    def decode(self, data: bytes) -> Iterator[bytes]:
        piece = bytearray()
        for start in range(0, len(data), _ZSTD_INPUT_BYTES):
            end = start + _ZSTD_INPUT_BYTES
            piece += self._stream.decompress(data[start:end])
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
            if self._stream.eof:
                self.finished = True
                self.unused = self._stream.unused_data + data[end:]
                break
        if piece:
            yield bytes(piece)


@final
class _GzipMember:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self.finished = False
        self.unused = b""

    def decode(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece = self._stream.decompress(data, _PIECE_BYTES)
            data = self._stream.unconsumed_tail
            if piece:
                yield piece
            if self._stream.eof:
                self.finished = True
                self.unused = self._stream.unused_data
                return
            if not data and len(piece) < _PIECE_BYTES:
                return


@final
class _XzStream:
    def __init__(self) -> None:
        self._stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_WINDOW_BYTES)
        self.finished = False
        self.unused = b""

    def decode(self, data: bytes) -> Iterator[bytes]:
        piece = self._stream.decompress(data, _PIECE_BYTES)
        while True:
            if piece:
                yield piece
            if self._stream.eof:
                self.finished = True
                self.unused = self._stream.unused_data
                return
            if self._stream.needs_input:
                return
            piece = self._stream.decompress(b"", _PIECE_BYTES)


@final
class _Brotli:
    """One stream, and nothing behind it."""

    def __init__(self) -> None:
        self._stream = brotli.new_decompressor()

    def decode(self, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                piece = self._stream.process(data, output_buffer_limit=_PIECE_BYTES)
            except brotli.BrotliError as error:
                raise _damaged("brotli", error) from error
            data = b""
            if piece:
                yield piece
            if self._stream.is_finished() or self._stream.can_accept_more_data():
                return

    def finish(self) -> None:
        if not self._stream.is_finished():
            raise _truncated("brotli")


def _damaged(algorithm: Algorithm, error: Exception) -> CorruptDataError:
    return CorruptDataError(f"The data is not {algorithm}, or it is damaged ({error}).")


def _truncated(algorithm: Algorithm) -> CorruptDataError:
    return CorruptDataError(f"The data ends too early to be a whole {algorithm} stream.")
