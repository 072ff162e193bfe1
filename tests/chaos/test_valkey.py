"""The server of what is shared dies or hangs: calls go on, only what is unsafe without it is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest
from chaos.valkey import valkey
from chaos.world import World, world

CALLS = 200
LIMIT = 5


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_without_valkey_limits_are_local_nothing_is_cached_and_keys_are_refused(
    fault: Literal["kill", "pause"], tmp_path: Path, table: Path
) -> None:
    """May fail: calls with an Idempotency-Key, by 503, since one might be the second. No other does."""
    with valkey(tmp_path / "valkey") as shared:
        async with world(tmp_path, table, GATEWAY_WORKERS="2", REDIS_URL=shared.url) as w:
            await _all_is_shared(w)
            load = w.load("plain/items")
            async with load.running():
                await load.further(CALLS)
                await asyncio.to_thread(shared.kill if fault == "kill" else shared.pause)
                await _nothing_is_shared(w)
                await load.further(CALLS)
                await asyncio.to_thread(shared.start)
                # Each worker finds it again by itself.
                await w.stays("plain/jobs", 200, method="POST", Idempotency_Key="third")
                await load.further(CALLS)
            assert load.failed == {}
            await w.stays("plain/kept", 200, **{"Cache-Control": "max-age=600"})


async def _all_is_shared(w: World) -> None:
    """Whichever of the two workers is called."""
    first, *others = (await w.load("plain/kept").make(8, clients=1)).outcomes
    assert {outcome.body for outcome in others} == {first.body}
    first, *others = (await w.load("plain/jobs", "POST", Idempotency_Key="first").make(8, clients=1)).outcomes
    assert {outcome.body for outcome in others} == {first.body}
    assert {outcome.headers.get("idempotency-replayed") for outcome in others} == {"true"}
    limited = await w.load("plain/limited").make(LIMIT + 5, clients=1)
    assert sum(limited.failed.values()) == 5


async def _nothing_is_shared(w: World) -> None:
    keyed = await w.load("plain/jobs", "POST", Idempotency_Key="second").make(20)
    assert keyed.kinds == {(503, "unavailable"): 20}
    assert (await w.load("plain/jobs", "POST").make(20)).failed == {}
    kept = await w.load("plain/kept").make(20, clients=1)
    assert (kept.failed, len({outcome.body for outcome in kept.outcomes})) == ({}, 20)
    # Each of the two workers counts for itself from now on, and grants its half.
    limited = await w.load("plain/limited").make(20)
    assert set(limited.failed) == {(429, "too-many-requests")}
    assert 0 < limited.kinds[200, "a"] + limited.kinds[200, "b"] <= LIMIT
