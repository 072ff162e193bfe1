"""Buckets in a real Valkey: the same arithmetic, its own clock, and what happens without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms import FULL, TokenBucket, bucket_limit
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.redis import PAUSE_S, RedisStorage, StorageUnavailableError, connect
from gateway.rate_limiting.support import Clock, caller, route, run
from hypothesis import given, settings
from hypothesis import strategies as st

POLICIES = st.builds(
    RateLimit,
    algorithm=st.just("token_bucket"),
    limit=st.integers(1, 10_000),
    window_s=st.floats(0.001, 2_700_000),
    burst=st.integers(1, 2000),
    by=st.just("principal"),
    on_store_failure=st.just("closed"),
)
STEPS = st.lists(
    st.tuples(st.integers(-1000, 10**7) | st.integers(0, 10**13), st.integers(1, 5)), min_size=1, max_size=20
)
FRESH_KEYS = map("test:{}".format, count())


@pytest.fixture
async def storage(valkey_url: str) -> AsyncIterator[RedisStorage]:
    made = RedisStorage(connect(valkey_url))
    yield made
    await made.close()


@given(POLICIES, STEPS)
@settings(max_examples=60, deadline=None)  # each example asks a server
def test_memory_and_redis_decide_alike(
    valkey_url: str, limit: RateLimit, steps: list[tuple[int, int]]
) -> None:
    bucket = bucket_limit(limit)

    async def both() -> None:
        storage, key = RedisStorage(connect(valkey_url)), next(FRESH_KEYS)
        state, now_us = FULL, 1_800_000_000_000_000
        for gap_us, cost in steps:
            now_us += gap_us
            state, expected = TokenBucket.step(state, now_us, cost, bucket)
            assert await storage.step(key, bucket, cost=cost, now_us=now_us) == expected
        await storage.close()

    asyncio.run(both())


async def test_the_server_s_clock_refills_the_bucket(storage: RedisStorage) -> None:
    slow = storage.limiter("slow", bucket_limit(route(limit=1, window_s=3600.0, burst=2).rate_limit or FAIL))
    decisions = [await slow("user:ada") for _ in range(3)]
    assert [decision.allowed for decision in decisions] == [True, True, False]
    assert 3590 <= decisions[2].retry_after_s <= 3600
    assert (await slow("user:bob")).allowed, "every caller has a bucket of their own"


async def test_many_callers_at_once_share_one_bucket(storage: RedisStorage, valkey_url: str) -> None:
    limit = bucket_limit(route(limit=1, window_s=86_400.0, burst=10).rate_limit or FAIL)
    other = RedisStorage(connect(valkey_url))
    takes = (storage.limiter("shared", limit), other.limiter("shared", limit))
    decisions = await asyncio.gather(*(takes[number % 2]("user:ada") for number in range(40)))
    await other.close()
    assert sum(decision.allowed for decision in decisions) == 10


async def test_a_server_that_forgot_the_script_learns_it_again(
    storage: RedisStorage, valkey_url: str
) -> None:
    take = storage.limiter("forgetful", bucket_limit(route().rate_limit or FAIL))
    client = connect(valkey_url)
    await client.script_flush()
    assert (await take("user:ada")).remaining == 1
    await client.script_flush()
    assert (await take("user:ada")).remaining == 0
    await client.aclose()


async def test_an_idle_bucket_leaves_the_server(storage: RedisStorage, valkey_url: str) -> None:
    take = storage.limiter("idle", bucket_limit(route(limit=60, window_s=60.0, burst=30).rate_limit or FAIL))
    await take("user:ada")
    client = connect(valkey_url)
    assert 1 < await client.ttl("dhatu:limit:idle:user:ada") <= 12
    await client.aclose()


FAIL = RateLimit(
    algorithm="token_bucket", limit=0, window_s=0, burst=0, by="operation", on_store_failure="closed"
)


def dead(clock: Clock) -> RedisStorage:
    return RedisStorage(connect("redis://127.0.0.1:1"), clock=clock)


async def test_the_stage_limits_through_the_server(storage: RedisStorage) -> None:
    stage = build_rate_limit(route(limit=1, window_s=3600.0, burst=1), storage)
    first = await run(stage, caller("stage"))
    assert dict(first.response_headers)[b"ratelimit"] == b'"default";r=0;t=3600'
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller("stage"))
    assert caught.value.problem.status == 429


async def test_closed_refuses_while_the_server_is_out() -> None:
    stage = build_rate_limit(route(on_store_failure="closed"), dead(Clock()))
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller())
    assert caught.value.problem.status == 503
    assert dict(caught.value.problem.headers)[b"retry-after"] == b"1"


async def test_open_lets_everybody_in_while_the_server_is_out() -> None:
    stage = build_rate_limit(route(on_store_failure="open"), dead(Clock()))
    for _ in range(5):
        assert (await run(stage, caller())).response_headers == []


async def test_local_goes_on_counting_while_the_server_is_out() -> None:
    clock = Clock()
    stage = build_rate_limit(route(on_store_failure="local"), dead(clock), clock)
    for _ in range(2):
        await run(stage, caller())
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller())
    assert caught.value.problem.status == 429


async def test_a_dead_server_is_asked_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    storage = dead(clock)
    asked = 0
    ask = storage._run  # pyright: ignore[reportPrivateUsage]  # counts the trips to the server

    async def counted(arguments: tuple[str, ...]) -> tuple[int, int]:
        nonlocal asked
        asked += 1
        return await ask(arguments)

    monkeypatch.setattr(storage, "_run", counted)
    take = storage.limiter("dead", bucket_limit(route().rate_limit or FAIL))

    async def refused() -> Decision | None:
        with pytest.raises(StorageUnavailableError):
            await take("user:ada")
        return None

    await refused()
    await refused()
    assert asked == 1
    clock.now_s += PAUSE_S
    await refused()
    assert asked == 2
