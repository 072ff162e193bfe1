"""A service that fails altogether, the Python SDK in front of the gateway: what the service has to bear."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client import DhatuAPI, DhatuError
from dhatu_gateway.app import Table, generated_table, open_edge
from gateway.core.test_app import key_in, settings_in
from gateway.support import Client, serving

TABLE = generated_table()
CALLS = 300
MANY = 100


@dataclass
class Failing:
    """Answers 503 to everything, and counts."""

    requests: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def unlimited(table: Table) -> Table:
    """Limits, caches and fallbacks would keep the load away that is to be measured."""
    plain: dict[str, Any] = {"rate_limits": (), "cache": None, "fallback": None}
    return replace(table, routes=tuple(replace(route, **plain) for route in table.routes))


@asynccontextmanager
async def outage(directory: Path) -> AsyncGenerator[tuple[Failing, Client, str]]:
    service = Failing()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = settings_in(directory, CORPUS_SERVICE_URL=url)
    async with server, open_edge(settings, unlimited(TABLE)) as edge, serving(edge) as client:
        yield service, client, await key_in(directory)


async def in_turn(calls: int, call: Callable[[], Awaitable[object]], at_once: int = 25) -> int:
    """So many calls, some at once; how many have failed."""
    failed = 0
    left = iter(range(calls))

    async def work() -> None:
        nonlocal failed
        for _ in left:
            try:
                await call()
            except DhatuError:
                failed += 1

    await asyncio.gather(*(work() for _ in range(at_once)))
    return failed


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(7)


async def test_one_client_with_the_defaults_of_the_sdk(tmp_path: Path) -> None:
    async with outage(tmp_path) as (service, client, key):
        url = f"http://127.0.0.1:{client.port}"
        async with DhatuAPI(base_url=url, api_key=key) as api:
            assert await in_turn(CALLS, api.corpus.stats) == CALLS
    assert 10 <= service.requests <= 1.1 * CALLS


async def test_many_clients_that_know_nothing_of_one_another(tmp_path: Path) -> None:
    """Each has a budget of its own, enough to repeat every call twice: the gateway's is what holds."""
    async with outage(tmp_path) as (service, client, key), httpx.AsyncClient() as connections:
        url = f"http://127.0.0.1:{client.port}"
        clients = [DhatuAPI(base_url=url, api_key=key, http_client=connections) for _ in range(MANY)]
        calls = iter(clients)
        assert await in_turn(MANY, lambda: next(calls).corpus.stats(), at_once=MANY) == MANY
    assert MANY <= service.requests <= 1.1 * MANY


async def test_a_client_that_repeats_by_itself_and_says_so(tmp_path: Path) -> None:
    """Whoever speaks the contract is held to it, SDK or not."""
    async with outage(tmp_path) as (service, client, key):
        kinds: list[str] = []
        for attempt in ("1", "2", "3", "2", "3", "2"):
            headers = {"X-API-Key": key, "X-Dhatu-Attempt": attempt}
            reply = await client.request("GET", "/api/v1/corpus/stats", headers=headers)
            kinds.append(reply.json["type"].rpartition("/")[2] if reply.body else str(reply.status))
    assert kinds[0] == "503"
    assert kinds[-1] == "too-many-retries"
    assert service.requests == 4, "one call, and the three repeats that any service can bear"
