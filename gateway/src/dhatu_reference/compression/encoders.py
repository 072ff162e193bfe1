"""The four algorithms behind one interface, compressing piece by piece."""

from __future__ import annotations

import lzma
import zlib
from typing import Final, Literal, Protocol, TypeAlias, final

import zstandard

from . import brotli_binding as brotli

Algorithm: TypeAlias = Literal["zstd", "brotli", "gzip", "lzma"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("zstd", "brotli", "gzip", "lzma")

LEVELS: Final[dict[Algorithm, tuple[int, ...]]] = {
    "zstd": (1, 2, 3, 5, 7, 9, 12, 15, 19),
    "brotli": (1, 2, 3, 4, 5, 6, 8, 9, 11),
    "gzip": (1, 2, 3, 4, 5, 6, 7, 8, 9),
    "lzma": (1, 2, 3, 4, 5, 6, 7, 8, 9),
}
"""What the levels 1 to 9 of the API mean on each algorithm's own scale."""
DEFAULT_LEVELS: Final[dict[Algorithm, int]] = {"zstd": 3, "brotli": 5, "gzip": 6, "lzma": 6}
"""On each algorithm's own scale."""

_LZMA_DICTIONARY_BYTES: Final = 8 << 20
_GZIP_WBITS: Final = 16 + zlib.MAX_WBITS  # zlib's way to ask for the gzip container


class Encoder(Protocol):
    """Compresses one stream; `finish` is called once, at its end."""

    def encode(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


def own_level(algorithm: Algorithm, level: int | None) -> int:
    """The algorithm's own level for `level` (1 to 9), or its default.

    >>> own_level("zstd", 9), own_level("brotli", None)
    (19, 5)
    """
    return DEFAULT_LEVELS[algorithm] if level is None else LEVELS[algorithm][level - 1]


def new_encoder(algorithm: Algorithm, level: int, *, size_bytes: int | None = None) -> Encoder:
    """An encoder at the algorithm's own `level`.

    Where the exact size of the input is known beforehand, zstd and lzma reserve less memory.
    """
    match algorithm:
        case "zstd":
            return _Zstd(level, size_bytes)
        case "brotli":
            return _Brotli(level)
        case "gzip":
            return _Gzip(level)
        case "lzma":
            return _Lzma(level, size_bytes)


def compress(algorithm: Algorithm, level: int, data: bytes) -> bytes:
    """All of `data` at once."""
    encoder = new_encoder(algorithm, level, size_bytes=len(data))
    return encoder.encode(data) + encoder.finish()


@final
class _Zstd:
    def __init__(self, level: int, size_bytes: int | None) -> None:
        compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)
        self._stream = compressor.compressobj(size=-1 if size_bytes is None else size_bytes)

    def encode(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def finish(self) -> bytes:
        return self._stream.flush()


@final
class _Brotli:
    def __init__(self, level: int) -> None:
        self._stream = brotli.new_compressor(level)

    def encode(self, data: bytes) -> bytes:
        return self._stream.process(data)

    def finish(self) -> bytes:
        return self._stream.finish()


@final
class _Gzip:
    def __init__(self, level: int) -> None:
        self._stream = zlib.compressobj(level, wbits=_GZIP_WBITS)

    def encode(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def finish(self) -> bytes:
        return self._stream.flush()


@final
class _Lzma:
    """The xz container; the dictionary stays at 8 MiB, since presets 7 to 9 would take up to 674 MiB."""

    def __init__(self, level: int, size_bytes: int | None) -> None:
        dictionary_bytes = _LZMA_DICTIONARY_BYTES
        if size_bytes is not None:
            dictionary_bytes = min(dictionary_bytes, max(size_bytes, 4096))
        lzma2 = {"id": lzma.FILTER_LZMA2, "preset": level, "dict_size": dictionary_bytes}
        self._stream = lzma.LZMACompressor(filters=[lzma2])

    def encode(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def finish(self) -> bytes:
        return self._stream.flush()
