"""What services are told of who calls, and what nobody can make them believe."""

from __future__ import annotations

import dataclasses
from typing import Any

import jwt
import pytest
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.jwt import AccessTokens, Claims
from dhatu_gateway.auth.key_ring import KeySource, make_ring
from dhatu_gateway.auth.upstream_identity import UpstreamIdentity, service_secrets
from gateway.auth.forgery import ADA, EC_KEY, ED_KEY, NOW_S, POLICY, RSA_KEY, SECRET, pem
from gateway.auth.support import Clock

SHARED = KeySource(text=SECRET)
SOURCES = [
    KeySource(text=pem(RSA_KEY), algorithm="RS256"),
    KeySource(text=pem(EC_KEY), algorithm="ES256"),
    KeySource(text=pem(ED_KEY), algorithm="EdDSA"),
]


def signer(source: KeySource, clock: Clock) -> UpstreamIdentity:
    return UpstreamIdentity(make_ring([source]), "dhatu-gateway", clock)


def read(value: bytes, key: Any, algorithm: str, service: str) -> dict[str, Any]:
    """As a service does, on a clock of its own."""
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    complete = jwt.decode_complete(value, key, [algorithm], options, audience=service, issuer="dhatu-gateway")
    assert complete["header"]["typ"] == "identity+jwt"
    payload: dict[str, Any] = complete["payload"]
    return payload


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.algorithm)
def test_a_service_verifies_with_the_published_keys(source: KeySource, clock: Clock) -> None:
    value = signer(source, clock).for_service("corpus")(ADA, 0.0)
    (published,) = AccessTokens(make_ring([source]), POLICY).published(now_s=clock.now_s)
    payload = read(value, jwt.PyJWK(published), source.algorithm, "corpus")
    assert (payload["sub"], payload["scope"], payload["roles"]) == ("user:ada", "corpus:read", ["analyst"])
    assert payload["exp"] - payload["iat"] == 60
    assert service_secrets(make_ring([source]), "corpus") == []


def test_a_service_verifies_with_a_secret_of_its_own(clock: Clock) -> None:
    value = signer(SHARED, clock).for_service("corpus")(ADA, 0.0)
    (corpus,) = service_secrets(make_ring([SHARED]), "corpus")
    (analysis,) = service_secrets(make_ring([SHARED]), "analysis")
    assert read(value, corpus, "HS256", "corpus")["sub"] == "user:ada"
    for other in (analysis, SECRET):
        with pytest.raises(jwt.InvalidSignatureError):
            read(value, other, "HS256", "corpus")


def test_a_service_cannot_pass_an_identity_on_to_another(clock: Clock) -> None:
    value = signer(SOURCES[2], clock).for_service("corpus")(ADA, 0.0)
    with pytest.raises(jwt.InvalidAudienceError):
        read(value, ED_KEY.public_key(), "EdDSA", "analysis")


@pytest.mark.parametrize("source", [*SOURCES, SHARED], ids=lambda source: source.algorithm)
def test_an_identity_is_no_access_token_and_an_access_token_no_identity(
    source: KeySource, clock: Clock
) -> None:
    clock.now_s = NOW_S
    ring = make_ring([source])
    tokens = AccessTokens(ring, POLICY)
    for service in ("corpus", "dhatu-api"):
        value = signer(source, clock).for_service(service)(ADA, 0.0)
        with pytest.raises(InvalidCredentialError):
            tokens.verify(value, now_s=NOW_S)
    access = tokens.sign(Claims(principal=ADA, jti="j", family="f"), now_s=NOW_S)
    key = ring.signing.verification.verifying
    with pytest.raises((jwt.InvalidAudienceError, jwt.InvalidSignatureError)):
        read(access.encode(), key, source.algorithm, "corpus")


def test_a_service_secret_signs_no_access_token(clock: Clock) -> None:
    (secret,) = service_secrets(make_ring([SHARED]), "corpus")
    forger = AccessTokens(make_ring([KeySource(text=secret)]), POLICY)
    token = forger.sign(Claims(principal=ADA, jti="j", family="f"), now_s=NOW_S)
    with pytest.raises(InvalidCredentialError):
        AccessTokens(make_ring([SHARED]), POLICY).verify(token.encode(), now_s=NOW_S)


def test_an_identity_is_signed_anew_long_before_it_ends(clock: Clock) -> None:
    identify = signer(SHARED, clock).for_service("corpus")
    first = identify(ADA, 0.0)
    clock.now_s += 29
    assert identify(ADA, 29.9) is first
    clock.now_s += 2
    second = identify(ADA, 30.0)
    (secret,) = service_secrets(make_ring([SHARED]), "corpus")
    assert read(second, secret, "HS256", "corpus")["exp"] == int(clock.now_s) + 60


def test_callers_of_one_name_and_different_rights_are_told_apart(clock: Clock) -> None:
    identify = signer(SHARED, clock).for_service("corpus")
    less = dataclasses.replace(ADA, scopes=frozenset())
    (secret,) = service_secrets(make_ring([SHARED]), "corpus")
    assert [read(identify(who, 0.0), secret, "HS256", "corpus")["scope"] for who in (ADA, less, ADA)] == [
        "corpus:read",
        "",
        "corpus:read",
    ]


def test_all_shared_keys_have_a_service_secret_while_one_takes_anothers_place() -> None:
    old = KeySource(text=SECRET, state="retired", retired_at_s=NOW_S)
    new = KeySource(text=SECRET[::-1])
    current, retired = service_secrets(make_ring([old, new]), "corpus")
    assert [current] == service_secrets(make_ring([new]), "corpus")
    assert [retired] == service_secrets(make_ring([SHARED]), "corpus")
