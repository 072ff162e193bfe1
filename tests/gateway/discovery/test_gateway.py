"""The whole gateway before services that it has to find: calls go where they are, and no outage costs one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.core.discovery.discovery import Discovery, DiscoveryConfig
from dhatu_gateway.core.discovery.http import ServerAccess
from dhatu_gateway.core.discovery.origin import ConsulOrigin, DnsOrigin, KubernetesOrigin, Origin
from dhatu_gateway.settings import read_settings
from gateway.discovery.dns_server import dns_server
from gateway.discovery.fake_kubernetes import fake_kubernetes
from gateway.discovery.support import QUICK, FakeConsul, Seen, admin_key, consul_access, until
from gateway.support import Client, serving

GENERATED = generated_table()
TABLE = replace(GENERATED, routes=tuple(replace(route, rate_limits=()) for route in GENERATED.routes))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for long after a failure."""
    monkeypatch.setattr("dhatu_gateway.core.discovery.discovery.Rhythm", lambda: QUICK)


@asynccontextmanager
async def service(name: str) -> AsyncGenerator[int]:
    """Answers everything with its name, except for its document; yields its port."""
    search = {"parameters": [{"name": "q", "in": "query", "schema": {"type": "integer"}, "required": True}]}
    document: dict[str, Any] = {
        "paths": {"/api/v1/glossary": {"get": {}}, "/api/v1/corpus/search": {"get": search}}
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = json.dumps(document if b"/openapi.json" in head else {"name": name}).encode()
                fields = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                writer.write(b"HTTP/1.1 200 OK\r\n" + fields + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def gateway(directory: Path, **environment: str) -> AsyncGenerator[tuple[Client, str]]:
    database = str(directory / "keys.sqlite3")
    usual = {"GATEWAY_DATABASE": database, "GATEWAY_DEMO": "1"}
    settings = read_settings(usual | environment, TABLE.platform.services)
    key = await admin_key(Path(database))
    async with open_edge(settings, TABLE) as edge, serving(edge) as client:
        yield client, key


async def call(client: Client, key: str) -> str:
    """Which service answered."""
    reply = await client.request("GET", "/api/v1/corpus/search?q=dharma", headers={"X-API-Key": key})
    return str(reply.json["name"]) if reply.status == 200 else str(reply.status)


async def status_of(client: Client, key: str) -> dict[str, Any]:
    reply = await client.request("GET", "/api/v1/status", headers={"X-API-Key": key})
    assert reply.status == 200
    status: dict[str, Any] = reply.json
    return status


async def eventually(ask: Callable[[], Awaitable[bool]]) -> None:
    """Return once the answer is yes."""
    async with asyncio.timeout(20):
        while not await ask():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


def corpus_in(status: dict[str, Any]) -> dict[str, Any]:
    [found] = [service for service in status["services"] if service["name"] == "corpus"]
    corpus: dict[str, Any] = found
    return corpus


async def test_no_call_fails_while_consul_dies_returns_empty_and_is_filled_again(
    consul: FakeConsul, tmp_path: Path
) -> None:
    async with service("one") as first, service("two") as second:
        consul.register("corpus", "c1", first)
        consul_env = {"CONSUL_URL": consul.url, "CORPUS_SERVICE_URL": "consul+http://corpus"}
        async with gateway(tmp_path, **consul_env) as (client, key):
            assert await call(client, key) == "one"
            calls: list[str] = []
            done = asyncio.Event()

            async def keep_calling() -> None:
                while not done.is_set():
                    calls.append(await call(client, key))

            calling = asyncio.create_task(keep_calling())
            consul.kill()
            await until(lambda: len(calls) > 5)
            consul.start()
            consul.misbehave(body="[]")
            await until(lambda: len(calls) > 10)
            consul.misbehave()
            consul.register("corpus", "c2", second)
            await until(lambda: calls[-1] == "two")
            done.set()
            await calling
            assert set(calls) == {"one", "two"}
            shown = corpus_in(await status_of(client, key))
            assert [endpoint["url"] for endpoint in shown["endpoints"]] == [f"http://127.0.0.1:{second}"]
            assert (shown["discovery"]["source"], shown["discovery"]["failures"]) == ("consul", 0)


async def test_a_service_that_nobody_can_find_is_unavailable_until_somebody_can(
    consul: FakeConsul, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dhatu_gateway.core.discovery.discovery.FIRST_ROUND_S", 0.1)
    consul_env = {"CONSUL_URL": consul.url, "CORPUS_SERVICE_URL": "consul+http://corpus"}
    async with service("one") as port, gateway(tmp_path, **consul_env) as (client, key):
        assert await call(client, key) == "503"
        shown = corpus_in(await status_of(client, key))
        assert shown["discovery"]["good_at"] is None
        assert "names no instance" in shown["discovery"]["error"]
        consul.register("corpus", "c1", port)

        async def answers() -> bool:
            return await call(client, key) == "one"

        await eventually(answers)


async def test_the_status_shows_a_new_service_and_what_it_offers(consul: FakeConsul, tmp_path: Path) -> None:
    async with service("corpus") as known, service("glossary") as new:
        consul.register("corpus", "c1", known, Tags=["dhatu"])
        consul.register("glossary", "g1", new, Tags=["dhatu", "v1"])
        consul.register("postgres", "p1", 5432)
        consul_env = {"CONSUL_URL": consul.url, "CORPUS_SERVICE_URL": "consul+http://corpus"}
        async with gateway(tmp_path, **consul_env) as (client, key):

            async def appeared() -> bool:
                return bool((await status_of(client, key))["new_services"])

            await eventually(appeared)
            status = await status_of(client, key)
            extra = ["GET /api/v1/glossary"]
            assert status["new_services"] == [
                {
                    "name": "glossary",
                    "tags": ["dhatu", "v1"],
                    "urls": [f"http://127.0.0.1:{new}"],
                    "drift": {
                        "problem": "",
                        "missing": [],
                        "extra": extra,
                        "differing": status["new_services"][0]["drift"]["differing"],
                        "more": False,
                    },
                }
            ]
            drift = corpus_in(status)["drift"]
            assert "GET /api/v1/corpus/stats" in drift["missing"]
            for found in (drift, status["new_services"][0]["drift"]):
                assert found["differing"][0] == {
                    "operation": "GET /api/v1/corpus/search",
                    "pointer": "/paths/~1api~1v1~1corpus~1search/get/parameters/0/schema",
                    "specified": "type string",
                    "served": "type integer",
                }
            assert (drift["extra"], drift["problem"]) == (extra, "")


async def test_after_a_restart_without_consul_calls_go_where_they_went_before(
    consul: FakeConsul, tmp_path: Path
) -> None:
    kept = tmp_path / "endpoints.json"
    asked = {"CORPUS_SERVICE_URL": "consul+http://corpus", "GATEWAY_ENDPOINTS_FILE": str(kept)}
    async with service("one") as port:
        consul.register("corpus", "c1", port)
        async with gateway(tmp_path, CONSUL_URL=consul.url, **asked) as (client, key):
            assert await call(client, key) == "one"
            assert corpus_in(await status_of(client, key))["discovery"]["restored"] is False
            await until(kept.exists)
        async with gateway(tmp_path, CONSUL_URL="http://127.0.0.1:9", **asked) as (client, key):
            assert await call(client, key) == "one"
            shown = corpus_in(await status_of(client, key))["discovery"]
            assert shown["restored"] is True
            assert shown["age_s"] >= 0
            assert "cannot be reached" in shown["error"]


async def test_another_discovery_of_the_same_origin_begins_with_what_is_known(
    consul: FakeConsul, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a reload: whoever has to be asked may be out just then."""
    consul.register("corpus", "c1", 8102)
    config = DiscoveryConfig(consul=consul_access(consul.url))
    origins: dict[str, Origin] = {"corpus": ConsulOrigin(service="corpus", tls=False)}
    before = Discovery(origins, config, {"corpus": Seen()})
    await before.open()
    consul.misbehave(status=500)
    seen, unknown = Seen(), Seen()
    after = Discovery(origins, config, {"corpus": seen}, before=before)
    others: dict[str, Origin] = {"corpus": ConsulOrigin(service="corpus", tls=False, tag="v2")}
    elsewhere = Discovery(others, config, {"corpus": unknown}, before=before)
    monkeypatch.setattr("dhatu_gateway.core.discovery.discovery.FIRST_ROUND_S", 0.1)
    try:
        await after.open()
        assert seen.sets == [["127.0.0.1:8102"]]
        assert after.standings["corpus"].good_at_s == before.standings["corpus"].good_at_s
        await elsewhere.open()
        assert unknown.sets == []
    finally:
        for discovery in (elsewhere, after, before):
            await discovery.close()


async def test_endpoints_come_by_dns_and_kubernetes_as_well() -> None:
    async with dns_server() as (zone, server), fake_kubernetes() as kubernetes:
        zone.put("corpus.test", "A", "127.0.0.1")
        kubernetes.put("a-1", "analysis", [{"addresses": ["10.0.0.1"]}])
        origins: dict[str, Origin] = {
            "corpus": DnsOrigin(name="corpus.test", port=1, tls=False, families=(4,)),
            "analysis": KubernetesOrigin(namespace="prod", service="analysis", port="", tls=False),
        }
        config = DiscoveryConfig(
            nameservers=(server,), kubernetes=ServerAccess(name="Kubernetes", url=kubernetes.url)
        )
        seen = {name: Seen() for name in origins}
        discovery = Discovery(origins, config, seen)
        await discovery.open()
        try:
            assert seen["corpus"].sets == [["127.0.0.1:1"]]
            assert seen["analysis"].sets == [["10.0.0.1:8102"]]
        finally:
            await discovery.close()
