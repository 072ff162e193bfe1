"""Puts the parts of this package together, for the gateway and for its command line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dhatu_gateway.auth.api_keys import ApiKeys
from dhatu_gateway.auth.authenticator import Authenticator, BearerTokens
from dhatu_gateway.auth.certificates import ClientCertificates, open_client_certificates
from dhatu_gateway.auth.jwt import AccessTokens, TokenPolicy
from dhatu_gateway.auth.key_ring import KeySource, make_ring
from dhatu_gateway.auth.login.flow import Logins
from dhatu_gateway.auth.login.opening import open_logins, open_parties
from dhatu_gateway.auth.passwords import Passwords
from dhatu_gateway.auth.providers.config import Provider
from dhatu_gateway.auth.providers.external import ExternalTokens, open_providers
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.auth.tokens import Holders, Tokens
from dhatu_gateway.auth.upstream_identity import UpstreamIdentity
from dhatu_gateway.auth.users import Users
from dhatu_gateway.core.types import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthSettings:
    """What the operator decides."""

    keys: tuple[KeySource, ...]
    policy: TokenPolicy = field(default_factory=TokenPolicy)
    roles: tuple[Role, ...] = ()
    providers: tuple[Provider, ...] = ()
    """Whose tokens are taken besides."""
    client_certificates_file: Path | None = None
    """Whom certificates stand for; None where they stand for nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Everything that knows about credentials, around one store."""

    store: CredentialStore
    keys: ApiKeys
    users: Users
    tokens: Tokens
    authenticator: Authenticator
    certificates: ClientCertificates | None
    """None where certificates stand for nobody."""
    access: AccessTokens
    roles: Roles
    upstream_identity: UpstreamIdentity
    external: ExternalTokens | None
    """None where no other provider's tokens are taken."""
    logins: Logins
    wall_clock: Callable[[], float]

    async def close(self, *, keep_store: bool = False) -> None:
        """Let go of the store, unless others go on to use it, and of providers."""
        if self.external is not None:
            await self.external.close()
        if not keep_store:
            await self.store.close()


async def open_keys(store: CredentialStore, roles: Roles | None = None) -> ApiKeys:
    """Make what creates and verifies API keys: all that the command line needs, and no token secret."""
    return ApiKeys(store, await store.secret("api-keys"), roles)


async def open_auth(
    settings: AuthSettings,
    store: CredentialStore,
    *,
    passwords: Passwords | None = None,
    wall_clock: Callable[[], float] = time.time,
) -> Auth:
    """Make everything that knows about credentials.

    Raises `SigningKeyError` where a key does not fit its algorithm, `ProviderFileError` where a provider
    does not fit the platform, `InvalidCertificatesFile`, and `StoreError` where the store fails. No provider
    is asked yet.
    """
    ring = make_ring(settings.keys)
    access = AccessTokens(ring, settings.policy)
    roles = Roles(settings.roles)
    file = settings.client_certificates_file
    certificates = None if file is None else open_client_certificates(file, roles, wall_clock=wall_clock)
    keys = await open_keys(store, roles)
    external = open_providers(settings.providers, roles)
    parties = open_parties(external.providers if external is not None else ())
    bearer = BearerTokens(access, store, external)
    authenticator = Authenticator(bearer=bearer, api_key=keys, wall_clock=wall_clock)
    hash_key = await store.secret("refresh-tokens")
    holders = Holders(store, roles, parties.keys())
    tokens = Tokens(store, access, holders, hash_key, on_revoked=authenticator.revoke)
    return Auth(
        store=store,
        keys=keys,
        users=Users(store, passwords or Passwords(), roles),
        tokens=tokens,
        authenticator=authenticator,
        certificates=certificates,
        access=access,
        roles=roles,
        upstream_identity=UpstreamIdentity(ring, settings.policy.issuer, wall_clock),
        external=external,
        logins=await open_logins(parties, store, tokens, holders),
        wall_clock=wall_clock,
    )
