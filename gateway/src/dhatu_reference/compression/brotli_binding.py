"""The brotli package, which ships no types."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

_brotli: Any = import_module("brotli")

BrotliError: type[Exception] = _brotli.error


class BrotliCompressor(Protocol):
    def process(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class BrotliDecompressor(Protocol):
    def process(self, data: bytes, *, output_buffer_limit: int) -> bytes: ...
    def is_finished(self) -> bool: ...
    def can_accept_more_data(self) -> bool: ...


def new_compressor(quality: int) -> BrotliCompressor:
    compressor: BrotliCompressor = _brotli.Compressor(quality=quality)
    return compressor


def new_decompressor() -> BrotliDecompressor:
    decompressor: BrotliDecompressor = _brotli.Decompressor()
    return decompressor
