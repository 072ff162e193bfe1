"""Who gets through a route's security, and what the others are told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.errors import AuthError, StoreError
from dhatu_gateway.auth.records import AuditEntry
from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.auth.stage import build_authenticate, build_authorize
from dhatu_gateway.core.exchange import Exchange, Principal
from dhatu_gateway.core.problem import Problem, ProblemError
from dhatu_gateway.core.types import Route
from gateway.auth.support import OPEN_ROUTE, SCHEMES, Clock, api_key, bearer, exchange, route, run

READER = Principal(
    id="user:ada", kind="user", scopes=frozenset({"corpus:read"}), roles=frozenset({"analyst"})
)
READ = route((bearer("corpus:read"),), (api_key("corpus:read"),))


@dataclass
class Callers:
    """Sends credentials to routes."""

    auth: Auth
    clock: Clock

    async def token(self, principal: Principal = READER) -> bytes:
        pair = await self.auth.tokens.issue(principal, now_s=self.clock.now_s)
        return f"Bearer {pair.access_token}".encode()

    async def key(self, *scopes: str) -> tuple[str, bytes]:
        new = NewKey(name="n", owner="user:ada", scopes=frozenset(scopes))
        record, key = await self.auth.keys.create(new, actor="test", now_s=self.clock.now_s)
        return f"key:{record.id}", key.encode()

    async def call(self, to: Route, fields: dict[bytes, bytes]) -> Exchange:
        stage = build_authenticate(to, SCHEMES, self.auth.authenticator)
        return await run(stage, exchange(fields, self.clock.now_s))

    async def refused(self, to: Route, fields: dict[bytes, bytes]) -> Problem:
        with pytest.raises(ProblemError) as caught:
            await self.call(to, fields)
        return caught.value.problem


@pytest.fixture
def callers(auth: Auth, clock: Clock) -> Callers:
    return Callers(auth, clock)


async def test_an_open_route_needs_no_stage(auth: Auth) -> None:
    assert build_authenticate(OPEN_ROUTE, SCHEMES, auth.authenticator) is None
    assert build_authorize(OPEN_ROUTE) is None


async def test_a_token_or_a_key_is_enough(callers: Callers) -> None:
    for _ in range(2):  # the second time from memory
        assert (await callers.call(READ, {b"authorization": await callers.token()})).principal == READER
    id_, key = await callers.key("corpus:read", "corpus:write")
    for _ in range(2):
        principal = (await callers.call(READ, {b"x-api-key": key})).principal
        assert principal is not None
        assert principal.id == id_


async def test_the_word_bearer_may_be_written_in_any_case(callers: Callers) -> None:
    token = (await callers.token()).replace(b"Bearer ", b"bEARER ")
    assert (await callers.call(READ, {b"authorization": token})).principal == READER


async def test_nothing_sent_is_told_what_to_send(callers: Callers) -> None:
    problem = await callers.refused(READ, {})
    assert problem.status == 401
    assert problem.detail == "Send an API key in X-API-Key or a token in Authorization."
    assert problem.headers == (
        (b"www-authenticate", b'Bearer realm="dhatu", ApiKey realm="dhatu", header="X-API-Key"'),
    )


@pytest.mark.parametrize(
    "value", [b"Bearer x.y.z", b"Bearer", b"Basic YTpi", b"", b"\xff", b"Bearer a, Bearer b"]
)
async def test_an_invalid_token_is_refused(callers: Callers, value: bytes) -> None:
    problem = await callers.refused(READ, {b"authorization": value})
    assert problem.status == 401
    assert b'error="invalid_token"' in problem.headers[0][1]


async def test_a_known_caller_without_the_scope_is_forbidden(callers: Callers) -> None:
    write = route((bearer("corpus:write"),), (api_key("corpus:write"),))
    token = await callers.token()
    for _ in range(2):
        problem = await callers.refused(write, {b"authorization": token})
        assert problem.status == 403
        assert problem.detail == "The scope corpus:write is missing."
        assert problem.headers == (
            (b"www-authenticate", b'Bearer realm="dhatu", error="insufficient_scope", scope="corpus:write"'),
        )


async def test_every_scope_of_an_alternative_is_needed(callers: Callers) -> None:
    both = route((bearer("corpus:read", "corpus:write", "analysis:use"),))
    problem = await callers.refused(both, {b"authorization": await callers.token()})
    assert problem.detail == "The scopes analysis:use, corpus:write are missing."


async def test_a_token_is_no_key_and_a_key_no_token(callers: Callers) -> None:
    token = await callers.token()
    await callers.call(READ, {b"authorization": token})
    _, key = await callers.key("corpus:read")
    await callers.call(READ, {b"x-api-key": key})
    assert (await callers.refused(READ, {b"x-api-key": token})).status == 401
    assert (await callers.refused(READ, {b"x-api-key": token.removeprefix(b"Bearer ")})).status == 401
    assert (await callers.refused(READ, {b"authorization": key})).status == 401
    assert (await callers.refused(route((api_key(),)), {b"authorization": token})).status == 401


async def test_scopes_count_with_the_credential_they_belong_to(callers: Callers) -> None:
    admin_or_key = route((bearer("keys:manage"),), (api_key("corpus:read"),))
    token = await callers.token()
    assert (await callers.refused(admin_or_key, {b"authorization": token})).status == 403
    id_, key = await callers.key("corpus:read")
    principal = (await callers.call(admin_or_key, {b"authorization": token, b"x-api-key": key})).principal
    assert principal is not None
    assert principal.id == id_, "the second alternative holds where the first does not"


async def test_the_first_alternative_decides_who_calls_whatever_is_remembered(callers: Callers) -> None:
    _, key = await callers.key("corpus:read")
    await callers.call(READ, {b"x-api-key": key})
    fields = {b"x-api-key": key, b"authorization": await callers.token()}
    for _ in range(2):
        assert (await callers.call(READ, fields)).principal == READER


async def test_credentials_needed_together_are_needed_together(callers: Callers) -> None:
    both = route((bearer("corpus:read"), api_key("corpus:write")))
    token = await callers.token()
    _, key = await callers.key("corpus:write")
    assert (await callers.call(both, {b"authorization": token, b"x-api-key": key})).principal == READER
    assert (await callers.refused(both, {b"authorization": token})).status == 401
    missing = await callers.refused(both, {})
    assert missing.detail == "Send an API key in X-API-Key and a token in Authorization."
    _, weak = await callers.key("corpus:read")
    problem = await callers.refused(both, {b"authorization": token, b"x-api-key": weak})
    assert (problem.status, problem.detail) == (403, "The scope corpus:write is missing.")


async def test_a_bad_credential_is_not_taken_for_none(callers: Callers) -> None:
    optional = route((), (bearer("corpus:read"),))
    assert (await callers.call(optional, {})).principal is None
    assert (await callers.call(optional, {b"authorization": await callers.token()})).principal == READER
    assert (await callers.refused(optional, {b"authorization": b"Bearer x.y.z"})).status == 401


async def test_an_expired_token_leaves_memory_too(callers: Callers, clock: Clock) -> None:
    token = await callers.token()
    await callers.call(READ, {b"authorization": token})
    clock.now_s += 606
    problem = await callers.refused(READ, {b"authorization": token})
    assert "expired" in problem.detail


async def test_a_revoked_key_no_longer_passes(callers: Callers, clock: Clock) -> None:
    id_, key = await callers.key("corpus:read")
    await callers.call(READ, {b"x-api-key": key})
    await callers.auth.tokens.revoke_key(id_.removeprefix("key:"), actor="test", now_s=clock.now_s)
    assert (await callers.refused(READ, {b"x-api-key": key})).status == 401


async def test_a_key_revoked_by_another_process_passes_for_seconds_only(
    callers: Callers, clock: Clock
) -> None:
    id_, key = await callers.key("corpus:read")
    await callers.call(READ, {b"x-api-key": key})
    entry = AuditEntry(at_s=clock.now_s, actor="test", act="key.revoke", target=id_)
    await callers.auth.store.revoke_key(id_.removeprefix("key:"), entry)
    clock.now_s += 5
    assert (await callers.refused(READ, {b"x-api-key": key})).status == 401


async def test_a_failing_store_lets_nobody_in(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = await callers.key("corpus:read")

    async def fail(key_id: str) -> None:
        raise StoreError("disk on fire")

    monkeypatch.setattr(callers.auth.store, "find_key", fail)
    problem = await callers.refused(READ, {b"x-api-key": key})
    assert problem.status == 503
    assert "fire" not in problem.detail


async def test_one_of_the_roles_is_needed(clock: Clock) -> None:
    needs = route((bearer(),), roles=("auditor", "analyst"))
    on = exchange({}, clock.now_s)
    on.principal = READER
    await run(build_authorize(needs), on)
    on.principal = Principal(id="user:bob", kind="user", scopes=frozenset(), roles=frozenset({"reader"}))
    with pytest.raises(ProblemError) as caught:
        await run(build_authorize(needs), on)
    assert caught.value.problem.status == 403
    assert caught.value.problem.detail == "One of these roles is needed: auditor, analyst."


@pytest.mark.parametrize("security", [(), ((), (bearer(),))])
def test_roles_on_a_route_for_anybody_are_refused_at_boot(security: tuple[tuple[()], ...]) -> None:
    with pytest.raises(AuthError, match=r"corpus\.search asks for roles"):
        build_authorize(route(*security, roles=("analyst",)))
