"""Forged and replayed tokens at a running gateway: each gets 401, and nothing of it is repeated."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.setup import AuthSettings, open_auth
from dhatu_gateway.auth.store.sqlite import SqliteStore
from dhatu_gateway.settings import read_settings
from gateway.auth.forgery import CLAIMS, ED_KEY, SECRET, base64url, pem, public_pem, segment, signed
from gateway.support import Client, Reply, serving

TARGET = "/api/v1/status"
TABLE = generated_table()
FOR_EVER = CLAIMS | {"exp": 9_999_999_999, "iat": 1, "nbf": 1, "scope": "system:read keys:manage"}
HEADER: dict[str, Any] = {"alg": "HS256", "typ": "at+jwt"}
PAYLOAD = json.dumps(FOR_EVER)
FORGERIES = {
    "unsigned": f"{segment(HEADER | {'alg': 'none'})}.{segment(FOR_EVER)}.",
    "signed with nothing": signed(json.dumps(HEADER), PAYLOAD, b"\0").decode(),
    "signed with the public key": signed(json.dumps(HEADER), PAYLOAD, public_pem(ED_KEY).encode()).decode(),
    "with a key of its own": jwt.encode(
        FOR_EVER, ED_KEY, "EdDSA", {"typ": "at+jwt", "jku": "http://127.0.0.1:1/keys", "kid": "a"}
    ),
    "a kind of its own": signed('{"alg":"HS256","typ":"JWT"}', PAYLOAD).decode(),
    "critical": signed('{"alg":"HS256","typ":"at+jwt","crit":["x"],"x":1}', PAYLOAD).decode(),
    "twice the caller": signed(json.dumps(HEADER), '{"sub":"user:root",' + PAYLOAD[1:]).decode(),
    "without end": signed(json.dumps(HEADER), PAYLOAD.replace("9999999999", "NaN")).decode(),
    "of the future": signed(json.dumps(HEADER), json.dumps(FOR_EVER | {"nbf": 9_999_999_990})).decode(),
    "of the past": signed(json.dumps(HEADER), json.dumps(FOR_EVER | {"exp": 2})).decode(),
    "nested": signed(json.dumps(HEADER), '{"x":' + "[" * 3000).decode(),
    "a number as its key's name": signed('{"alg":"HS256","typ":"at+jwt","kid":[1]}', PAYLOAD).decode(),
    "no token": base64url(b"\xff\xfe"),
    "another scheme": "Basic dXNlcjpwYXNz",
}


@asynccontextmanager
async def running(directory: Path, **environment: str) -> AsyncGenerator[tuple[Client, str]]:
    """The whole gateway; yields a client and a key."""
    database = directory / "keys.sqlite3"
    environment = {"GATEWAY_DATABASE": str(database), "JWT_SECRET_KEY": SECRET} | environment
    settings = read_settings(environment, TABLE.platform.services)
    async with open_edge(settings, TABLE) as edge, serving(edge) as client:
        auth = await open_auth(AuthSettings(keys=settings.jwt_keys), SqliteStore(database))
        new = NewKey(name="n", owner="test", scopes=frozenset({"system:read"}))
        _, key = await auth.keys.create(new, actor="test", now_s=auth.wall_clock())
        yield client, key
        await auth.close()


async def post(client: Client, path: str, body: dict[str, str]) -> Reply:
    return await client.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})


async def status(client: Client, token: str) -> int:
    return (await client.request("GET", TARGET, headers={"Authorization": f"Bearer {token}"})).status


async def test_the_forgeries_are_good_unless_a_test_breaks_them(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, _):
        assert await status(client, signed(json.dumps(HEADER), PAYLOAD).decode()) == 200


@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
async def test_forged_tokens(tmp_path: Path, algorithm: str) -> None:
    """Where the gateway signs with a key pair, those that the shared secret signed are forgeries too."""
    secret = SECRET if algorithm == "HS256" else pem(ED_KEY)
    async with running(tmp_path, JWT_ALGORITHM=algorithm, JWT_SECRET_KEY=secret) as (client, _):
        for name, token in FORGERIES.items():
            value = token if token.startswith("Basic") else f"Bearer {token}"
            reply = await client.request("GET", TARGET, headers={"Authorization": value})
            assert reply.status == 401, name
            assert reply.headers["content-type"] == "application/problem+json", name
            assert reply.headers["www-authenticate"].startswith('Bearer realm="dhatu", error="invalid_token"')
            assert token[:40].encode() not in reply.body, name
        assert (await client.request("GET", "/api/v1/health/live")).status == 200


async def test_a_token_in_every_place_but_its_own(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, key):
        good = signed(json.dumps(HEADER), PAYLOAD).decode()
        for target, headers in (
            (f"{TARGET}?access_token={good}", {}),
            (TARGET, {"Cookie": f"access_token={good}; Authorization=Bearer {good}"}),
            (TARGET, {"X-API-Key": good}),
            (TARGET, {"Authorization": f"Bearer {key}"}),
            (TARGET, {"Authorization": good}),
            (TARGET, {"Proxy-Authorization": f"Bearer {good}"}),
        ):
            assert (await client.request("GET", target, headers=headers)).status == 401


async def test_a_replayed_refresh_token_ends_every_token_of_its_family(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, key):
        first = (await post(client, "/api/v1/auth/token", {"grant_type": "api_key", "api_key": key})).json
        second = (await post(client, "/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})).json
        assert await status(client, second["access_token"]) == 200
        replay = await post(client, "/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
        assert (replay.status, first["refresh_token"].encode() in replay.body) == (401, False)
        for pair in (first, second):
            assert await status(client, pair["access_token"]) == 401
            renewed = await post(client, "/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})
            assert renewed.status == 401
        assert (await client.request("GET", TARGET, headers={"X-API-Key": key})).status == 200


async def test_a_revoked_token_is_refused_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, key):
        pair = (await post(client, "/api/v1/auth/token", {"grant_type": "api_key", "api_key": key})).json
        assert await status(client, pair["access_token"]) == 200
        assert (await post(client, "/api/v1/auth/revoke", {"token": pair["access_token"]})).status == 204
        assert await status(client, pair["access_token"]) == 401
