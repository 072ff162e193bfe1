"""Access tokens: JSON Web Tokens (RFC 9068) that this gateway signs and verifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import jwt

from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.identity import Identity, family_id, token_id
from dhatu_gateway.auth.jwks import SigningKey
from dhatu_gateway.core.exchange import Principal

TYPE = "at+jwt"
"""RFC 9068 section 2.1: keeps every other kind of JWT from passing for an access token."""
REQUIRED_CLAIMS = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"]
MAX_TOKEN_BYTES = 8192

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an access token says."""

    principal: Principal
    jti: str
    family: str


class AccessTokens:
    """Signs and verifies access tokens with one key and one algorithm; times are seconds since the epoch."""

    def __init__(self, key: SigningKey, policy: TokenPolicy) -> None:
        self._key = key
        self._policy = policy
        self._headers = {"typ": TYPE} | ({"kid": key.kid} if key.kid is not None else {})

    def sign(self, claims: Claims, *, now_s: float) -> str:
        """Write a token that holds from now on for `access_lifetime_s`."""
        issued_at = int(now_s)
        payload: dict[str, Any] = {
            "iss": self._policy.issuer,
            "aud": self._policy.audience,
            "sub": claims.principal.id,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + self._policy.access_lifetime_s,
            "jti": claims.jti,
            "family": claims.family,
            "scope": " ".join(sorted(claims.principal.scopes)),
            "roles": sorted(claims.principal.roles),
        }
        return jwt.encode(payload, self._key.signing, algorithm=self._key.algorithm, headers=self._headers)

    def verify(self, token: bytes, *, now_s: float) -> Identity:
        """Read a token that this gateway signed; raises `InvalidCredentialError` for any other."""
        payload = self._verified_payload(token)
        leeway_s = self._policy.leeway_s
        expires_at_s = _seconds(payload["exp"]) + leeway_s
        if now_s >= expires_at_s:
            raise InvalidCredentialError(EXPIRED)
        if max(_seconds(payload["nbf"]), _seconds(payload["iat"])) > now_s + leeway_s:
            raise InvalidCredentialError(INVALID)
        return _identity(payload, expires_at_s)

    def _verified_payload(self, token: bytes) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_BYTES:
            raise InvalidCredentialError(INVALID)
        try:
            decoded = jwt.decode_complete(
                token,
                self._key.verifying,
                algorithms=[self._key.algorithm],  # never the algorithm that the token asks for
                audience=self._policy.audience,
                issuer=self._policy.issuer,
                options={
                    "require": REQUIRED_CLAIMS,
                    "strict_aud": True,
                    # Times are compared by `verify`, on the clock that it is given.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            raise InvalidCredentialError(INVALID) from error
        header: dict[str, Any] = decoded["header"]
        if header.get("typ") != TYPE or header.get("kid") != self._key.kid or "crit" in header:
            raise InvalidCredentialError(INVALID)
        payload: dict[str, Any] = decoded["payload"]
        return payload


def _identity(payload: dict[str, Any], expires_at_s: float) -> Identity:
    subject, jti = str(payload["sub"]), str(payload["jti"])
    scope, roles, family = payload.get("scope", ""), payload.get("roles", []), payload.get("family", "")
    if not (isinstance(scope, str) and isinstance(roles, list) and isinstance(family, str)):
        raise InvalidCredentialError(INVALID)
    return Identity(
        principal=Principal(
            id=subject,
            kind="api_key" if subject.startswith("key:") else "user",
            scopes=frozenset(scope.split()),
            roles=frozenset(map(str, cast(list[object], roles))),
        ),
        expires_at_s=expires_at_s,
        revocation_ids=(token_id(jti), subject, *((family_id(family),) if family else ())),
    )


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCredentialError(INVALID)
    return float(value)
