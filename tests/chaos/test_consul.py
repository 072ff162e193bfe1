"""Consul dies, hangs, forgets or lies: what was known stays in force, and what changes afterwards arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from chaos.clients import PATIENCE_S, Load, until
from chaos.world import Stage, World, stage
from gateway.discovery.support import FakeConsul

CALLS = 100
SERVICES = ("gone", "stopped", "lying")


@pytest.fixture(scope="module")
def consul() -> Generator[FakeConsul]:
    agent = FakeConsul()
    try:
        yield agent
    finally:
        agent.close()


@pytest.fixture(scope="module")
def found(consul: FakeConsul, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """A gateway that asks Consul where each of these services is."""
    urls = {f"{name.upper()}_SERVICE_URL": f"consul+http://{name}" for name in SERVICES}
    directory = tmp_path_factory.mktemp("found")
    with stage(directory, table, CONSUL_URL=consul.url, **urls) as stands:
        yield stands


async def _tell(consul: FakeConsul, name: str, port: int) -> None:
    """Let it know where the service is: at one place."""
    await asyncio.to_thread(consul.register, name, name, port)


async def _served_by(w: World, name: str, endpoint: str) -> None:
    """Wait until nobody else is called."""

    async def is_so() -> bool:
        load = await w.load(f"{name}/items", Connection="close").make(16)
        return set(load.kinds) == {(200, endpoint)}

    await until(is_so, f"{name} is served by {endpoint} alone")


@asynccontextmanager
async def _calls_at(w: World, name: str) -> AsyncGenerator[Load]:
    """Calls without a pause, safe ones and others: none of them may fail."""
    load, others = w.load(f"{name}/items"), w.load(f"{name}/items", "POST")
    async with load.running(2), others.running(2):
        yield load
    assert (load.failed, others.failed) == ({}, {})


async def test_killed_what_it_said_stays_and_what_it_says_when_it_is_back_arrives(
    consul: FakeConsul, found: Stage
) -> None:
    """It has forgotten everything meanwhile, and counts from the beginning."""
    async with asyncio.timeout(4 * PATIENCE_S), found.world() as w:
        await _tell(consul, "gone", w.a.port)
        await _served_by(w, "gone", "a")
        await _tell(consul, "gone", w.b.port)
        await _served_by(w, "gone", "b")
        async with _calls_at(w, "gone") as load:
            await asyncio.to_thread(consul.kill)
            await load.further(CALLS)
            await asyncio.to_thread(consul.start)
            await load.further(CALLS)
            assert set(load.kinds) == {(200, "b")}
            await _tell(consul, "gone", w.a.port)
            await _served_by(w, "gone", "a")


async def test_paused_what_it_said_stays_and_what_it_says_when_it_goes_on_arrives(
    consul: FakeConsul, found: Stage
) -> None:
    async with asyncio.timeout(4 * PATIENCE_S), found.world() as w:
        await _tell(consul, "stopped", w.a.port)
        await _served_by(w, "stopped", "a")
        async with _calls_at(w, "stopped") as load:
            consul.pause()
            await load.further(2 * CALLS)
            consul.resume()
            await load.further(CALLS)
            assert set(load.kinds) == {(200, "a")}
            await _tell(consul, "stopped", w.b.port)
            await _served_by(w, "stopped", "b")


@pytest.mark.parametrize(
    "lie", [{"body": "[]"}, {"body": "<html>"}, {"status": 500}], ids=["empty", "no json", "no leader"]
)
async def test_lying_it_is_not_believed(lie: dict[str, Any], consul: FakeConsul, found: Stage) -> None:
    """The last that made sense stays in force, until something else does."""
    async with asyncio.timeout(4 * PATIENCE_S), found.world() as w:
        await _tell(consul, "lying", w.a.port)
        await _served_by(w, "lying", "a")
        async with _calls_at(w, "lying") as load:
            # Its index goes backwards, as after a restored snapshot: who waits is answered, and asks anew.
            before = await _misbehave(consul, index=1, **lie)

            async def were_lied_to() -> bool:
                return await _misbehave(consul, **lie) >= before + 2

            await until(were_lied_to, "it is asked again")
            await load.further(CALLS)
            assert set(load.kinds) == {(200, "a")}
            await _misbehave(consul)
            await _tell(consul, "lying", w.b.port)
            await _served_by(w, "lying", "b")


async def _misbehave(consul: FakeConsul, **how: Any) -> int:
    """From now on; how often it has been asked about this service so far."""
    asked = await asyncio.to_thread(lambda: consul.misbehave(**how))
    return sum("/health/service/lying" in line for line in asked)
