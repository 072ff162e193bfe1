"""Roles: what they grant, what they inherit, and what they must not be used for."""

from __future__ import annotations

import pytest
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.authenticator import SchemeAuthenticator
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.auth.stage import build_authenticate, build_authorize
from dhatu_gateway.auth.users import NewUser
from dhatu_gateway.core.exchange import Exchange, Principal
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Route
from gateway.auth.support import API_KEY, BEARER, ROLES, SCHEMES, Clock, api_key, bearer, exchange, route, run

WRITE = route((bearer("corpus:write"),), (api_key("corpus:write"),), roles=("reader",))


async def user(auth: Auth, clock: Clock, *roles: str, scopes: frozenset[str] = frozenset()) -> Principal:
    new = NewUser(name="ada", password="right", scopes=scopes, roles=frozenset(roles))
    await auth.users.create(new, actor="test", now_s=clock.now_s)
    return await auth.users.sign_in("ada", "right")


async def call(auth: Auth, to: Route, fields: dict[bytes, bytes], clock: Clock) -> Exchange:
    on = exchange(fields, clock.now_s)
    await run(build_authenticate(to, SCHEMES, auth.authenticator), on)
    return await run(build_authorize(to), on)


async def test_a_role_grants_its_scopes_and_stands_for_what_it_inherits(auth: Auth, clock: Clock) -> None:
    editor = await user(auth, clock, "editor", scopes=frozenset({"keys:manage"}))
    assert editor.scopes == {"corpus:read", "corpus:write", "keys:manage"}
    assert editor.roles == {"editor", "reader"}
    pair = await auth.tokens.issue(editor, now_s=clock.now_s)
    on = await call(auth, WRITE, {b"authorization": f"Bearer {pair.access_token}".encode()}, clock)
    assert on.principal == editor
    new = NewKey(name="n", owner="o", scopes=frozenset(), roles=frozenset({"editor"}))
    _, key = await auth.keys.create(new, actor="test", now_s=clock.now_s)
    assert (await call(auth, WRITE, {b"x-api-key": key.encode()}, clock)).principal is not None


async def test_the_inherited_role_does_not_stand_for_the_heir(auth: Auth, clock: Clock) -> None:
    reader = await user(auth, clock, "reader")
    assert reader.scopes == {"corpus:read"}
    assert reader.roles == {"reader"}
    pair = await auth.tokens.issue(reader, now_s=clock.now_s)
    with pytest.raises(ProblemError) as caught:
        await call(auth, WRITE, {b"authorization": f"Bearer {pair.access_token}".encode()}, clock)
    assert caught.value.problem.status == 403


async def test_a_role_that_nobody_described_grants_nothing(auth: Auth, clock: Clock) -> None:
    stranger = await user(auth, clock, "superuser")
    assert stranger.scopes == set()
    assert stranger.roles == {"superuser"}


async def test_a_narrowed_token_does_not_grow_by_its_roles(auth: Auth, clock: Clock) -> None:
    """Neither when it is used nor when it is renewed."""
    editor = await user(auth, clock, "editor")
    narrow = Principal(id=editor.id, kind="user", scopes=frozenset({"corpus:read"}), roles=editor.roles)
    pair = await auth.tokens.issue(narrow, now_s=clock.now_s)
    for _ in range(2):
        scheme: SchemeAuthenticator = auth.authenticator.scheme(BEARER)
        verified = await scheme.verify(f"Bearer {pair.access_token}".encode(), clock.now_s)
        assert verified.principal.scopes == {"corpus:read"}
        pair = await auth.tokens.refresh(pair.refresh_token, now_s=clock.now_s)


async def test_roles_are_kept_as_given_and_expanded_when_used(auth: Auth, clock: Clock) -> None:
    new = NewKey(name="n", owner="o", scopes=frozenset(), roles=frozenset({"reader"}))
    record, key = await auth.keys.create(new, actor="test", now_s=clock.now_s)
    assert record.scopes == set()
    assert record.roles == {"reader"}
    verified = await auth.authenticator.scheme(API_KEY).verify(key.encode(), clock.now_s)
    assert verified.principal.scopes == {"corpus:read"}


def test_roles_are_checked_only_where_the_platform_describes_some() -> None:
    Roles().check(["anything"])
    Roles(ROLES).check(["reader", "editor"])
    with pytest.raises(ValueError, match=r"no role 'root'; platform\.yaml describes editor, reader"):
        Roles(ROLES).check(["reader", "root"])
