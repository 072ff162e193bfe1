"""Tokens of the gateway and of providers at one route, however its document says where tokens come from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from dhatu_gateway.auth.authenticator import RECHECK_S
from dhatu_gateway.auth.errors import ProviderFileError
from dhatu_gateway.auth.key_ring import KeySource
from dhatu_gateway.auth.providers.config import PrincipalClaims
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.stage import build_authenticate
from dhatu_gateway.auth.store.memory import MemoryStore
from dhatu_gateway.core.exchange import Principal
from dhatu_gateway.core.problem import Problem, ProblemError
from dhatu_gateway.core.types import SecurityScheme
from dhatu_gateway.monitoring.metrics import Metrics
from gateway.auth.providers.misbehaving import json_response
from gateway.auth.providers.support import INTROSPECTION, KEYS, OTHER_KEY, Bench, jwk
from gateway.auth.support import ROLES, SECRET, Clock, bearer, exchange, route, run

OAUTH2 = SecurityScheme(key="bearer", kind="oauth2", location="header", parameter="Authorization")
OPEN_ID = replace(OAUTH2, kind="open_id")
BEARER = replace(OAUTH2, kind="bearer")
READ = route((bearer("corpus:read"),))
ADA = Principal(id="user:ada", kind="user", scopes=frozenset({"corpus:read"}), roles=frozenset())


@dataclass
class Door:
    """One route in front of a provider."""

    auth: Auth
    provider: Bench
    clock: Clock

    async def call(self, token: bytes, scheme: SecurityScheme = OAUTH2) -> str:
        stage = build_authenticate(READ, [scheme], self.auth.authenticator)
        passed = await run(stage, exchange({b"authorization": b"Bearer " + token}, self.clock.now_s))
        assert passed.principal is not None
        return passed.principal.id

    async def refused(self, token: bytes) -> Problem:
        with pytest.raises(ProblemError) as caught:
            await self.call(token)
        return caught.value.problem


@pytest.fixture
async def door(provider: Bench) -> AsyncIterator[Door]:
    clock = Clock()
    settings = AuthSettings(
        keys=(KeySource(text=SECRET),), roles=ROLES, providers=(provider.opened.provider,)
    )
    auth = await open_auth(settings, MemoryStore(), wall_clock=clock)
    yield Door(auth, provider, clock)
    await auth.close()


@pytest.mark.parametrize("scheme", [BEARER, OAUTH2, OPEN_ID], ids=lambda scheme: scheme.kind)
async def test_both_kinds_of_token_pass_under_each_kind_of_scheme(door: Door, scheme: SecurityScheme) -> None:
    own = (await door.auth.tokens.issue(ADA, now_s=door.clock.now_s)).access_token.encode()
    assert await door.call(own, scheme) == "user:ada"
    assert door.provider.server.requests == []
    assert await door.call(door.provider.issuer.token(), scheme) == "oidc:staff:ada"


async def test_the_challenge_is_that_of_a_bearer(door: Door) -> None:
    problem = await door.refused(door.provider.issuer.token(exp=1))
    assert (problem.status, problem.detail) == (
        401,
        "The access token has expired; get a new one from whoever issued it.",
    )
    assert problem.headers == ((b"www-authenticate", b'Bearer realm="dhatu", error="invalid_token"'),)
    lacking = await door.refused(door.provider.issuer.token(scope="email"))
    assert (lacking.status, lacking.detail) == (403, "The scope corpus:read is missing.")


async def test_a_token_is_verified_once_in_a_while_and_not_with_every_request(door: Door) -> None:
    token = door.provider.issuer.token()
    await door.call(token)
    door.provider.go_out()
    stage = build_authenticate(READ, [OAUTH2], door.auth.authenticator)
    assert stage is not None
    known = exchange({b"authorization": b"Bearer " + token}, door.clock.now_s)
    assert stage(known) is None  # nothing to wait for
    assert known.principal is not None
    door.clock.now_s += RECHECK_S
    later = stage(exchange({b"authorization": b"Bearer " + token}, door.clock.now_s))
    assert later is not None
    await later
    assert door.provider.server.count(KEYS) == 1


async def test_one_at_a_provider_may_be_shut_out_here(door: Door) -> None:
    token = door.provider.issuer.token()
    await door.call(token)
    now_s = door.clock.now_s
    await door.auth.store.revoke(("oidc:staff:ada",), now_s=now_s, until_s=now_s + 3600)
    door.clock.now_s += RECHECK_S
    assert (await door.refused(token)).detail == "The access token has been revoked; sign in again."
    assert await door.call(door.provider.issuer.token(sub="grace")) == "oidc:staff:grace"


async def test_a_provider_that_is_out_is_no_fault_of_the_caller(door: Door) -> None:
    door.provider.go_out()
    for token in (door.provider.issuer.token(), b"an-opaque-token"):
        problem = await door.refused(token)
        assert (problem.status, problem.detail) == (
            503,
            "Credentials cannot be checked at the moment; try again.",
        )


async def test_a_subject_of_the_provider_is_none_of_the_gateway(door: Door) -> None:
    token = door.provider.issuer.token(sub="user:ada")
    assert await door.call(token) == "oidc:staff:user:ada"


async def test_what_the_gateway_signs_is_not_taken_for_the_providers(door: Door) -> None:
    """And the other way round: the issuer decides which keys are looked at."""
    assert (await door.refused(door.provider.issuer.token(iss="dhatu-gateway"))).status == 401
    door.provider.publish(jwk(OTHER_KEY, "a"))
    assert (await door.refused(door.provider.issuer.token())).status == 401


async def test_an_opaque_token_is_asked_about_once_in_its_time(door: Door) -> None:
    said = {"active": True, "sub": "ada", "aud": "dhatu-api", "scope": "corpus:read"}
    door.provider.server.answers[INTROSPECTION] = json_response(said)
    calls = [door.call(b"an-opaque-token") for _ in range(20)]
    assert set(await asyncio.gather(*calls)) == {"oidc:staff:ada"}
    door.clock.now_s += RECHECK_S
    assert await door.call(b"an-opaque-token") == "oidc:staff:ada"
    assert door.provider.server.count(INTROSPECTION) == 1


@pytest.mark.parametrize(
    "principal",
    [
        PrincipalClaims(roles="groups", role_map=(("a", "emperor"),)),
        PrincipalClaims(fixed_roles=("emperor",)),
    ],
)
async def test_a_role_that_the_platform_does_not_know_is_refused_at_boot(
    provider: Bench, principal: PrincipalClaims
) -> None:
    settings = AuthSettings(
        keys=(KeySource(text=SECRET),),
        roles=ROLES,
        providers=(replace(provider.opened.provider, principal=principal),),
    )
    with pytest.raises(ProviderFileError, match="provider staff: there is no role 'emperor'"):
        await open_auth(settings, MemoryStore())


async def test_questions_to_providers_are_counted(door: Door) -> None:
    await door.call(door.provider.issuer.token())
    door.provider.server.answers[INTROSPECTION] = json_response({}, 500)
    await door.refused(b"an-opaque-token")
    assert door.auth.external is not None
    metrics = Metrics((), process=False)
    metrics.provider_fetches = door.auth.external.fetches
    lines = metrics.exposition().decode().splitlines()
    for what, ok, failed in (("metadata", 1, 0), ("keys", 1, 0), ("introspection", 0, 1)):
        name = "dhatu_gateway_provider_fetches_total"
        assert f'{name}{{outcome="ok",provider="staff",what="{what}"}} {ok}.0' in lines
        assert f'{name}{{outcome="failed",provider="staff",what="{what}"}} {failed}.0' in lines
