"""Credentials on a clock that tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dhatu_gateway.auth.jwt import TokenPolicy
from dhatu_gateway.auth.key_ring import KeySource
from dhatu_gateway.auth.passwords import Cost, Passwords
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.store.memory import MemoryStore
from dhatu_gateway.auth.store.sqlite import SqliteStore
from gateway.auth.support import SECRET, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CredentialStore]:
    made: CredentialStore = (
        MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "auth.sqlite3")
    )
    yield made
    await made.close()


@pytest.fixture
async def auth(clock: Clock) -> Auth:
    settings = AuthSettings(keys=(KeySource(text=SECRET),), policy=TokenPolicy(access_lifetime_s=600))
    passwords = Passwords(Cost(log2_n=4, r=8, p=1))  # cheap: the cost is what production pays for
    return await open_auth(settings, MemoryStore(), passwords=passwords, wall_clock=clock)
