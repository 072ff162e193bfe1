"""A worker of the gateway dies or hangs: its own connections break, and no others."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chaos.clients import PATIENCE_S, Connection, Outcome, until
from chaos.conftest import Stages
from chaos.sockets import ports_of_clients
from chaos.world import World, request

CALLS = 200
CONNECTIONS = 24


async def test_killed_calls_on_its_own_connections_break_and_no_others(stages: Stages) -> None:
    async with stages(2).world() as w, _under_way(w) as (connections, calls):
        workers = w.gateway.workers()
        served = {worker: ports_of_clients(worker, w.port) for worker in workers}
        victim = max(served, key=lambda worker: len(served[worker]))
        os.kill(victim, signal.SIGKILL)
        # The other one serves meanwhile, and whoever takes the place of the first.
        load = w.load("plain/jobs", "POST")
        async with asyncio.timeout(2 * PATIENCE_S), load.running(clients=4):
            while w.gateway.workers() & {victim} or len(w.gateway.workers()) < 2:
                await load.further(10)
            await load.further(CALLS)
            await asyncio.gather(w.a.told("well"), w.b.told("well"))
            await load.further(CALLS)
        outcomes = [await call for call in calls]
        for connection, outcome in zip(connections, outcomes, strict=True):
            assert outcome.status == (0 if connection.port in served[victim] else 200)
        assert load.failed == {}


async def test_paused_new_connections_go_to_the_others_and_its_own_go_on_afterwards(stages: Stages) -> None:
    """Nothing fails at all: a call that it has waits until it goes on."""
    async with stages(2).world() as w, _under_way(w) as (_, calls):
        victim = min(w.gateway.workers())
        os.kill(victim, signal.SIGSTOP)
        try:
            await asyncio.gather(w.a.told("well"), w.b.told("well"))
            load = w.load("plain/jobs", "POST")
            for _ in range(40):
                await load.make(5, clients=1)  # over a new connection each time
        finally:
            os.kill(victim, signal.SIGCONT)
        assert load.failed == {}
        assert {(await call).status for call in calls} == {200}


@asynccontextmanager
async def _under_way(w: World) -> AsyncGenerator[tuple[list[Connection], list[asyncio.Task[Outcome]]]]:
    """Calls that the service holds, over connections of which both workers have a part."""
    await asyncio.gather(w.a.told("hold"), w.b.told("hold"))
    connections: list[Connection] = []
    calls: list[asyncio.Task[Outcome]] = []

    async def call_more() -> bool:
        connection = Connection(w.port)
        await connection.open()
        connections.append(connection)
        calls.append(asyncio.create_task(connection.call(request("plain/items"))))
        await w.hold(len(calls))
        served = [ports_of_clients(worker, w.port) for worker in w.gateway.workers()]
        return len(calls) >= CONNECTIONS and all(served)

    try:
        await until(call_more, "each worker has some")
        yield connections, calls
    finally:
        for connection in connections:
            connection.close()
        await asyncio.gather(*calls)
