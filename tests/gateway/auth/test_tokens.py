"""Renewal by rotation, reuse of a refresh token, revocation."""

from __future__ import annotations

import asyncio

import pytest
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.authenticator import SchemeAuthenticator
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.jwt import MAX_ACCESS_LIFETIME_S, AccessTokens, Claims, TokenPolicy
from dhatu_gateway.auth.key_ring import KeySource, make_ring
from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.auth.tokens import TokenPair
from dhatu_gateway.auth.users import NewUser
from dhatu_gateway.core.exchange import Principal
from gateway.auth.support import API_KEY, BEARER, SECRET, Clock


@pytest.fixture
async def ada(auth: Auth, clock: Clock) -> Principal:
    new = NewUser(name="ada", password="right", scopes=frozenset({"corpus:read", "corpus:write"}))
    await auth.users.create(new, actor="test", now_s=clock.now_s)
    return await auth.users.sign_in("ada", "right")


async def caller(auth: Auth, pair: TokenPair, clock: Clock) -> Principal:
    scheme: SchemeAuthenticator = auth.authenticator.scheme(BEARER)
    return (await scheme.verify(f"Bearer {pair.access_token}".encode(), clock.now_s)).principal


async def test_tokens_stand_for_whom_they_were_issued_to(auth: Auth, ada: Principal, clock: Clock) -> None:
    pair = await auth.tokens.issue(ada, now_s=clock.now_s)
    assert await caller(auth, pair, clock) == ada
    assert pair.expires_in_s == 600
    assert pair.refresh_token.startswith("dhr_")


async def test_a_refresh_token_yields_new_tokens(auth: Auth, ada: Principal, clock: Clock) -> None:
    first = await auth.tokens.issue(ada, now_s=clock.now_s)
    clock.now_s += 700
    with pytest.raises(InvalidCredentialError, match="expired"):
        await caller(auth, first, clock)
    second = await auth.tokens.refresh(first.refresh_token, now_s=clock.now_s)
    assert await caller(auth, second, clock) == ada
    assert second.refresh_token != first.refresh_token


async def test_using_a_refresh_token_twice_ends_the_family(auth: Auth, ada: Principal, clock: Clock) -> None:
    first = await auth.tokens.issue(ada, now_s=clock.now_s)
    second = await auth.tokens.refresh(first.refresh_token, now_s=clock.now_s)
    stranger = await auth.tokens.issue(ada, now_s=clock.now_s)
    assert await caller(auth, second, clock) == ada
    with pytest.raises(InvalidCredentialError, match="used before"):
        await auth.tokens.refresh(first.refresh_token, now_s=clock.now_s)
    with pytest.raises(InvalidCredentialError):
        await auth.tokens.refresh(second.refresh_token, now_s=clock.now_s)
    for pair in (first, second):
        with pytest.raises(InvalidCredentialError, match="revoked"):
            await caller(auth, pair, clock)
    assert await caller(auth, stranger, clock) == ada, "another sign-in of the same user goes on"


async def test_of_two_uses_at_once_at_most_one_succeeds(auth: Auth, ada: Principal, clock: Clock) -> None:
    first = await auth.tokens.issue(ada, now_s=clock.now_s)
    outcomes = await asyncio.gather(
        *(auth.tokens.refresh(first.refresh_token, now_s=clock.now_s) for _ in range(4)),
        return_exceptions=True,
    )
    pairs = [outcome for outcome in outcomes if isinstance(outcome, TokenPair)]
    assert len(pairs) <= 1
    for pair in pairs:
        with pytest.raises(InvalidCredentialError):
            await caller(auth, pair, clock)


async def test_a_refresh_token_ends(auth: Auth, ada: Principal, clock: Clock) -> None:
    pair = await auth.tokens.issue(ada, now_s=clock.now_s)
    with pytest.raises(InvalidCredentialError, match="expired"):
        await auth.tokens.refresh(pair.refresh_token, now_s=clock.now_s + 30 * 24 * 3600)


@pytest.mark.parametrize("value", ["", "dhr_", "dhr_abc_def", "eyJhbGciOiJub25lIn0.e30.", "dhr_" + "a" * 200])
async def test_what_is_no_refresh_token_is_refused(auth: Auth, clock: Clock, value: str) -> None:
    with pytest.raises(InvalidCredentialError):
        await auth.tokens.refresh(value, now_s=clock.now_s)


async def test_a_wrong_secret_does_not_end_the_family(auth: Auth, ada: Principal, clock: Clock) -> None:
    pair = await auth.tokens.issue(ada, now_s=clock.now_s)
    guess = pair.refresh_token[:-4] + "0000"
    for _ in range(2):
        with pytest.raises(InvalidCredentialError):
            await auth.tokens.refresh(guess, now_s=clock.now_s)
    assert await auth.tokens.refresh(pair.refresh_token, now_s=clock.now_s)


async def test_narrowed_scopes_stay_narrow(auth: Auth, ada: Principal, clock: Clock) -> None:
    narrow = Principal(id=ada.id, kind=ada.kind, scopes=frozenset({"corpus:read"}), roles=ada.roles)
    pair = await auth.tokens.issue(narrow, now_s=clock.now_s)
    renewed = await auth.tokens.refresh(pair.refresh_token, now_s=clock.now_s)
    assert renewed.scopes == {"corpus:read"}
    assert (await caller(auth, renewed, clock)).scopes == {"corpus:read"}


async def test_a_revoked_access_token_no_longer_passes(auth: Auth, ada: Principal, clock: Clock) -> None:
    one = await auth.tokens.issue(ada, now_s=clock.now_s)
    two = await auth.tokens.issue(ada, now_s=clock.now_s)
    assert await caller(auth, one, clock) == ada
    await auth.tokens.revoke(one.access_token, now_s=clock.now_s)
    with pytest.raises(InvalidCredentialError, match="revoked"):
        await caller(auth, one, clock)
    assert await caller(auth, two, clock) == ada
    assert await auth.tokens.refresh(one.refresh_token, now_s=clock.now_s)


async def test_a_token_that_outlives_its_revocation(auth: Auth, ada: Principal, clock: Clock) -> None:
    """Tokens may have been issued when JWT_EXPIRE_MINUTES was as long as it can be."""
    long = TokenPolicy(access_lifetime_s=MAX_ACCESS_LIFETIME_S)
    key = make_ring([KeySource(text=SECRET)])
    token = AccessTokens(key, long).sign(Claims(principal=ada, jti="j", family="f"), now_s=clock.now_s)
    pair = TokenPair(access_token=token, refresh_token="", expires_in_s=0, scopes=ada.scopes)
    assert await caller(auth, pair, clock) == ada
    await auth.tokens.revoke(token, now_s=clock.now_s)
    clock.now_s += MAX_ACCESS_LIFETIME_S - 1
    # Another revocation makes the store forget those that have ended.
    await auth.tokens.revoke(
        (await auth.tokens.issue(ada, now_s=clock.now_s)).access_token, now_s=clock.now_s
    )
    with pytest.raises(InvalidCredentialError, match="revoked"):
        await caller(auth, pair, clock)


async def test_revoking_a_refresh_token_ends_its_family(auth: Auth, ada: Principal, clock: Clock) -> None:
    pair = await auth.tokens.issue(ada, now_s=clock.now_s)
    assert await caller(auth, pair, clock) == ada
    await auth.tokens.revoke(pair.refresh_token, now_s=clock.now_s)
    with pytest.raises(InvalidCredentialError):
        await caller(auth, pair, clock)
    with pytest.raises(InvalidCredentialError):
        await auth.tokens.refresh(pair.refresh_token, now_s=clock.now_s)


async def test_revoking_nonsense_is_ignored(auth: Auth, clock: Clock) -> None:
    for value in ("", "x", "dhr_x", "a.b.c", "é"):
        await auth.tokens.revoke(value, now_s=clock.now_s)


async def test_revoking_a_key_ends_it_and_its_tokens(auth: Auth, clock: Clock) -> None:
    new = NewKey(name="n", owner="user:ada", scopes=frozenset({"corpus:read"}))
    record, key = await auth.keys.create(new, actor="test", now_s=clock.now_s)
    keys = auth.authenticator.scheme(API_KEY)
    holder = (await keys.verify(key.encode(), clock.now_s)).principal
    pair = await auth.tokens.issue(holder, now_s=clock.now_s)
    assert await caller(auth, pair, clock) == holder
    assert await auth.tokens.revoke_key(record.id, actor="test", now_s=clock.now_s)
    with pytest.raises(InvalidCredentialError):
        await keys.verify(key.encode(), clock.now_s)
    with pytest.raises(InvalidCredentialError):
        await caller(auth, pair, clock)
    with pytest.raises(InvalidCredentialError):
        await auth.tokens.refresh(pair.refresh_token, now_s=clock.now_s)
    assert not await auth.tokens.revoke_key(record.id, actor="test", now_s=clock.now_s)
