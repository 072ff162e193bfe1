"""The operations that issue tokens and keep keys, as a caller sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.audit import DAY_S, TRIM_AT_ONCE, keep_trimmed
from dhatu_gateway.auth.endpoints import auth_router
from dhatu_gateway.auth.errors import InvalidCredentialError, StoreError
from dhatu_gateway.auth.records import AuditEntry
from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.auth.store.memory import MemoryStore
from dhatu_gateway.auth.users import NewUser
from dhatu_gateway.core.exchange import SCOPE_KEY, Principal
from dhatu_gateway.core.problem import CONTENT_TYPE, ProblemError
from dhatu_gateway.generated.routes import ROUTES
from fastapi import FastAPI, Request, Response
from gateway.auth.support import API_KEY, BEARER, Clock, exchange

ADMIN = Principal(
    id="user:ada", kind="user", scopes=frozenset({"keys:manage", "corpus:read"}), roles=frozenset({"analyst"})
)


@pytest.fixture
def acting() -> Principal:
    """Who calls."""
    return ADMIN


@pytest.fixture
async def client(auth: Auth, clock: Clock, acting: Principal) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(auth_router(auth))

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        headers = {name.decode(): value.decode() for name, value in error.problem.headers}
        return Response(error.problem.to_json(), error.problem.status, headers, CONTENT_TYPE.decode())

    app.add_exception_handler(ProblemError, problem)

    async def authenticated(scope: Any, receive: Any, send: Any) -> None:
        on = exchange({}, clock.now_s)
        on.principal = acting
        scope[SCOPE_KEY] = on
        await app(scope, receive, send)

    await auth.users.create(
        NewUser(name="ada", password="right", scopes=ADMIN.scopes, roles=ADMIN.roles),
        actor="test",
        now_s=clock.now_s,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(authenticated), base_url="http://g") as made:
        yield made


def test_every_operation_has_a_handler(auth: Auth) -> None:
    operations = {"auth", "api_keys", "audit"}
    expected = {(r.method, r.path) for r in ROUTES if r.operation.split(".")[0] in operations}
    expected.add(("GET", "/.well-known/jwks.json"))
    schema = FastAPI(routes=auth_router(auth).routes).openapi()
    assert {(method.upper(), path) for path, item in schema["paths"].items() for method in item} == expected


async def sign_in(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    body = {"grant_type": "password", "username": "ada", "password": "right", **more}
    return await client.post("/api/v1/auth/token", json=body)


async def test_a_password_buys_tokens(client: httpx.AsyncClient, auth: Auth, clock: Clock) -> None:
    answer = await sign_in(client)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == (
        "Bearer",
        600,
        "corpus:read keys:manage",
    )
    scheme = auth.authenticator.scheme(BEARER)
    verified = await scheme.verify(f"Bearer {body['access_token']}".encode(), clock.now_s)
    assert verified.principal == ADMIN


async def test_scopes_can_be_narrowed_but_not_widened(client: httpx.AsyncClient) -> None:
    assert (await sign_in(client, scopes=["corpus:read"])).json()["scope"] == "corpus:read"
    refused = await sign_in(client, scopes=["corpus:read", "corpus:write"])
    assert refused.status_code == 403
    assert refused.json()["detail"] == "You do not hold the scope corpus:write yourself."


async def test_a_revoked_user_does_not_sign_in(client: httpx.AsyncClient, auth: Auth, clock: Clock) -> None:
    await auth.store.revoke(("user:ada",), now_s=clock.now_s, until_s=clock.now_s + 60)
    refused = await sign_in(client)
    assert (refused.status_code, refused.json()["detail"]) == (401, "Access has been revoked by an operator.")


@pytest.mark.parametrize("body", [{"username": "bob"}, {"password": "wrong"}])
async def test_a_wrong_password_is_refused(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    refused = await sign_in(client, **body)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer realm="dhatu"'
    assert refused.json()["detail"] == "The user name or the password is wrong."


async def test_a_key_is_created_traded_listed_and_revoked(
    client: httpx.AsyncClient, auth: Auth, clock: Clock
) -> None:
    new = {"name": "indexer", "scopes": ["corpus:read"], "roles": ["analyst"], "expires_in_s": 3600}
    created = await client.post("/api/v1/api-keys", json=new)
    assert created.status_code == 201
    assert created.headers["cache-control"] == "no-store"
    key = created.json()
    assert key["owner"] == "user:ada"
    assert key["expires_at"] == "2027-01-15T09:00:00Z"

    traded = await client.post("/api/v1/auth/token", json={"grant_type": "api_key", "api_key": key["key"]})
    assert traded.json()["scope"] == "corpus:read"

    (listed,) = (await client.get("/api/v1/api-keys")).json()["api_keys"]
    assert listed == {name: value for name, value in key.items() if name != "key"}

    assert (await client.delete(f"/api/v1/api-keys/{key['id']}")).status_code == 204
    assert (await client.get("/api/v1/api-keys")).json() == {"api_keys": [], "next_cursor": None}
    assert (await client.delete(f"/api/v1/api-keys/{key['id']}")).status_code == 404
    refused = await client.post("/api/v1/auth/token", json={"grant_type": "api_key", "api_key": key["key"]})
    assert refused.status_code == 401
    assert API_KEY.key not in refused.text


async def test_a_key_is_rotated(client: httpx.AsyncClient, auth: Auth, clock: Clock) -> None:
    old = (await client.post("/api/v1/api-keys", json={"name": "n", "scopes": ["corpus:read"]})).json()
    scheme = auth.authenticator.scheme(API_KEY)
    assert await scheme.verify(old["key"].encode(), clock.now_s)
    answer = await client.post(f"/api/v1/api-keys/{old['id']}/rotate", json={"overlap_s": 0})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    new = answer.json()
    assert (new["name"], new["owner"], new["scopes"]) == ("n", "user:ada", ["corpus:read"])
    assert await scheme.verify(new["key"].encode(), clock.now_s)
    with pytest.raises(InvalidCredentialError):
        await scheme.verify(old["key"].encode(), clock.now_s)
    assert (await client.post(f"/api/v1/api-keys/{old['id']}/rotate", json={})).status_code == 404
    acts = [(entry.actor, entry.act, entry.target) for _, entry in await auth.store.audit_page(limit=10)]
    assert acts[:2] == [
        ("user:ada", "key.rotate", f"key:{new['id']}"),
        ("user:ada", "key.create", f"key:{old['id']}"),
    ]


async def test_the_key_of_somebody_mightier_is_not_rotated(
    client: httpx.AsyncClient, auth: Auth, clock: Clock
) -> None:
    """The answer would be a key that allows more than the caller may do."""
    mine = NewKey(name="n", owner="user:root", scopes=frozenset({"corpus:read"}))
    for new in (
        replace(mine, scopes=frozenset({"corpus:write"})),
        replace(mine, roles=frozenset({"admin"})),
    ):
        record, _ = await auth.keys.create(new, actor="test", now_s=clock.now_s)
        refused = await client.post(f"/api/v1/api-keys/{record.id}/rotate", json={})
        assert refused.status_code == 403


@pytest.mark.parametrize(
    "more", [{"scopes": ["corpus:read", "corpus:write"]}, {"scopes": ["corpus:read"], "roles": ["admin"]}]
)
async def test_nobody_grants_what_they_do_not_hold(client: httpx.AsyncClient, more: dict[str, Any]) -> None:
    assert (await client.post("/api/v1/api-keys", json={"name": "n", **more})).status_code == 403


@pytest.mark.parametrize("acting", [replace(ADMIN, roles=frozenset({"editor", "reader"}))])
async def test_a_narrowed_token_makes_no_key_that_may_do_more_by_its_role(client: httpx.AsyncClient) -> None:
    """The caller holds the role editor, but has laid down the scope corpus:write that it grants."""
    body = {"name": "n", "scopes": ["corpus:read"], "roles": ["editor"]}
    refused = await client.post("/api/v1/api-keys", json=body)
    assert refused.status_code == 403
    assert refused.json()["detail"] == "You do not hold the scope corpus:write yourself."
    narrower = await client.post("/api/v1/api-keys", json=body | {"roles": ["reader"]})
    assert narrower.status_code == 201


async def test_keys_come_page_by_page(client: httpx.AsyncClient, clock: Clock) -> None:
    created: list[str] = []
    for _ in range(5):
        clock.now_s += 0.25
        body = {"name": "n", "scopes": ["corpus:read"]}
        created.append((await client.post("/api/v1/api-keys", json=body)).json()["id"])
    seen: list[str] = []
    query: dict[str, Any] = {"page_size": 2}
    for _ in range(3):
        page = (await client.get("/api/v1/api-keys", params=query)).json()
        seen += [key["id"] for key in page["api_keys"]]
        query["cursor"] = page["next_cursor"]
    assert seen == created
    assert query["cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "e30=", "W10=", "WzEsMiwzXQ==", "é"])
async def test_a_cursor_of_another_kind_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    refused = await client.get("/api/v1/api-keys", params={"cursor": cursor})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert (error["location"], error["name"]) == ("query", "cursor")


async def test_the_audit_log_comes_page_by_page(
    client: httpx.AsyncClient, acting: Principal, auth: Auth
) -> None:
    for number in range(1, 6):
        new = {"name": f"key {number}", "scopes": ["keys:manage"]}
        assert (await client.post("/api/v1/api-keys", json=new)).status_code == 201
    first = (await client.get("/api/v1/audit", params={"page_size": 3})).json()
    assert [entry["number"] for entry in first["entries"]] == [6, 5, 4]  # after the user's
    newest = first["entries"][0]
    assert (newest["actor"], newest["act"], newest["details"]) == (
        acting.id,
        "key.create",
        "grants keys:manage",
    )
    assert newest["target"].startswith("key:")
    last = (await client.get("/api/v1/audit", params={"page_size": 3, "before": first["next_before"]})).json()
    assert [entry["number"] for entry in last["entries"]] == [3, 2, 1]
    assert last["next_before"] is None


async def test_old_entries_of_the_audit_log_are_dropped_whatever_happens(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, now_s = MemoryStore(), 1_000 * DAY_S
    for day in range(1_000 - TRIM_AT_ONCE - 50, 1_000):
        entry = AuditEntry(at_s=day * DAY_S, actor="a", act="user.revoke", target="t")
        await store.revoke(["t"], now_s=0.0, until_s=1.0, entry=entry)
    looks = 0

    async def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            store.trim_audit_log = out  # type: ignore[method-assign]  # it fails once, later
        if looks == 2:
            raise asyncio.CancelledError

    async def out(**_: Any) -> int:
        raise StoreError("out")

    with pytest.raises(asyncio.CancelledError):
        await keep_trimmed(store, 10, wall_clock=lambda: now_s, sleep=sleep)
    kept = await store.audit_page(limit=100)
    assert [entry.at_s / DAY_S for _, entry in kept] == [float(day) for day in range(999, 989, -1)]
    assert "stay for now" in caplog.text


async def test_refresh_and_revoke(client: httpx.AsyncClient) -> None:
    first = (await sign_in(client)).json()
    second = await client.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    revoked = await client.post("/api/v1/auth/revoke", json={"token": second.json()["refresh_token"]})
    assert (revoked.status_code, revoked.content) == (204, b"")
    again = await client.post("/api/v1/auth/refresh", json={"refresh_token": second.json()["refresh_token"]})
    assert again.status_code == 401
    assert (await client.post("/api/v1/auth/revoke", json={"token": "nonsense"})).status_code == 204


async def test_a_shared_secret_publishes_no_keys(client: httpx.AsyncClient) -> None:
    assert (await client.get("/.well-known/jwks.json")).json() == {"keys": []}
