"""Bodies of raw bytes, as a caller may give them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from typing import IO, TypeAlias

SyncContent: TypeAlias = "bytes | str | os.PathLike[str] | IO[bytes] | Iterable[bytes]"
"""Bytes, text (sent as UTF-8), a path or an open file, or an iterable of chunks."""
Content: TypeAlias = "SyncContent | AsyncIterable[bytes]"
"""What the async client takes: the same, or an async iterable of chunks."""
