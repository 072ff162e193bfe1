"""Which store a gateway keeps its credentials in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from dhatu_gateway.auth.errors import StoreError
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.store.sqlite import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisLocation:
    """A Redis or Valkey server."""

    url: str = field(repr=False)
    password: str | None = field(repr=False)


Location: TypeAlias = Path | RedisLocation
"""A SQLite file, or a server."""


async def open_store(location: Location) -> CredentialStore:
    """Open the store; raises `StoreError` where it cannot be opened or would lose what it is given."""
    if isinstance(location, Path):
        return SqliteStore(location)
    from dhatu_gateway.auth.store.redis import RedisStore

    store = RedisStore(location.url, location.password)
    try:
        await store.check()
    except StoreError:
        await store.close()
        raise
    return store
