"""Where something was written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRef:
    """A place in a document that somebody wrote."""

    file: str
    """Path relative to the root of the repository, with forward slashes."""
    line: int
    """1-based."""
    column: int
    """1-based."""
    pointer: str
    """JSON Pointer (RFC 6901) inside that file."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
