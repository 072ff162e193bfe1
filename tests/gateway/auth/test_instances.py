"""Several gateways over one store: what one of them ends, the others let nobody in with, seconds later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.authenticator import RECHECK_S
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.key_ring import KeySource
from dhatu_gateway.auth.passwords import Cost, Passwords
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.store.redis import RedisStore
from dhatu_gateway.auth.store.sqlite import SqliteStore
from dhatu_gateway.auth.tokens import TokenPair
from dhatu_gateway.auth.users import NewUser
from dhatu_gateway.core.types import SecurityScheme
from gateway.auth.support import API_KEY, BEARER, SECRET, Clock


@pytest.fixture(params=["sqlite", "redis"])
async def instances(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[tuple[Auth, Auth]]:
    def store() -> CredentialStore:
        if request.param == "sqlite":
            return SqliteStore(tmp_path / "auth.sqlite3")
        return RedisStore(request.getfixturevalue("valkey_url"), prefix=f"test:{tmp_path}:")

    settings = AuthSettings(keys=(KeySource(text=SECRET),))
    passwords = Passwords(Cost(log2_n=4, r=8, p=1))
    one, two = [await open_auth(settings, store(), passwords=passwords, wall_clock=clock) for _ in range(2)]
    yield one, two
    await one.close()
    await two.close()


async def lets_in(auth: Auth, scheme: SecurityScheme, value: str, clock: Clock) -> bool:
    text = value if scheme is API_KEY else f"Bearer {value}"
    try:
        await auth.authenticator.scheme(scheme).verify(text.encode(), clock.now_s)
    except InvalidCredentialError:
        return False
    return True


async def signed_in(auth: Auth, clock: Clock) -> TokenPair:
    new = NewUser(name="ada", password="right", scopes=frozenset({"corpus:read"}))
    await auth.users.create(new, actor="test", now_s=clock.now_s)
    return await auth.tokens.issue(await auth.users.sign_in("ada", "right"), now_s=clock.now_s)


async def test_a_token_revoked_at_one_instance(instances: tuple[Auth, Auth], clock: Clock) -> None:
    one, two = instances
    pair = await signed_in(one, clock)
    assert await lets_in(two, BEARER, pair.access_token, clock)
    await one.tokens.revoke(pair.access_token, now_s=clock.now_s)
    assert not await lets_in(one, BEARER, pair.access_token, clock), "at once where it was done"
    clock.now_s += RECHECK_S
    assert not await lets_in(two, BEARER, pair.access_token, clock)


async def test_a_refresh_token_used_at_two_instances(instances: tuple[Auth, Auth], clock: Clock) -> None:
    """The thief calls another instance than the owner: the family ends all the same."""
    one, two = instances
    first = await signed_in(one, clock)
    second = await one.tokens.refresh(first.refresh_token, now_s=clock.now_s)
    assert await lets_in(one, BEARER, second.access_token, clock)
    with pytest.raises(InvalidCredentialError, match="used before"):
        await two.tokens.refresh(first.refresh_token, now_s=clock.now_s)
    clock.now_s += RECHECK_S
    assert not await lets_in(one, BEARER, second.access_token, clock)
    with pytest.raises(InvalidCredentialError):
        await one.tokens.refresh(second.refresh_token, now_s=clock.now_s)


async def test_a_key_revoked_or_rotated_at_one_instance(instances: tuple[Auth, Auth], clock: Clock) -> None:
    one, two = instances
    new = NewKey(name="n", owner="user:ada", scopes=frozenset({"corpus:read"}))
    revoked, revoked_key = await one.keys.create(new, actor="test", now_s=clock.now_s)
    rotated, rotated_key = await one.keys.create(new, actor="test", now_s=clock.now_s)
    for key in (revoked_key, rotated_key):
        assert await lets_in(two, API_KEY, key, clock)
    await one.tokens.revoke_key(revoked.id, actor="test", now_s=clock.now_s)
    made = await one.keys.rotate(rotated.id, overlap_s=0, actor="test", now_s=clock.now_s)
    assert made is not None
    assert await lets_in(two, API_KEY, made[1], clock), "the new one holds everywhere at once"
    clock.now_s += RECHECK_S
    for key in (revoked_key, rotated_key):
        assert not await lets_in(two, API_KEY, key, clock)
