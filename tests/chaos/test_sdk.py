"""The Python SDK in front of the gateway while a service dies: which of its calls may fail, and no other."""

from __future__ import annotations

import asyncio

import pytest
from chaos.clients import PATIENCE_S, until
from chaos.conftest import Stages
from chaos.sdk import sdk_load
from dhatu_client import BudgetPolicy, DhatuAPI, Resilience

CALLS = 100
CLIENTS = 3
"""Of each class."""


async def test_flapping_of_its_calls_only_those_that_must_not_be_repeated_fail(stages: Stages) -> None:
    """By 502, and at most what each client had under way; safe and keyed calls are repeated for it."""
    async with stages(1).world() as w, DhatuAPI(base_url=f"http://127.0.0.1:{w.port}") as client:
        safe, keyed, never = (sdk_load(client, "called", retry) for retry in ("safe", "keyed", "never"))
        async with (
            asyncio.timeout(4 * PATIENCE_S),
            safe.running(CLIENTS),
            keyed.running(CLIENTS),
            never.running(CLIENTS),
        ):
            for endpoint in (w.a, w.b, w.a):
                await asyncio.gather(*(load.further(CALLS) for load in (safe, keyed, never)))
                endpoint.kill()
                await asyncio.gather(*(load.further(CALLS // 2) for load in (safe, keyed, never)))
                await endpoint.start()
        assert (safe.failed, keyed.failed) == ({}, {})
        assert set(never.failed) <= {(502, "ServerError")}
        assert sum(never.failed.values()) <= 3 * CLIENTS


@pytest.mark.parametrize(
    ("resilience", "reserve"),
    [(Resilience(), 0), (Resilience(breaker=None, budget=BudgetPolicy(per_s=0, reserve=10)), 10)],
    ids=["usual", "no breaker"],
)
@pytest.mark.parametrize("workers", [1, 2])
async def test_failing_altogether_a_service_sees_hardly_more_than_the_calls_that_were_made(
    resilience: Resilience, reserve: int, workers: int, stages: Stages
) -> None:
    """Both may repeat a safe call; each has a budget for it, and the gateway's counts the SDK's attempts.

    A budget begins with a reserve, which a breaker leaves nobody the time to use up.
    """
    calls = 1_000
    async with stages(workers).world() as w:
        address = f"http://127.0.0.1:{w.port}"
        async with DhatuAPI(base_url=address, resilience=resilience) as client:
            load = sdk_load(client, "outage", "safe")
            await load.make(calls // 10)
            assert load.failed == {}
            before = await w.a.requests() + await w.b.requests()
            await asyncio.gather(w.a.told("fail"), w.b.told("fail"))
            load = await sdk_load(client, "outage", "safe").make(calls, 8)
            assert set(load.kinds) <= {(503, "ServerError"), (0, "BreakerOpenError")}
            seen = await w.a.requests() + await w.b.requests() - before
            assert seen <= 1.1 * calls + reserve
            await asyncio.gather(w.a.told("well"), w.b.told("well"))

            async def is_back() -> bool:
                return (await sdk_load(client, "outage", "safe").make(8, 1)).failed == {}

            await until(is_back, "calls succeed again")
