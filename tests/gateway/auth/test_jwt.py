"""Tokens that pass, and keys that cannot sign."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from dhatu_gateway.auth.errors import InvalidCredentialError, SigningKeyError
from dhatu_gateway.auth.jwks import load_signing_key
from dhatu_gateway.auth.jwt import AccessTokens, Claims
from dhatu_gateway.auth.key_ring import KeyRing
from gateway.auth.forgery import ADA, CLAIMS, EC_KEY, ED_KEY, NOW_S, POLICY, RSA_KEY, SECRET, forged, pem


@pytest.mark.parametrize(
    ("secret", "algorithm", "family"),
    [
        (SECRET, "HS256", None),
        (pem(RSA_KEY), "RS256", "RSA"),
        (pem(EC_KEY), "ES256", "EC"),
        (pem(ED_KEY), "EdDSA", "OKP"),
    ],
)
def test_what_is_signed_can_be_verified(secret: str, algorithm: Any, family: str | None) -> None:
    key = load_signing_key(secret, algorithm)
    tokens = AccessTokens(KeyRing(key), POLICY)
    token = tokens.sign(Claims(principal=ADA, jti="j1", family="f1"), now_s=NOW_S).encode()
    identity = tokens.verify(token, now_s=NOW_S + 1)
    assert identity.principal == ADA
    assert identity.expires_at_s == NOW_S + 605
    assert identity.revocation_ids == ("token:j1", "user:ada", "family:f1")
    assert (key.verification.jwk["kty"] if key.verification.jwk else None) == family


def test_anybody_can_verify_with_the_published_key() -> None:
    key = load_signing_key(pem(EC_KEY), "ES256")
    token = AccessTokens(KeyRing(key), POLICY).sign(Claims(principal=ADA, jti="j1", family="f1"), now_s=NOW_S)
    jwk = key.verification.jwk
    assert jwk is not None
    assert "d" not in jwk
    public = jwt.PyJWK(jwk)
    payload = jwt.decode(
        token,
        public,
        ["ES256"],
        {"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        audience="dhatu-api",
    )
    assert payload["sub"] == "user:ada"
    assert jwt.get_unverified_header(token)["kid"] == jwk["kid"]


def test_a_token_ends_after_its_leeway_and_says_so() -> None:
    tokens = AccessTokens(KeyRing(load_signing_key(SECRET, "HS256")), POLICY)
    token = forged(CLAIMS)
    assert tokens.verify(token, now_s=NOW_S + 604)
    with pytest.raises(InvalidCredentialError, match="expired"):
        tokens.verify(token, now_s=NOW_S + 605)


@pytest.mark.parametrize(
    ("secret", "algorithm", "message"),
    [
        ("short", "HS256", "at least 32 bytes"),
        (SECRET, "RS256", "private key in PEM"),
        (pem(EC_KEY), "RS256", "another kind of key"),
        (pem(ED_KEY), "ES256", "another kind of key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "ES256", "P-256"),
        (pem(rsa.generate_private_key(65537, 1024)), "RS256", "at least 2048 bits"),
    ],
)
def test_a_key_that_does_not_fit_is_refused_without_being_shown(
    secret: str, algorithm: Any, message: str
) -> None:
    with pytest.raises(SigningKeyError, match=message) as caught:
        load_signing_key(secret, algorithm)
    assert secret not in str(caught.value)


def test_a_signing_key_does_not_print_itself() -> None:
    assert SECRET not in repr(load_signing_key(SECRET, "HS256"))
