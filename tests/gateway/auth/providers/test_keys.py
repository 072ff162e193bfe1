"""Keys are asked for when they are needed, not more often, and go on being used where the provider is out."""

from __future__ import annotations

import asyncio
import logging

import pytest
from dhatu_gateway.auth.errors import InvalidCredentialError, ProviderError
from gateway.auth.providers.misbehaving import Misbehaving, drip, json_response
from gateway.auth.providers.support import (
    EC_KEY,
    ED_KEY,
    KEYS,
    METADATA,
    OTHER_KEY,
    Bench,
    jwk,
    until,
)

FOR_EVER = 9_999_999_999


async def test_the_provider_is_not_asked_before_a_token_needs_it(provider: Bench) -> None:
    assert provider.server.requests == []
    for _ in range(3):
        await provider.verify(provider.issuer.token())
    assert provider.server.requests == [f"GET {METADATA}", f"GET {KEYS}"]


async def test_many_tokens_at_once_ask_once(provider: Bench) -> None:
    token = provider.issuer.token()
    assert set(await asyncio.gather(*(provider.verify(token) for _ in range(100)))) == {"oidc:staff:ada"}
    assert provider.server.requests == [f"GET {METADATA}", f"GET {KEYS}"]


async def test_who_leaves_does_not_take_the_answer_from_the_others(provider: Bench) -> None:
    token = provider.issuer.token()
    first, second = (asyncio.create_task(provider.verify(token)) for _ in range(2))
    await until(lambda: bool(provider.server.requests))
    first.cancel()
    assert await second == "oidc:staff:ada"
    assert provider.server.count(KEYS) == 1


async def test_a_new_key_is_found_at_once(provider: Bench) -> None:
    await provider.verify(provider.issuer.token())
    provider.clock.now_s += 31
    provider.publish(jwk(EC_KEY, "a"), jwk(ED_KEY, "b"))
    provider.issuer.key, provider.issuer.algorithm = ED_KEY, "EdDSA"
    assert await provider.verify(provider.issuer.token({"kid": "b"})) == "oidc:staff:ada"
    assert provider.server.count(KEYS) == 2


async def test_a_key_that_was_taken_back_verifies_nothing_after_five_to_ten_minutes(provider: Bench) -> None:
    token = provider.issuer.token(exp=FOR_EVER)
    await provider.verify(token)
    provider.publish(jwk(OTHER_KEY, "b"))
    provider.clock.now_s += 299
    await provider.verify(token)
    assert provider.server.count(KEYS) == 1
    provider.clock.now_s += 1
    await provider.verify(token)  # begins to ask, beside the request
    await until(lambda: provider.opened.keys.fetches.ok == 2)
    with pytest.raises(InvalidCredentialError):
        await provider.verify(token)


async def test_a_long_pause_and_the_first_token_waits_for_the_keys(provider: Bench) -> None:
    token = provider.issuer.token(exp=FOR_EVER)
    await provider.verify(token)
    provider.publish(jwk(OTHER_KEY, "b"))
    provider.clock.now_s += 600
    with pytest.raises(InvalidCredentialError):
        await provider.verify(token)


async def test_another_key_under_the_same_name_takes_its_place(provider: Bench) -> None:
    await provider.verify(provider.issuer.token())
    provider.publish(jwk(OTHER_KEY, "a"))
    provider.clock.now_s += 600
    old = provider.issuer.token(exp=FOR_EVER)
    provider.issuer.key = OTHER_KEY
    assert await provider.verify(provider.issuer.token(exp=FOR_EVER)) == "oidc:staff:ada"
    with pytest.raises(InvalidCredentialError):
        await provider.verify(old)


async def test_a_flood_of_unknown_names_asks_once_in_thirty_seconds(provider: Bench) -> None:
    await provider.verify(provider.issuer.token())
    provider.clock.now_s += 30
    for second in range(90):
        forged = [provider.issuer.token({"kid": f"{second}-{number}"}) for number in range(12)]
        outcomes = await asyncio.gather(*map(provider.verify, forged), return_exceptions=True)
        assert all(isinstance(outcome, InvalidCredentialError) for outcome in outcomes)
        provider.clock.now_s += 1
    assert provider.server.count(KEYS) == 1 + 3  # 1,080 tokens in 90 s
    assert provider.server.count(METADATA) == 1
    assert await provider.verify(provider.issuer.token()) == "oidc:staff:ada"


async def test_a_provider_that_is_out_at_first_is_asked_again_after_a_moment(provider: Bench) -> None:
    provider.go_out()
    token = provider.issuer.token()
    for _ in range(20):
        with pytest.raises(ProviderError):
            await provider.verify(token)
    assert provider.server.requests == [f"GET {METADATA}"]
    provider.describe()
    provider.publish(jwk(EC_KEY, "a"))
    provider.clock.now_s += 5
    assert await provider.verify(token) == "oidc:staff:ada"


async def test_an_outage_is_bridged_for_a_day(provider: Bench, caplog: pytest.LogCaptureFixture) -> None:
    token = provider.issuer.token(exp=FOR_EVER)
    keys = provider.opened.keys
    await provider.verify(token)
    provider.go_out()
    with caplog.at_level(logging.WARNING, "dhatu.providers"):
        for hour in range(23):
            provider.clock.now_s += 3_600
            assert await provider.verify(token) == "oidc:staff:ada"
            await until(lambda failed=hour + 1: keys.fetches.failed == failed)  # type: ignore[misc]
        with pytest.raises(ProviderError):  # it may be a new key: nobody can say
            await provider.verify(provider.issuer.token({"kid": "new"}, exp=FOR_EVER))
        with pytest.raises(ProviderError):
            await provider.opened.ping()
        provider.clock.now_s += 3_600
        with pytest.raises(ProviderError):
            await provider.verify(token)
        provider.describe()
        provider.publish(jwk(EC_KEY, "a"))
        provider.clock.now_s += 30
        assert await provider.verify(token) == "oidc:staff:ada"
        await provider.opened.ping()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 4, told  # once for the outage and once for its end, of keys and of metadata
    assert sum("cannot be read: http" in line for line in told[:2]) == 2
    assert told[-1] == "the keys of provider staff can be read again"


async def test_nobody_waits_for_a_provider_that_was_out_a_moment_ago(provider: Bench) -> None:
    token = provider.issuer.token(exp=FOR_EVER)
    await provider.verify(token)
    provider.go_out()
    provider.clock.now_s += 600
    await provider.verify(token)
    provider.server.answers[METADATA] = provider.server.answers[KEYS] = drip
    provider.clock.now_s += 30
    assert await provider.verify(token) == "oidc:staff:ada"
    await until(lambda: len(provider.server.requests) == 4)  # is being asked, though


async def test_keys_that_moved_are_found_without_waiting_an_hour(provider: Bench) -> None:
    token = provider.issuer.token(exp=FOR_EVER)
    await provider.verify(token)
    provider.server.answers |= {KEYS: json_response({}, 404), "/moved": provider.server.answers[KEYS]}
    provider.describe(jwks_uri=f"{provider.server.origin}/moved")
    provider.clock.now_s += 600
    assert await provider.verify(token) == "oidc:staff:ada"  # by the keys of old
    provider.clock.now_s += 30
    assert await provider.verify(token) == "oidc:staff:ada"
    await until(lambda: provider.server.count("/moved") == 1)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"keys": {}},
        {"keys": []},
        {"keys": [jwk(EC_KEY, "enc", use="enc")]},
        {"keys": [jwk(EC_KEY, str(number)) for number in range(65)]},
    ],
)
async def test_a_set_without_use_does_not_take_the_place_of_a_good_one(
    provider: Bench, document: dict[str, object]
) -> None:
    token = provider.issuer.token(exp=FOR_EVER)
    await provider.verify(token)
    provider.server.answers[KEYS] = json_response(document)
    provider.clock.now_s += 600
    assert await provider.verify(token) == "oidc:staff:ada"
    assert isinstance(provider.opened.keys.failure, ProviderError)
    assert (provider.opened.keys.fetches.ok, provider.opened.keys.fetches.failed) == (1, 1)


async def test_closing_ends_what_is_under_way(provider: Bench) -> None:
    provider.server.answers[METADATA] = drip
    waiting = asyncio.create_task(provider.verify(provider.issuer.token()))
    await until(lambda: bool(provider.server.requests))
    await provider.opened.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_what_a_server_was_asked_is_counted_by_path() -> None:
    server = Misbehaving(requests=["GET /keys", "GET /keys?a"])
    assert server.count("/keys") == 1
