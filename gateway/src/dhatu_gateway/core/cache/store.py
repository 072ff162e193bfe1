"""Where answers are kept."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from dhatu_gateway.core.cache.entries import Kept


class Found(NamedTuple):
    """What a look into the store yields."""

    kept: Kept | None
    ticket: bytes
    """Shown when something is kept there: should the place have been forgotten meanwhile, it is not kept."""


class CacheStore(Protocol):
    """Shared by all requests of a process, or of all processes.

    It may lose anything at any time: what it cannot find or keep is asked for anew. Never raises.
    """

    async def find(self, place: str, name: str) -> Found:
        """What is kept of a place, a resource, under a name, one of its answers."""
        ...

    async def keep(self, place: str, name: str, kept: Kept, *, ticket: bytes, keep_s: float) -> None:
        """Keep it for so long."""
        ...

    async def forget(self, place: str) -> None:
        """Drop every answer of a place: it has changed."""
        ...
