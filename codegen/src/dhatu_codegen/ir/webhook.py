"""A request that the API sends to whoever asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from .name import Name
from .operation import Payload
from .source import SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One method of one webhook, or of a callback of an operation."""

    name: Name
    method: str
    """Upper case."""
    summary: str
    payloads: tuple[Payload, ...]
    """What it brings, in the media types that it may have."""
    source: SourceRef
