"""Tokens that pass, and the many that must not."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dhatu_gateway.auth.errors import InvalidCredentialError, SigningKeyError
from dhatu_gateway.auth.jwks import PrivateKey, load_signing_key
from dhatu_gateway.auth.jwt import AccessTokens, Claims, TokenPolicy
from dhatu_gateway.core.exchange import Principal

SECRET = "a secret of at least thirty-two bytes"
NOW_S = 1_800_000_000.0
POLICY = TokenPolicy(access_lifetime_s=600, leeway_s=5.0)
ADA = Principal(id="user:ada", kind="user", scopes=frozenset({"corpus:read"}), roles=frozenset({"analyst"}))
CLAIMS: dict[str, Any] = {
    "iss": "dhatu-gateway",
    "aud": "dhatu-api",
    "sub": "user:ada",
    "iat": int(NOW_S),
    "nbf": int(NOW_S),
    "exp": int(NOW_S) + 600,
    "jti": "1",
}


def pem(key: PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def tokens() -> AccessTokens:
    return AccessTokens(load_signing_key(SECRET, "HS256"), POLICY)


def forged(claims: dict[str, Any], **headers: object) -> bytes:
    return jwt.encode(claims, SECRET, algorithm="HS256", headers={"typ": "at+jwt", **headers}).encode()


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
    tokens = AccessTokens(key, POLICY)
    token = tokens.sign(Claims(principal=ADA, jti="j1", family="f1"), now_s=NOW_S).encode()
    identity = tokens.verify(token, now_s=NOW_S + 1)
    assert identity.principal == ADA
    assert identity.expires_at_s == NOW_S + 605
    assert identity.revocation_ids == ("token:j1", "user:ada", "family:f1")
    assert (key.jwk["kty"] if key.jwk else None) == family


def test_anybody_can_verify_with_the_published_key() -> None:
    key = load_signing_key(pem(EC_KEY), "ES256")
    token = AccessTokens(key, POLICY).sign(Claims(principal=ADA, jti="j1", family="f1"), now_s=NOW_S)
    assert key.jwk is not None
    assert "d" not in key.jwk
    public = jwt.PyJWK(key.jwk)
    payload = jwt.decode(
        token,
        public,
        ["ES256"],
        {"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        audience="dhatu-api",
    )
    assert payload["sub"] == "user:ada"
    assert jwt.get_unverified_header(token)["kid"] == key.jwk["kid"]


def test_the_forgery_of_these_tests_is_good_unless_they_break_it(tokens: AccessTokens) -> None:
    assert tokens.verify(forged(CLAIMS), now_s=NOW_S).principal.id == "user:ada"


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"])
def test_every_claim_is_required(tokens: AccessTokens, claim: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != claim}
    with pytest.raises(InvalidCredentialError):
        tokens.verify(forged(claims), now_s=NOW_S)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody-else"},
        {"aud": "another-api"},
        {"aud": ["dhatu-api", "another-api"]},
        {"exp": "never"},
        {"exp": True},
        {"nbf": NOW_S + 6},
        {"iat": NOW_S + 6},
        {"sub": 7},
        {"scope": ["corpus:read"]},
        {"roles": "admin"},
    ],
)
def test_wrong_claims_are_refused(tokens: AccessTokens, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidCredentialError):
        tokens.verify(forged(CLAIMS | change), now_s=NOW_S)


def test_a_token_ends_after_its_leeway_and_says_so(tokens: AccessTokens) -> None:
    token = forged(CLAIMS)
    assert tokens.verify(token, now_s=NOW_S + 604)
    with pytest.raises(InvalidCredentialError, match="expired"):
        tokens.verify(token, now_s=NOW_S + 605)


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
def test_unsigned_tokens_are_refused(tokens: AccessTokens, name: str) -> None:
    token = f"{segment({'typ': 'at+jwt', 'alg': name})}.{segment(CLAIMS)}."
    with pytest.raises(InvalidCredentialError):
        tokens.verify(token.encode(), now_s=NOW_S)


def test_another_key_or_algorithm_is_refused(tokens: AccessTokens) -> None:
    other_key = jwt.encode(CLAIMS, "another secret that is long enough to use", headers={"typ": "at+jwt"})
    other_algorithm = jwt.encode(CLAIMS, SECRET.ljust(64, "."), algorithm="HS512", headers={"typ": "at+jwt"})
    for token in (other_key, other_algorithm):
        with pytest.raises(InvalidCredentialError):
            tokens.verify(token.encode(), now_s=NOW_S)


def test_the_public_key_is_no_shared_secret() -> None:
    import hashlib
    import hmac

    key = load_signing_key(pem(RSA_KEY), "RS256")
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{segment({'typ': 'at+jwt', 'alg': 'HS256', 'kid': key.kid})}.{segment(CLAIMS)}"
    signature = hmac.digest(public, signed.encode(), hashlib.sha256)
    token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    with pytest.raises(InvalidCredentialError):
        AccessTokens(key, POLICY).verify(token.encode(), now_s=NOW_S)


@pytest.mark.parametrize("headers", [{"typ": "JWT"}, {"kid": "another"}, {"crit": ["exp"], "exp": 1}])
def test_unexpected_headers_are_refused(tokens: AccessTokens, headers: dict[str, Any]) -> None:
    with pytest.raises(InvalidCredentialError):
        tokens.verify(forged(CLAIMS, **headers), now_s=NOW_S)


@pytest.mark.parametrize("token", [b"", b"a", b"a.b", b"a.b.c", b"\xff.\xff.\xff", b"." * 5, b"x" * 9000])
def test_garbage_is_refused(tokens: AccessTokens, token: bytes) -> None:
    with pytest.raises(InvalidCredentialError):
        tokens.verify(token, now_s=NOW_S)


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
