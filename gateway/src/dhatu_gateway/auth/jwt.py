"""Access tokens: JSON Web Tokens (RFC 9068) that this gateway signs and verifies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, cast

import jwt

from dhatu_gateway.auth.compact import NotStrictError, read_parts
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.identity import Identity, family_id, token_id
from dhatu_gateway.auth.jwks import VerificationKey
from dhatu_gateway.auth.key_ring import KeyRing
from dhatu_gateway.core.exchange import Principal

TYPE = "at+jwt"
"""RFC 9068 section 2.1: keeps every other kind of JWT from passing for an access token."""
REQUIRED_CLAIMS = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"]
HEADER_MEMBERS = frozenset({"alg", "typ", "kid"})
"""All that this gateway writes; keys that a token brings along or points to (jwk, jku, x5c, x5u), extensions
(crit, b64) and compression (zip) have no place in it."""
SUBJECT = re.compile(r"(user|key|oidc):.+", re.DOTALL)
"""The principals that this gateway issues tokens to."""
KINDS: Mapping[str, Literal["user", "api_key", "oidc"]] = {"user": "user", "key": "api_key", "oidc": "oidc"}
MAX_TOKEN_BYTES = 8192
MAX_ACCESS_LIFETIME_S = 365 * 24 * 3600

INVALID = "The access token is not valid."
EXPIRED = "The access token has expired; get a new one from /api/v1/auth/refresh."


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """Who issues tokens, for whom, and how long they last."""

    issuer: str = "dhatu-gateway"
    audience: str = "dhatu-api"
    access_lifetime_s: int = 3600
    refresh_lifetime_s: int = 30 * 24 * 3600
    leeway_s: float = 5.0
    """How far the clocks of two gateways may differ."""

    @property
    def revoked_for_s(self) -> float:
        """How long a revocation is kept: as long as a family may be renewed, and what came of it may last.

        Tokens may have been issued under another policy than today's, so the longest lifetime counts.
        """
        return self.refresh_lifetime_s + MAX_ACCESS_LIFETIME_S + self.leeway_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an access token says."""

    principal: Principal
    jti: str
    family: str


class AccessTokens:
    """Signs access tokens with one key and verifies them with several; times are seconds since the epoch."""

    def __init__(self, keys: KeyRing, policy: TokenPolicy) -> None:
        self._keys = keys
        self.policy = policy
        kid = keys.signing.verification.kid
        self._headers = {"typ": TYPE} | ({"kid": kid} if kid is not None else {})

    def sign(self, claims: Claims, *, now_s: float) -> str:
        """Write a token that holds from now on for `access_lifetime_s`."""
        issued_at = int(now_s)
        payload: dict[str, Any] = {
            "iss": self.policy.issuer,
            "aud": self.policy.audience,
            "sub": claims.principal.id,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + self.policy.access_lifetime_s,
            "jti": claims.jti,
            "family": claims.family,
            "scope": " ".join(sorted(claims.principal.scopes)),
            "roles": sorted(claims.principal.roles),
        }
        key = self._keys.signing
        return jwt.encode(payload, key.signing, algorithm=key.verification.algorithm, headers=self._headers)

    def verify(self, token: bytes, *, now_s: float) -> Identity:
        """Read a token that this gateway signed; raises `InvalidCredentialError` for any other."""
        if len(token) > MAX_TOKEN_BYTES:
            raise InvalidCredentialError(INVALID)
        try:
            header, payload = read_parts(token)
        except NotStrictError as error:
            raise InvalidCredentialError(INVALID) from error
        issued_at_s = numeric_date(payload.get("iat"))
        self._check_signature(token, self._keys_for(header, issued_at_s, now_s))
        leeway_s = self.policy.leeway_s
        expires_at_s = numeric_date(payload["exp"]) + leeway_s
        if now_s >= expires_at_s:
            raise InvalidCredentialError(EXPIRED)
        if max(numeric_date(payload["nbf"]), issued_at_s) > now_s + leeway_s:
            raise InvalidCredentialError(INVALID)
        return _identity(payload, expires_at_s)

    def published(self, *, now_s: float) -> list[dict[str, str]]:
        """The public keys of all tokens that may still hold, as RFC 7517 writes them."""
        oldest_s = now_s - self.policy.access_lifetime_s - self.policy.leeway_s
        return self._keys.published(issued_since_s=oldest_s)

    def _keys_for(self, header: dict[str, Any], issued_at_s: float, now_s: float) -> list[VerificationKey]:
        """The keys that may have signed a token with this header at this time."""
        kid = header.get("kid")
        named = "kid" in header
        if header.keys() - HEADER_MEMBERS or header.get("typ") != TYPE or named != isinstance(kid, str):
            raise InvalidCredentialError(INVALID)
        # Compared before any cryptography: the algorithm belongs to the key, the token does not choose.
        return [
            accepted.key
            for accepted in self._keys.find(kid)
            if accepted.key.algorithm == header.get("alg")
            and self._in_use(accepted.retired_at_s, issued_at_s, now_s)
        ]

    def _in_use(self, retired_at_s: float | None, issued_at_s: float, now_s: float) -> bool:
        """Whoever finds a retired key can date a token back, so the key ends with what it signed."""
        if retired_at_s is None:
            return True
        until_s = retired_at_s + self.policy.leeway_s
        return issued_at_s <= until_s and now_s < until_s + self.policy.access_lifetime_s

    def _check_signature(self, token: bytes, keys: Iterable[VerificationKey]) -> None:
        failure: Exception | None = None
        for key in keys:
            try:
                jwt.decode(
                    token,
                    key.verifying,
                    algorithms=[key.algorithm],
                    audience=self.policy.audience,
                    issuer=self.policy.issuer,
                    options={
                        "require": REQUIRED_CLAIMS,
                        "strict_aud": True,
                        # Times are compared by `verify`, on the clock that it is given.
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                    },
                )
                return
            except jwt.PyJWTError as error:
                failure = error
        raise InvalidCredentialError(INVALID) from failure


def _identity(payload: dict[str, Any], expires_at_s: float) -> Identity:
    subject, jti = str(payload["sub"]), str(payload["jti"])
    scope, family = payload.get("scope", ""), payload.get("family", "")
    roles = payload.get("roles", [])
    if not (isinstance(scope, str) and isinstance(family, str) and isinstance(roles, list)):
        raise InvalidCredentialError(INVALID)
    listed = tuple(cast(Iterable[object], roles))
    names = frozenset(role for role in listed if isinstance(role, str))
    if SUBJECT.fullmatch(subject) is None or len(names) < len(listed):
        raise InvalidCredentialError(INVALID)
    return Identity(
        principal=Principal(
            id=subject,
            kind=KINDS[subject.partition(":")[0]],
            scopes=frozenset(scope.split()),
            roles=names,
        ),
        expires_at_s=expires_at_s,
        revocation_ids=(token_id(jti), subject, *((family_id(family),) if family else ())),
    )


def numeric_date(value: object) -> float:
    """A time as claims have it (RFC 7519 section 2); raises `InvalidCredentialError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCredentialError(INVALID)
    try:
        seconds = float(value)
    except OverflowError as error:
        raise InvalidCredentialError(INVALID) from error
    if not isfinite(seconds):
        raise InvalidCredentialError(INVALID)
    return seconds
