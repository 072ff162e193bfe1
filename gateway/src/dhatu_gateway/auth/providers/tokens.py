"""JSON Web Tokens that a provider has signed: access tokens (RFC 9068), and ID tokens of who signs in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from dhatu_gateway.auth.compact import NotStrictError, read_parts
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.jwt import INVALID, numeric_date
from dhatu_gateway.auth.providers.config import Provider
from dhatu_gateway.auth.providers.keys import ProviderKey, ProviderKeys

MAX_TOKEN_BYTES = 16_384
"""Providers write more into tokens than the gateway does, such as every group that somebody is in."""
LEEWAY_S = 30.0
"""How far a provider's clock may differ."""
REFUSED_MEMBERS = frozenset({"jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "enc", "epk"})
"""Keys that a token brings along or points to, extensions and encodings that nobody here understands. Other
members are ignored (RFC 7515 section 4); providers write some, such as x5t."""
NOT_OF_ACCESS_TOKENS = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})
"""What makes a JWT an ID token, a logout token or a security event, where its type does not tell."""
EXPIRED = "The access token has expired; get a new one from whoever issued it."


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a kind of token must be like."""

    audiences: tuple[str, ...]
    types: frozenset[str]
    """Values of `typ` in lower case; the empty one stands for none at all."""
    refused_claims: frozenset[str] = frozenset()


def access_rules(provider: Provider) -> TokenRules:
    """Of access tokens. `JWT` says nothing, so claims of other kinds of token are refused."""
    types = {type_.lower() for type_ in provider.token_types}
    return TokenRules(
        audiences=provider.audiences,
        types=frozenset(types | ({""} if "jwt" in types else set())),
        refused_claims=NOT_OF_ACCESS_TOKENS,
    )


def id_token_rules(client_id: str) -> TokenRules:
    """Of ID tokens for one client (OpenID Connect Core 1.0); who asked for one knows its nonce."""
    return TokenRules(audiences=(client_id,), types=frozenset({"jwt", ""}))


class ProviderTokens:
    """Verifies what one provider signs."""

    def __init__(self, provider: Provider, keys: ProviderKeys) -> None:
        self._provider = provider
        self._keys = keys

    async def claims(self, token: bytes, rules: TokenRules, *, now_s: float) -> dict[str, Any]:
        """The claims of a token, verified; `now_s` is wall time.

        Raises `InvalidCredentialError`, and `ProviderError` where the keys cannot be had.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise InvalidCredentialError(INVALID)
        try:
            header, payload = read_parts(token)
        except NotStrictError as error:
            raise InvalidCredentialError(INVALID) from error
        algorithm, kid = self._check_header(header, rules), header.get("kid")
        # Whatever can be refused without the provider is refused before it is asked.
        if payload.get("iss") != self._provider.issuer or payload.keys() & rules.refused_claims:
            raise InvalidCredentialError(INVALID)
        check_times(payload, now_s)
        check_unbound(payload)
        self._check_signature(token, await self._keys.find(kid, algorithm), algorithm, rules)
        return payload

    def _check_header(self, header: dict[str, Any], rules: TokenRules) -> str:
        algorithm, type_ = header.get("alg"), header.get("typ", "")
        sound = (
            not header.keys() & REFUSED_MEMBERS
            and isinstance(algorithm, str)
            and algorithm in self._provider.algorithms
            and isinstance(type_, str)
            # RFC 7515 section 4.1.9: the media type, without what they all begin with, in any case.
            and type_.lower().removeprefix("application/") in rules.types
            and ("kid" in header) == isinstance(header.get("kid"), str)
        )
        if not sound or not isinstance(algorithm, str):
            raise InvalidCredentialError(INVALID)
        return algorithm

    def _check_signature(
        self, token: bytes, keys: tuple[ProviderKey, ...], algorithm: str, rules: TokenRules
    ) -> None:
        failure: Exception | None = None
        for key in keys:
            try:
                jwt.decode(
                    token,
                    key.public,
                    algorithms=[algorithm],
                    audience=rules.audiences,
                    issuer=self._provider.issuer,
                    options={
                        "require": ["iss", "aud", "exp"],
                        # By `check_times`, on the clock that it is given.
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        # By `principal_of`, which knows the claim.
                        "verify_sub": False,
                        "verify_jti": False,
                    },
                )
                return
            except jwt.PyJWTError as error:
                failure = error
        raise InvalidCredentialError(INVALID) from failure


def check_times(claims: dict[str, Any], now_s: float) -> None:
    """Refuse what has ended or not begun; `exp` is needed (RFC 9068 section 2.2)."""
    if now_s >= numeric_date(claims.get("exp")) + LEEWAY_S:
        raise InvalidCredentialError(EXPIRED)
    if any(numeric_date(claims[name]) > now_s + LEEWAY_S for name in ("nbf", "iat") if name in claims):
        raise InvalidCredentialError(INVALID)


def check_unbound(claims: dict[str, Any]) -> None:
    """Refuse a token that is bound to a key (RFC 7800, 8705, 9449): the bearer alone may be a thief."""
    if "cnf" in claims:
        raise InvalidCredentialError("The access token is bound to a key, which a bearer does not prove.")
