"""Answers of bytes, read as they arrive."""

from __future__ import annotations


class BinaryResponse:
    """Bytes that are still arriving."""


class SyncBinaryResponse:
    """Bytes that are still arriving."""
