"""Tokens that say nothing themselves: whoever issued them is asked, briefly believed, and needed."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from dhatu_gateway.auth.errors import InvalidCredentialError, ProviderError
from dhatu_gateway.auth.providers.config import Introspection
from dhatu_gateway.auth.providers.introspection import INACTIVE_S, MAX_AT_ONCE, MAX_WAITING
from gateway.auth.providers.misbehaving import json_response
from gateway.auth.providers.support import INTROSPECTION, METADATA, Bench, bench, until

TOKEN = b"opaque.token-of_ada~1"
ACTIVE: dict[str, Any] = {
    "active": True,
    "sub": "ada",
    "aud": "dhatu-api",
    "scope": "corpus:read",
    "exp": 1_800_000_600,
    "token_type": "Bearer",
}


def answer(provider: Bench, **changes: object) -> None:
    whole = {name: value for name, value in (ACTIVE | changes).items() if value is not None}
    provider.server.answers[INTROSPECTION] = json_response(whole)


async def verify(provider: Bench, token: bytes = TOKEN) -> str:
    identity = await provider.external.verify(token, None, now_s=provider.clock.now_s)
    return identity.principal.id


async def refused(provider: Bench, token: bytes = TOKEN) -> bool:
    try:
        await verify(provider, token)
    except InvalidCredentialError:
        return True
    return False


async def test_the_provider_says_whose_a_token_is(provider: Bench) -> None:
    answer(provider, realm={"roles": ["Writers"]}, iss=provider.server.origin)
    identity = await provider.external.verify(TOKEN, None, now_s=provider.clock.now_s)
    assert (identity.principal.id, identity.principal.kind) == ("oidc:staff:ada", "oidc")
    assert identity.principal.scopes == {"corpus:read", "corpus:write"}
    assert identity.expires_at_s == 1_800_000_600
    assert provider.server.bodies[
        -1
    ] == b"token=opaque.token-of_ada%7E1&token_type_hint=access_token".replace(b"%7E", b"~")
    assert "Authorization: Basic Z2F0ZXdheTpzM2NyZXQ=\r\n" in provider.server.heads[-1]


async def test_an_answer_is_believed_for_a_while(provider: Bench) -> None:
    answer(provider)
    for _ in range(6):
        await verify(provider)
        provider.clock.now_s += 7
    assert provider.server.count(INTROSPECTION) == 2  # at 0 s and at 35 s
    answer(provider, active=False)
    provider.clock.now_s += 30
    assert await refused(provider)


async def test_nothing_is_believed_beyond_its_end(provider: Bench) -> None:
    answer(provider, exp=provider.clock.now_s + 3)
    await verify(provider)
    answer(provider, active=False)
    provider.clock.now_s += 3
    assert await refused(provider)


async def test_without_a_cache_every_question_is_asked() -> None:
    introspection = Introspection(client_id="a", client_secret="b", cache_s=0)
    async with bench(introspection=introspection) as provider:
        answer(provider)
        for _ in range(3):
            await verify(provider)
        assert provider.server.count(INTROSPECTION) == 3


async def test_an_endpoint_that_is_said_needs_no_discovery() -> None:
    async with bench() as elsewhere:
        url = f"{elsewhere.server.origin}{INTROSPECTION}"
        introspection = Introspection(client_id="a", client_secret="b", endpoint=url)
        answer(elsewhere)
        async with bench(introspection=introspection) as provider:
            assert await verify(provider) == "oidc:staff:ada"
            assert provider.server.requests == []


async def test_a_token_that_nobody_knows_is_not_asked_about_again_at_once(provider: Bench) -> None:
    answer(provider, active=False)
    for _ in range(50):
        assert await refused(provider)
    assert provider.server.count(INTROSPECTION) == 1
    provider.clock.now_s += INACTIVE_S
    answer(provider)
    assert await verify(provider) == "oidc:staff:ada"


BAD: dict[str, dict[str, Any]] = {
    "not active": {"active": False},
    "for others": {"aud": ["other"]},
    "for nobody": {"aud": None},
    "another issuer": {"iss": "https://evil.example"},
    "ended": {"exp": 1_799_999_000},
    "an end that is text": {"exp": "never"},
    "not yet": {"nbf": 1_900_000_000},
    "nobody": {"sub": None},
    "a line break in the name": {"sub": "ada\nroot"},
    "bound to a key": {"cnf": {"jkt": "a"}},
    "of another kind": {"token_type": "DPoP"},
    "a refresh token": {"token_type": "refresh_token"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD)
async def test_answers_that_let_nobody_in(provider: Bench, changes: dict[str, Any]) -> None:
    answer(provider, **changes)
    assert await refused(provider)


async def test_no_audience_where_the_operator_says_so() -> None:
    introspection = Introspection(client_id="a", client_secret="b", any_audience=True)
    async with bench(introspection=introspection) as provider:
        answer(provider, aud=None, exp=None, token_type=None)
        assert await verify(provider) == "oidc:staff:ada"
        answer(provider, aud="other")
        assert await refused(provider, b"another-token")


@pytest.mark.parametrize(
    "token",
    [
        b"dhk_aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_cccccc",  # a key of the gateway
        b"eyJhbGciOiJub25lIn0.broken",
        b"short",
        b"two words",
        b"x" * 5_000,
        b"line\nbreak-in-it",
        b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8",
        b"",
    ],
)
async def test_what_the_provider_must_not_see(provider: Bench, token: bytes) -> None:
    answer(provider)
    assert await refused(provider, token)
    assert provider.server.requests == []


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"active": "true"}, 200),
        ({"active": 1}, 200),
        ({}, 200),
        ({"active": True}, 401),
        ({}, 503),
        ([], 200),
    ],
)
async def test_without_an_answer_nobody_is_let_in(provider: Bench, document: object, status: int) -> None:
    provider.server.answers[INTROSPECTION] = json_response(document, status)
    for _ in range(2):
        with pytest.raises(ProviderError):
            await verify(provider)


async def test_an_outage_and_its_end(provider: Bench, caplog: pytest.LogCaptureFixture) -> None:
    answer(provider)
    await verify(provider)
    provider.go_out()
    provider.clock.now_s += 29
    assert await verify(provider) == "oidc:staff:ada"
    provider.clock.now_s += 1
    with caplog.at_level(logging.WARNING, "dhatu.providers"):
        for _ in range(3):
            with pytest.raises(ProviderError):
                await verify(provider)
        answer(provider)
        assert await verify(provider) == "oidc:staff:ada"
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith("provider staff cannot be asked about tokens: http://127.0.0.1:")
    assert told[1:] == ["provider staff can be asked about tokens again"]
    assert TOKEN.decode() not in told[0]
    fetches = provider.opened.fetches["introspection"]
    assert (fetches.ok, fetches.failed) == (2, 3)


async def test_a_provider_without_the_endpoint(provider: Bench) -> None:
    provider.describe(introspection_endpoint=None)
    with pytest.raises(ProviderError, match="provider staff names no introspection_endpoint"):
        await verify(provider)
    assert provider.server.requests == [f"GET {METADATA}"]


async def test_many_requests_with_one_token_ask_once(provider: Bench) -> None:
    answer(provider)
    assert set(await asyncio.gather(*(verify(provider) for _ in range(50)))) == {"oidc:staff:ada"}
    assert provider.server.count(INTROSPECTION) == 1


async def test_a_flood_of_tokens_has_a_bound(provider: Bench) -> None:
    release = asyncio.Event()
    asked = 0

    async def hold(writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await release.wait()
        writer.write(json_response({"active": False}))
        await writer.drain()

    provider.server.answers[INTROSPECTION] = hold
    tokens = [b"opaque-token-%d" % number for number in range(MAX_WAITING + 100)]
    flood = [asyncio.create_task(verify(provider, token)) for token in tokens]
    await until(lambda: asked == MAX_AT_ONCE)
    assert sum(task.done() for task in flood) == 100  # told to come again, without a question
    release.set()
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(isinstance(outcome, ProviderError) for outcome in outcomes) == 100
    assert sum(isinstance(outcome, InvalidCredentialError) for outcome in outcomes) == MAX_WAITING


async def test_without_introspection_such_tokens_are_nothing() -> None:
    async with bench(introspection=None) as provider:
        assert await refused(provider)
        assert provider.server.requests == []


async def test_a_provider_without_keys_is_well_as_long_as_it_explains_tokens(provider: Bench) -> None:
    provider.describe(jwks_uri=None)
    await provider.opened.ping()
    answer(provider)
    assert await verify(provider) == "oidc:staff:ada"
    provider.server.answers[INTROSPECTION] = json_response({}, 401)
    with pytest.raises(ProviderError):
        await verify(provider, b"another-token")
    with pytest.raises(ProviderError):
        await provider.opened.ping()
