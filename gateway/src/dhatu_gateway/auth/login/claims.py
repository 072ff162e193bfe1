"""What an ID token must say beyond what every token must (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dhatu_gateway.auth.jwt import numeric_date
from dhatu_gateway.auth.login.attempts import ATTEMPT_S
from dhatu_gateway.auth.login.errors import LoginError
from dhatu_gateway.auth.providers.tokens import LEEWAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the gateway knows of the login that a token has to answer."""

    client_id: str
    nonce: str
    access_token: str | None = field(repr=False)
    """What came beside the ID token."""
    now_s: float


def check_id_token(claims: Mapping[str, Any], algorithm: str, expected: Expected) -> None:
    """Refuse the ID token of another client or another login; raises `LoginError`.

    Issuer, audience, `exp` and signature have been verified. Raises `InvalidCredentialError` where a time
    is none.
    """
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise LoginError("The provider answered with the ID token of another login.")
    authorized, audience = claims.get("azp"), claims.get("aud")
    is_for_several = isinstance(audience, list) and len(audience) > 1  # pyright: ignore[reportUnknownArgumentType]  # of texts, as was verified
    # A token for several has to say whom it was issued to, and none may say another than us.
    if authorized != expected.client_id and (authorized is not None or is_for_several):
        raise LoginError("The provider answered with an ID token that another client asked for.")
    if "iat" not in claims or numeric_date(claims["iat"]) < expected.now_s - ATTEMPT_S - LEEWAY_S:
        raise LoginError("The provider answered with an ID token from before this login.")
    if "at_hash" in claims:
        _check_access_token(claims["at_hash"], algorithm, expected.access_token)


def _check_access_token(at_hash: object, algorithm: str, access_token: str | None) -> None:
    """Section 3.1.3.6: the left half of the token's hash, by the hash of the signature's algorithm."""
    # EdDSA names none; providers that sign with Ed25519 take the hash that is in it, SHA-512.
    digest = hashlib.new(
        "sha512" if algorithm == "EdDSA" else f"sha{algorithm[-3:]}", (access_token or "").encode()
    ).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(at_hash, str) or not hmac.compare_digest(at_hash.encode(), half):
        raise LoginError("The provider's access token does not belong to its ID token.")
