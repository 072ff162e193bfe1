"""Puts the parts of this package together, for the gateway and for its command line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dhatu_gateway.auth.api_keys import ApiKeys
from dhatu_gateway.auth.authenticator import Authenticator, BearerTokens
from dhatu_gateway.auth.jwt import AccessTokens, TokenPolicy
from dhatu_gateway.auth.key_ring import KeySource, make_ring
from dhatu_gateway.auth.passwords import Passwords
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.tokens import Tokens
from dhatu_gateway.auth.users import Users


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthSettings:
    """What the operator decides."""

    keys: tuple[KeySource, ...]
    policy: TokenPolicy = field(default_factory=TokenPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Everything that knows about credentials, around one store."""

    store: CredentialStore
    keys: ApiKeys
    users: Users
    tokens: Tokens
    authenticator: Authenticator
    access: AccessTokens
    wall_clock: Callable[[], float]

    async def close(self) -> None:
        """Let go of the store."""
        await self.store.close()


async def open_keys(store: CredentialStore) -> ApiKeys:
    """Make what creates and verifies API keys: all that the command line needs, and no token secret."""
    return ApiKeys(store, await store.secret("api-keys"))


async def open_auth(
    settings: AuthSettings,
    store: CredentialStore,
    *,
    passwords: Passwords | None = None,
    wall_clock: Callable[[], float] = time.time,
) -> Auth:
    """Make everything that knows about credentials.

    Raises `SigningKeyError` where a key does not fit its algorithm, and `StoreError` where the store
    fails.
    """
    access = AccessTokens(make_ring(settings.keys), settings.policy)
    keys = await open_keys(store)
    authenticator = Authenticator(bearer=BearerTokens(access, store), api_key=keys, wall_clock=wall_clock)
    tokens = Tokens(
        store, access, settings.policy, await store.secret("refresh-tokens"), on_revoked=authenticator.revoke
    )
    return Auth(
        store=store,
        keys=keys,
        users=Users(store, passwords or Passwords()),
        tokens=tokens,
        authenticator=authenticator,
        access=access,
        wall_clock=wall_clock,
    )
