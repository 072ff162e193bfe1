"""Tokens that must not pass, each test named by the attack.

Most are signed with the right key, as whoever finds a hole in the issuer or in the library would have them;
the forgeries differ from a good token in one thing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.jwks import PrivateKey, SigningKey, load_signing_key, load_verification_key
from dhatu_gateway.auth.jwt import AccessTokens, Claims
from dhatu_gateway.auth.key_ring import AcceptedKey, KeyRing
from gateway.auth.forgery import (
    ADA,
    CLAIMS,
    EC_KEY,
    ED_KEY,
    NOW_S,
    POLICY,
    RSA_KEY,
    SECRET,
    base64url,
    forged,
    pem,
    public_pem,
    segment,
    signed,
)

HEADER = '{"alg":"HS256","typ":"at+jwt"}'
PAYLOAD = json.dumps(CLAIMS)


@pytest.fixture
def tokens() -> AccessTokens:
    return AccessTokens(KeyRing(load_signing_key(SECRET, "HS256")), POLICY)


@pytest.fixture(params=["RS256", "ES256", "EdDSA"])
def key(request: pytest.FixtureRequest) -> SigningKey:
    private: dict[str, PrivateKey] = {"RS256": RSA_KEY, "ES256": EC_KEY, "EdDSA": ED_KEY}
    return load_signing_key(pem(private[request.param]), request.param)


def refused(tokens: AccessTokens, token: bytes | str, now_s: float = NOW_S) -> None:
    with pytest.raises(InvalidCredentialError):
        tokens.verify(token if isinstance(token, bytes) else token.encode(), now_s=now_s)


def test_the_forgeries_are_good_unless_a_test_breaks_them(tokens: AccessTokens) -> None:
    assert tokens.verify(forged(CLAIMS), now_s=NOW_S).principal.id == "user:ada"
    assert tokens.verify(signed(HEADER, PAYLOAD), now_s=NOW_S).principal.id == "user:ada"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None])
def test_no_signature(tokens: AccessTokens, key: SigningKey, name: str | None) -> None:
    for issuer, kid in ((tokens, {}), (AccessTokens(KeyRing(key), POLICY), {"kid": key.verification.kid})):
        unsigned = f"{segment({'typ': 'at+jwt', 'alg': name, **kid})}.{segment(CLAIMS)}."
        refused(issuer, unsigned)
        refused(issuer, unsigned + "AA")
        refused(issuer, unsigned[:-1])


def test_the_signature_of_another_token(tokens: AccessTokens) -> None:
    header, _, signature = forged(CLAIMS).decode().split(".")
    refused(tokens, f"{header}.{segment(CLAIMS | {'sub': 'user:root'})}.{signature}")


def test_the_public_key_as_a_shared_secret(key: SigningKey) -> None:
    private: PrivateKey = key.signing  # type: ignore[assignment]  # asymmetric here
    tokens = AccessTokens(KeyRing(key), POLICY)
    for secret in (public_pem(private), public_pem(private).strip(), json.dumps(key.verification.jwk)):
        header = json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": key.verification.kid})
        refused(tokens, signed(header, PAYLOAD, secret.encode()))


def test_another_algorithm_of_the_same_key(tokens: AccessTokens) -> None:
    long_enough = SECRET.ljust(64, ".")
    refused(tokens, jwt.encode(CLAIMS, long_enough, algorithm="HS512", headers={"typ": "at+jwt"}))
    kid = load_signing_key(pem(RSA_KEY), "RS256").verification.kid
    rsa_tokens = AccessTokens(KeyRing(load_signing_key(pem(RSA_KEY), "RS256")), POLICY)
    for algorithm in ("PS256", "RS384", "RS512"):
        token = jwt.encode(CLAIMS, RSA_KEY, algorithm, {"typ": "at+jwt", "kid": kid})
        refused(rsa_tokens, token)


def test_a_key_of_ones_own_under_the_name_of_the_right_one(key: SigningKey) -> None:
    own: dict[str, PrivateKey] = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    algorithm = key.verification.algorithm
    headers = {"typ": "at+jwt", "kid": key.verification.kid}
    refused(AccessTokens(KeyRing(key), POLICY), jwt.encode(CLAIMS, own[algorithm], algorithm, dict(headers)))


def test_the_algorithm_of_one_accepted_key_with_the_name_of_another() -> None:
    """Several keys are accepted; each keeps its own algorithm."""
    current, other = load_signing_key(pem(EC_KEY), "ES256"), load_verification_key(SECRET, "HS256")
    tokens = AccessTokens(KeyRing(current, [AcceptedKey(key=other)]), POLICY)
    assert tokens.verify(forged(CLAIMS), now_s=NOW_S)
    refused(tokens, forged(CLAIMS, kid=current.verification.kid))
    refused(tokens, jwt.encode(CLAIMS, EC_KEY, "ES256", {"typ": "at+jwt"}))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
def test_a_key_that_the_token_brings_or_points_to(key: SigningKey, name: str) -> None:
    tokens = AccessTokens(KeyRing(key), POLICY)
    own = ed25519.Ed25519PrivateKey.generate()
    jwk = load_signing_key(pem(own), "EdDSA").verification.jwk or {}
    brought = {"jwk": jwk, "x5c": ["AA=="]}.get(name, "https://evil.test/keys.json")
    kid = key.verification.kid
    for named in ({"kid": kid}, {"kid": jwk["kid"]}, {}):
        refused(tokens, jwt.encode(CLAIMS, own, "EdDSA", {"typ": "at+jwt", name: brought, **named}))
    signing: PrivateKey = key.signing  # type: ignore[assignment]  # asymmetric here
    good = jwt.encode(CLAIMS, signing, key.verification.algorithm, {"typ": "at+jwt", "kid": kid})
    assert tokens.verify(good.encode(), now_s=NOW_S)
    # Even with a good signature: what is not looked at is not let in.
    headers = {"typ": "at+jwt", "kid": kid, name: brought}
    refused(tokens, jwt.encode(CLAIMS, signing, key.verification.algorithm, headers))


@pytest.mark.parametrize(
    "kid",
    ["", "another", "../../dev/null", "/dev/null", "' OR 1=1 --", "a" * 4000, None, 7, ["x"], {"a": 1}, True],
)
def test_a_key_name_that_is_a_path_a_query_or_no_name(
    tokens: AccessTokens, key: SigningKey, kid: object
) -> None:
    header = json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": kid})
    for issuer in (tokens, AccessTokens(KeyRing(key), POLICY)):
        for secret in (SECRET.encode(), b"\0"):
            refused(issuer, signed(header, PAYLOAD, secret))


@pytest.mark.parametrize(
    "headers",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"cty": "JWT"},
        {"typ": "JWT"},
        {"typ": "AT+JWT"},
        {"typ": None},
        {"typ": ["at+jwt"]},
    ],
)
def test_extensions_and_other_kinds_of_tokens(tokens: AccessTokens, headers: dict[str, Any]) -> None:
    header = json.dumps({"alg": "HS256", "typ": "at+jwt"} | headers)
    refused(tokens, signed(header, PAYLOAD))


def test_a_header_that_holds_a_member_twice(tokens: AccessTokens) -> None:
    refused(tokens, signed('{"alg":"none","alg":"HS256","typ":"at+jwt"}', PAYLOAD))
    refused(tokens, signed('{"alg":"HS256","typ":"JWT","typ":"at+jwt"}', PAYLOAD))


@pytest.mark.parametrize("more", ['"sub":"user:root"', '"exp":9999999999', '"scope":"a:b","scope":"c:d"'])
def test_a_claim_that_is_written_twice(tokens: AccessTokens, more: str) -> None:
    """Two readers of one token must not see two callers."""
    refused(tokens, signed(HEADER, "{" + more + "," + PAYLOAD[1:]))
    refused(tokens, signed(HEADER, PAYLOAD[:-1] + ',"x":{"y":1,"y":2}}'))
    refused(tokens, signed(HEADER, "{" + '"\\u0073ub":"user:root",' + PAYLOAD[1:]))


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"])
def test_a_claim_that_is_left_out(tokens: AccessTokens, claim: str) -> None:
    refused(tokens, forged({name: value for name, value in CLAIMS.items() if name != claim}))
    refused(tokens, signed(HEADER, json.dumps(CLAIMS | {claim: None})))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody-else"},
        {"iss": ["dhatu-gateway"]},
        {"iss": "dhatu-gateway/"},
        {"aud": "another-api"},
        {"aud": ["dhatu-api", "another-api"]},
        {"aud": ["dhatu-api"]},
        {"sub": 7},
        {"sub": ""},
        {"sub": "root"},
        {"sub": "service:corpus"},
        {"jti": 7},
        {"scope": ["corpus:read"]},
        {"roles": "admin"},
        {"roles": [{"admin": True}]},
        {"family": 7},
    ],
)
def test_claims_of_another_issuer_audience_or_kind(tokens: AccessTokens, change: dict[str, Any]) -> None:
    refused(tokens, signed(HEADER, json.dumps(CLAIMS | change)))


@pytest.mark.parametrize(
    "change",
    [
        '"exp":"never"',
        '"exp":"1800000600"',
        '"exp":true',
        '"exp":null',
        '"exp":[]',
        '"exp":NaN',
        '"exp":Infinity',
        '"exp":1e400',
        f'"exp":1{"0" * 400}',
        f'"exp":1{"0" * 5000}',
        '"exp":-1',
        '"exp":0',
        f'"exp":{NOW_S - 5}',
        f'"nbf":{NOW_S + 6}',
        '"nbf":NaN',
        '"nbf":-Infinity',
        f'"iat":{NOW_S + 6}',
        '"iat":NaN',
        f'"iat":{NOW_S + 700},"exp":{NOW_S + 600}',
    ],
)
def test_clock_games(tokens: AccessTokens, change: str) -> None:
    names = {part.split(":")[0].strip('"') for part in change.split(",")}
    others = json.dumps({name: value for name, value in CLAIMS.items() if name not in names})
    refused(tokens, signed(HEADER, others[:-1] + "," + change + "}"))


def test_one_token_in_many_spellings(tokens: AccessTokens) -> None:
    """With characters that a lenient decoder skips, each would be a new token to a cache or deny list."""
    token = forged(CLAIMS)
    head, claims, signature = token.split(b".")
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1:])
    same_bits = signature[:-1] + alphabet[last ^ 1 : (last ^ 1) + 1]
    assert len(signature) % 4 == 3, "so that the last two bits of the signature mean nothing"
    for spelling in (
        token + b"=",
        token + b"==",
        token + b"\n",
        token + b"!",
        b"\t" + token,
        b".".join((head, claims, signature[:9] + b"*" + signature[9:])),
        b".".join((head, claims + b"=", signature)),
        b".".join((head, claims, same_bits)),
        b".".join((head, claims, signature, b"")),
        token.replace(b".", b"..", 1),
    ):
        refused(tokens, spelling)


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"a",
        b"a.b",
        b"a.b.c",
        b"..",
        b"\xff.\xff.\xff",
        b"." * 5,
        b"x" * 9000,
        forged(CLAIMS | {"x": "y" * 9000}),
        signed("[]", PAYLOAD),
        signed('"HS256"', PAYLOAD),
        signed(HEADER, "[]"),
        signed(HEADER, "null"),
        signed(HEADER, PAYLOAD + "x"),
        signed(HEADER, PAYLOAD[:-1]),
        signed(HEADER, ""),
    ],
)
def test_garbage(tokens: AccessTokens, token: bytes) -> None:
    refused(tokens, token)


@pytest.mark.parametrize("brackets", ["[", '{"a":'])
def test_nesting_that_exhausts_the_parser(tokens: AccessTokens, brackets: str) -> None:
    deep = brackets * (4000 // len(brackets))
    for header, claims in (('{"alg":"HS256","x":' + deep, PAYLOAD), (HEADER, '{"x":' + deep)):
        token = signed(header, claims)
        assert len(token) < 8192, "refused for its depth, not for its length"
        refused(tokens, token)


def test_a_header_in_another_encoding(tokens: AccessTokens) -> None:
    message = f"{base64url(HEADER.encode('utf-16'))}.{base64url(PAYLOAD.encode())}".encode()
    signature = hmac.digest(SECRET.encode(), message, hashlib.sha256)
    refused(tokens, message + b"." + base64url(signature).encode())


def test_what_the_gateway_signs_itself_passes_all_of_this(key: SigningKey) -> None:
    tokens = AccessTokens(KeyRing(key), POLICY)
    token = tokens.sign(Claims(principal=ADA, jti="j", family="f"), now_s=NOW_S)
    assert tokens.verify(token.encode(), now_s=NOW_S).principal == ADA
