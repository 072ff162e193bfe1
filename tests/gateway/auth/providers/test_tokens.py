"""Tokens that a provider has signed are taken; whatever else it signs, or others do, is not."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.providers.config import PrincipalClaims
from dhatu_gateway.auth.providers.tokens import LEEWAY_S, id_token_rules
from gateway.auth.forgery import base64url, public_pem, segment, signed
from gateway.auth.providers.support import EC_KEY, ED_KEY, OTHER_KEY, RSA_KEY, Bench, bench, jwk

LONG_S = 9_999_999_999


async def refused(provider: Bench, token: bytes) -> bool:
    try:
        await provider.verify(token)
    except InvalidCredentialError:
        return True
    return False


async def test_a_good_token_names_its_caller(provider: Bench) -> None:
    token = provider.issuer.token(realm={"roles": ["Writers", "admin", 5]})
    identity = await provider.opened.verify(token, now_s=provider.clock.now_s)
    assert identity.principal.id == "oidc:staff:ada"
    assert identity.principal.kind == "oidc"
    assert identity.principal.roles == {"editor", "reader"}  # mapped, with what it inherits; admin is dropped
    assert identity.principal.scopes == {"corpus:read", "corpus:write", "email"}
    assert identity.expires_at_s == provider.clock.now_s + 600 + LEEWAY_S
    assert identity.revocation_ids[1] == "oidc:staff:ada"


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY, ED_KEY], ids=["RSA", "EC", "Ed25519"])
@pytest.mark.parametrize("pinned", [True, False])
async def test_each_kind_of_key_with_its_algorithm(provider: Bench, key: Any, pinned: bool) -> None:
    published = jwk(key, "k")
    provider.issuer.key, provider.issuer.algorithm = key, published["alg"]
    provider.publish(published if pinned else published | {"alg": published["alg"]})
    assert await provider.verify(provider.issuer.token({"kid": "k"})) == "oidc:staff:ada"


FINE: dict[str, dict[str, Any]] = {
    "one of many audiences": {"aud": ["other", "dhatu-api"]},
    "no time of issue": {"iat": None},
    "valid from now on": {"nbf": 1_800_000_000},
    "a clock that is ahead": {"iat": 1_800_000_000 + LEEWAY_S, "nbf": 1_800_000_000 + LEEWAY_S},
    "just ended": {"exp": 1_800_000_000 - LEEWAY_S + 1},
    "a time with a fraction": {"exp": 1_800_000_600.5},
    "no scope": {"scope": None},
    "scopes that are odd": {"scope": 7},
    "roles that are odd": {"realm": {"roles": {"Writers": 1}}},
    "realm that is odd": {"realm": ["roles"]},
}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
async def test_what_providers_may_write(provider: Bench, changes: dict[str, Any]) -> None:
    assert await provider.verify(provider.issuer.token(**changes)) == "oidc:staff:ada"


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "for others": {"aud": "other"},
    "for part of a name": {"aud": "dhatu"},
    "for nobody": {"aud": None},
    "for an object": {"aud": {"dhatu-api": 1}},
    "another issuer": {"iss": "https://evil.example"},
    "almost the issuer": {"iss": "http://127.0.0.1/"},
    "no issuer": {"iss": None},
    "ended": {"exp": 1_800_000_000 - LEEWAY_S},
    "without end": {"exp": None},
    "an end that is text": {"exp": str(LONG_S)},
    "an end that is true": {"exp": True},
    "an end beyond numbers": {"exp": 10**400},
    "not yet": {"nbf": 1_800_000_000 + LEEWAY_S + 1},
    "issued tomorrow": {"iat": 1_800_000_000 + 86_400},
    "nobody": {"sub": None},
    "nobody by an empty name": {"sub": ""},
    "somebody by a number": {"sub": 5},
    "a line break in the name": {"sub": "ada\r\nX-Dhatu-Principal: user:root"},
    "a name beyond ASCII": {"sub": "ādā"},
    "a name that is too long": {"sub": "a" * 256},
    "a blank before the name": {"sub": " ada"},
    "an ID token": {"nonce": "n"},
    "an ID token with a hash": {"at_hash": "n"},
    "a logout token": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    "bound to a certificate": {"cnf": {"x5t#S256": "a"}},
    "bound to a key": {"cnf": {"jkt": "a"}},
}


@pytest.mark.parametrize("changes", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
async def test_claims_that_are_refused(provider: Bench, changes: dict[str, Any]) -> None:
    assert await refused(provider, provider.issuer.token(**changes))


BAD_HEADERS: dict[str, dict[str, Any]] = {
    "another type": {"typ": "JWT"},
    "an ID token's type": {"typ": "id+jwt"},
    "a logout token's type": {"typ": "logout+jwt"},
    "no type": {"typ": None},
    "a type that is a list": {"typ": ["at+jwt"]},
    "a key along with it": {"jwk": jwk(EC_KEY)},
    "an address of keys": {"jku": "https://evil.example/keys"},
    "a certificate along with it": {"x5c": ["MIIB"]},
    "an address of a certificate": {"x5u": "https://evil.example/a.pem"},
    "something critical": {"crit": ["exp"], "exp": 1},
    "a payload that is not encoded": {"b64": True},
    "compressed": {"zip": "DEF"},
    "a number as the name of its key": {"kid": 5},
    "null as the name of its key": {"kid": None},
    "the name of no key": {"kid": "b"},
}


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
async def test_headers_that_are_refused(provider: Bench, header: dict[str, Any]) -> None:
    whole = {"alg": "ES256"} | provider.issuer.header | header
    message = f"{segment(whole)}.{segment(provider.issuer.claims())}"
    signature = jwt.get_algorithm_by_name("ES256").sign(message.encode(), EC_KEY)
    assert await refused(provider, f"{message}.{base64url(signature)}".encode())


@pytest.mark.parametrize("type_", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_spellings_of_the_type(provider: Bench, type_: str) -> None:
    assert not await refused(
        provider, provider.issuer.token({"typ": type_, "x5t": "other members are ignored"})
    )


async def test_an_older_provider_may_write_any_jwt() -> None:
    async with bench(token_types=("JWT",)) as provider:
        for type_ in ("JWT", "jwt", None):
            assert not await refused(provider, provider.issuer.token({"typ": type_}))
        assert await refused(provider, provider.issuer.token({"typ": "at+jwt"}))
        assert await refused(provider, provider.issuer.token({"typ": "JWT"}, nonce="n"))


async def test_signatures_that_are_none(provider: Bench) -> None:
    good = provider.issuer.token().decode()
    message, _, signature = good.rpartition(".")
    header, claims = provider.issuer.header, json.dumps(provider.issuer.claims())
    forged = [
        f"{message}.",
        f"{message}.{signature[:-4]}AAAA",
        f"{message}.{base64url(bytes(64))}",  # CVE-2022-21449
        f"{segment(header | {'alg': 'none'})}.{segment(provider.issuer.claims())}.",
        f"{segment(header | {'alg': 'none'})}.{segment(provider.issuer.claims())}.AAAA",
        signed(json.dumps(header | {"alg": "HS256"}), claims, public_pem(EC_KEY).encode()).decode(),
        jwt.encode(provider.issuer.claims(), OTHER_KEY, "ES256", header),
        jwt.encode(provider.issuer.claims(), RSA_KEY, "RS256", header),
        jwt.encode(provider.issuer.claims(), RSA_KEY, "PS256", header),
        jwt.encode(provider.issuer.claims(), ED_KEY, "EdDSA", header),
    ]
    for token in forged:
        assert await refused(provider, token.encode()), token
    assert not await refused(provider, good.encode())


async def test_a_token_has_one_reading(provider: Bench) -> None:
    claims = json.dumps(provider.issuer.claims())
    header = json.dumps({"alg": "ES256"} | provider.issuer.header)
    texts = [
        (header, '{"sub":"root",' + claims[1:]),
        ('{"alg":"none",' + header[1:], claims),
        (header, claims.replace('"exp": ', '"exp": NaN, "e": ')),
        (header, "[" + claims + "]"),
    ]
    for first, second in texts:
        message = f"{base64url(first.encode())}.{base64url(second.encode())}"
        signature = jwt.get_algorithm_by_name("ES256").sign(message.encode(), EC_KEY)
        assert await refused(provider, f"{message}.{base64url(signature)}".encode())
    assert await refused(provider, provider.issuer.token(padding="x" * 16_384))
    assert await refused(provider, b"\xff\xfe")


async def test_what_can_be_refused_without_the_provider_does_not_reach_it(provider: Bench) -> None:
    for token in (
        provider.issuer.token(iss="https://evil.example"),
        provider.issuer.token(exp=1),
        provider.issuer.token({"typ": "JWT"}),
        provider.issuer.token({"jku": "https://evil.example"}),
        b"eyJ.eyJ.a",
    ):
        assert await refused(provider, token)
    assert provider.server.requests == []


async def test_an_algorithm_must_be_allowed_and_the_keys_own() -> None:
    async with bench(algorithms=("PS256", "EdDSA")) as provider:
        # Without `alg` an RSA key may be used with any of its algorithms, but they must be allowed.
        provider.publish(jwk(RSA_KEY, "a", alg=None), jwk(RSA_KEY, "b", alg="RS256"))
        claims = provider.issuer.claims()
        for algorithm, kid, good in (("PS256", "a", True), ("RS256", "a", False), ("PS256", "b", False)):
            token = jwt.encode(claims, RSA_KEY, algorithm, provider.issuer.header | {"kid": kid})
            assert await refused(provider, token.encode()) is not good, (algorithm, kid)


async def test_without_a_name_the_only_key_is_meant(provider: Bench) -> None:
    token = provider.issuer.token({"kid": None})
    assert not await refused(provider, token)
    provider.publish(jwk(EC_KEY, "a"), jwk(RSA_KEY, "b"))
    provider.clock.now_s += 600
    token = provider.issuer.token({"kid": None}, exp=LONG_S)
    assert not await refused(provider, token)  # the only one of this kind
    provider.publish(jwk(EC_KEY, "a"), jwk(OTHER_KEY, "b"))
    provider.clock.now_s += 600
    assert await refused(provider, token)


async def test_keys_that_are_of_no_use(provider: Bench) -> None:
    small = jwk(rsa.generate_private_key(65537, 1024), "small")
    curve = jwk(ec.generate_private_key(ec.SECP384R1()), "curve", alg="ES256", crv="P-256")
    private = jwk(EC_KEY, "private", d=base64url(EC_KEY.private_numbers().private_value.to_bytes(32, "big")))
    useless: list[Any] = [
        small,
        curve,
        private,
        {"kty": "oct", "k": base64url(b"s" * 32), "kid": "a", "alg": "HS256"},
        jwk(EC_KEY, "encryption", use="enc"),
        jwk(EC_KEY, "signing", key_ops=["sign"]),
        jwk(EC_KEY, "operations", key_ops="verify"),
        jwk(EC_KEY, "none", alg="none"),
        jwk(EC_KEY, "wrong", alg="RS256"),
        jwk(EC_KEY, "odd", alg=["ES256"]),
        jwk(EC_KEY, "nowhere", x=base64url(b"1" * 32)),
        jwk(RSA_KEY, "one", e="AQ"),
        jwk(RSA_KEY, "huge", e=base64url(b"\1" + b"\0" * 100 + b"\1")),
        {"kty": "RSA", "kid": "empty", "n": "", "e": ""},
        {"kty": "RSA", "kid": "absent"},
        {"kty": ["RSA"], "kid": "kind"},
        jwk(EC_KEY) | {"kid": 5},
        None,
        "key",
    ]
    provider.publish(*useless, jwk(EC_KEY, "good"))
    assert not await refused(provider, provider.issuer.token({"kid": "good"}))
    assert [key.kid for key in await provider.opened.keys.get()] == ["good"]


@pytest.mark.parametrize(
    ("claims", "scopes", "roles"),
    [
        ({"scp": ["corpus:read", "corpus:read", 'a"b', "", 5]}, {"corpus:read"}, set()),
        ({"scp": "email  a\u0007"}, {"email"}, set()),
        ({"https://example.com/roles": "staff"}, {"corpus:read"}, {"reader"}),
        ({"scope": "corpus:write"}, set(), set()),
    ],
)
async def test_claims_have_the_names_that_the_operator_says(
    claims: dict[str, Any], scopes: set[str], roles: set[str]
) -> None:
    names = PrincipalClaims(
        subject="uid", scope="scp", roles="https://example.com/roles", role_map=(("staff", "reader"),)
    )
    async with bench(principal=names) as provider:
        token = provider.issuer.token(**{"sub": None, "uid": "ada", "scope": None} | claims)
        principal = (await provider.opened.verify(token, now_s=provider.clock.now_s)).principal
    assert principal.id == "oidc:staff:ada"
    assert (set(principal.scopes), set(principal.roles)) == (scopes, roles)


async def test_everybody_has_the_fixed_roles() -> None:
    async with bench(principal=PrincipalClaims(fixed_roles=("editor",))) as provider:
        token = provider.issuer.token(scope=None)
        principal = (await provider.opened.verify(token, now_s=provider.clock.now_s)).principal
    assert principal.roles == {"editor", "reader"}
    assert principal.scopes == {"corpus:read", "corpus:write"}


async def test_an_id_token_is_for_its_client_alone(provider: Bench) -> None:
    token = provider.issuer.token({"typ": "JWT"}, aud="app", nonce="n")
    tokens, now_s = provider.opened.tokens, provider.clock.now_s
    assert (await tokens.claims(token, id_token_rules("app"), now_s=now_s))["nonce"] == "n"
    for rules in (id_token_rules("other"), provider.opened.rules):
        with pytest.raises(InvalidCredentialError):
            await tokens.claims(token, rules, now_s=now_s)
    with pytest.raises(InvalidCredentialError):
        await tokens.claims(provider.issuer.token(aud="app"), id_token_rules("app"), now_s=now_s)
