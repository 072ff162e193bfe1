"""Turns the value of a header into a verified caller, once, and remembers it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from dhatu_gateway.auth.credentials import Verified, VerifiedCredentials
from dhatu_gateway.auth.errors import AuthError, InvalidCredentialError
from dhatu_gateway.auth.identity import Identity
from dhatu_gateway.auth.jwt import AccessTokens
from dhatu_gateway.auth.providers.external import ExternalTokens, claimed_issuer
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.core.types import SecurityScheme

MAX_CREDENTIALS = 50_000
BEARER_KINDS = ("bearer", "oauth2", "open_id")
"""Kinds of security scheme whose credential is an access token in Authorization."""
RECHECK_S = 5.0
"""The longest that a revocation by another process goes unnoticed."""


class Verifier(Protocol):
    """Knows one kind of credential."""

    async def verify(self, value: bytes, *, now_s: float) -> Identity:
        """Find out who sent the value of a header; raises `InvalidCredentialError`. `now_s` is wall time."""
        ...


class BearerTokens:
    """A `Verifier` of `Authorization: Bearer <access token>`, the gateway's own and those of providers."""

    def __init__(
        self, access: AccessTokens, store: CredentialStore, external: ExternalTokens | None = None
    ) -> None:
        self._access = access
        self._store = store
        self._external = external

    async def verify(self, value: bytes, *, now_s: float) -> Identity:
        scheme, _, token = value.partition(b" ")
        if scheme.lower() != b"bearer":
            raise InvalidCredentialError("Authorization must be the word Bearer and an access token.")
        identity = await self._identify(token.strip(b" "), now_s)
        if await self._store.is_revoked(identity.revocation_ids):
            raise InvalidCredentialError("The access token has been revoked; sign in again.")
        return identity

    async def _identify(self, token: bytes, now_s: float) -> Identity:
        if self._external is not None:
            # Not verified yet: it says which keys are looked at, and these decide.
            issuer = claimed_issuer(token)
            if issuer != self._access.policy.issuer:
                return await self._external.verify(token, issuer, now_s=now_s)
        return self._access.verify(token, now_s=now_s)


class SchemeAuthenticator:
    """One security scheme: its verifier and the credentials that it has verified.

    Each scheme remembers its own, so that a token sent as an API key is not taken for one.
    """

    def __init__(self, verifier: Verifier, wall_clock: Callable[[], float]) -> None:
        self.verified = VerifiedCredentials(max_entries=MAX_CREDENTIALS, recheck_s=RECHECK_S)
        self._verifier = verifier
        self._wall_clock = wall_clock

    async def verify(self, value: bytes, now_s: float) -> Verified:
        """The caller behind a header's value; raises `InvalidCredentialError`. `now_s` is monotonic time."""
        known = self.verified.by_value.get(value)
        if known is not None and known.valid_until_s > now_s:
            return known
        revocations = self.verified.revocations
        wall_now_s = self._wall_clock()
        identity = await self._verifier.verify(value, now_s=wall_now_s)
        if self.verified.revocations != revocations:
            # Something was revoked while the store was asked: this answer holds for this request only.
            return Verified(identity.principal, now_s, identity.revocation_ids)
        return self.verified.add(value, identity, now_s=now_s, wall_now_s=wall_now_s)


class Authenticator:
    """All schemes that this gateway can verify."""

    def __init__(
        self, *, bearer: Verifier, api_key: Verifier, wall_clock: Callable[[], float] = time.time
    ) -> None:
        tokens = SchemeAuthenticator(bearer, wall_clock)
        # However a document describes where tokens come from, they are sent and verified in one way.
        self._kinds: dict[str, SchemeAuthenticator] = {
            **dict.fromkeys(BEARER_KINDS, tokens),
            "api_key": SchemeAuthenticator(api_key, wall_clock),
        }

    def scheme(self, scheme: SecurityScheme) -> SchemeAuthenticator:
        """Who verifies a scheme; raises `AuthError` for one that this gateway cannot enforce."""
        authenticator = self._kinds.get(scheme.kind)
        if authenticator is None or scheme.location != "header":
            raise AuthError(
                f"security scheme {scheme.key!r} ({scheme.kind} in {scheme.location}) cannot be enforced: "
                "the gateway verifies bearer tokens and API keys in headers"
            )
        return authenticator

    def revoke(self, revocation_id: str) -> None:
        """Forget every credential that carries this id."""
        for scheme in set(self._kinds.values()):
            scheme.verified.revoke(revocation_id)
