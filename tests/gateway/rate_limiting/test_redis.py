"""Limits in a real Valkey: the same arithmetic, its own clock, and what happens without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Any, cast

import pytest
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import RateLimit, Route
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.rules import Rule, rules_of, take
from dhatu_gateway.rate_limiting.storage.redis import PREFIX, RedisStorage
from dhatu_gateway.shared.link import Link, server_at
from gateway.rate_limiting.support import (
    ALGORITHM_NAMES,
    WINDOWED,
    Clock,
    caller,
    countable,
    limit,
    route,
    run,
    several,
    stage_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.crc import key_slot

STEPS_US = st.lists(st.integers(-1000, 10**7) | st.integers(0, 10**11), min_size=1, max_size=25)
FRESH = map("test:{}".format, count())
every_algorithm = pytest.mark.parametrize("name", ALGORITHM_NAMES)


@pytest.fixture
async def storage(valkey_url: str) -> AsyncIterator[RedisStorage]:
    made = await opened(valkey_url, f"{next(FRESH)}:")
    yield made
    await made.close()


def client_of(url: str) -> Redis:
    """To look at what is stored."""
    return Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]  # **kwargs has no type there


async def opened(url: str, prefix: str = PREFIX) -> RedisStorage:
    """A storage that a busy machine does not put off."""
    storage = RedisStorage(Link(server_at(url), timeout_s=10.0), prefix=prefix)
    await storage.open()
    return storage


@st.composite
def lists(draw: st.DrawFn) -> tuple[RateLimit, ...]:
    """One to three limits, some in shadow mode, some that charge refused calls."""
    limits = draw(st.lists(countable(), min_size=1, max_size=3))
    return tuple(
        replace(each, name=f"limit{index}", shadow=draw(st.booleans()), charge_refused=draw(st.booleans()))
        for index, each in enumerate(limits)
    )


@given(lists(), STEPS_US, st.integers(1, 4))
@settings(max_examples=80, deadline=None)  # each example asks a server
def test_memory_and_redis_decide_alike(
    valkey_url: str, limits: tuple[RateLimit, ...], steps_us: list[int], calls: int
) -> None:
    rules = rules_of(several(*limits))
    calls = min(calls, *(rule.algorithm.largest // rule.cost for rule in rules))

    async def both() -> None:
        storage, key = await opened(valkey_url), next(FRESH)
        keys = [f"{key}:{rule.space}" for rule in rules]
        states, now_us = [rule.algorithm.fresh for rule in rules], 1_800_000_000_000_000
        for gap_us in steps_us:
            now_us += gap_us
            taken, after, expected = take(rules, states, now_us, calls)
            states = list(after)
            assert await storage.run_at(now_us, keys, rules, calls) == (taken, expected)
        await storage.close()

    asyncio.run(both())


def rules(**changes: Any) -> tuple[Rule, ...]:
    return rules_of(route(**changes))


async def waits(storage: RedisStorage, of: tuple[Rule, ...], calls: int, key: str = "user:ada") -> list[int]:
    taking = storage.limiter(of)
    decisions = [(await taking([key], 1))[1][0] for _ in range(calls)]
    return [decision.wait_us for decision in decisions if decision is not None]


@pytest.mark.parametrize("name", WINDOWED)
async def test_the_server_s_clock_counts(storage: RedisStorage, name: str) -> None:
    slow = rules(algorithm=name, limit=2, window_s=3600.0, burst=2)
    first, second, third = await waits(storage, slow, 3)
    assert (first, second) == (0, 0)
    assert 0 < third <= 7_200_000_000
    assert await waits(storage, slow, 1, "user:bob") == [0], "every caller is counted alone"


@every_algorithm
async def test_many_callers_at_once_share_one_limit(
    storage: RedisStorage, valkey_url: str, name: str
) -> None:
    shared = rules(algorithm=name, limit=10, window_s=86_400.0, burst=10)
    other = await opened(valkey_url, storage.prefix)
    takes = storage.limiter(shared), other.limiter(shared)
    taken = await asyncio.gather(*(takes[number % 2](["user:ada"], 1) for number in range(40)))
    await other.close()
    assert sum(decision is not None and decision.wait_us == 0 for _, (decision,) in taken) == 10


async def test_several_limits_cost_one_trip(storage: RedisStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of(several(limit(name="a"), limit(name="b", by="address", algorithm="gcra")), storage)
    trips = 0
    ask = storage._run  # pyright: ignore[reportPrivateUsage]  # counts the trips to the server

    async def counted(*arguments: Any) -> tuple[int, list[Decision]]:
        nonlocal trips
        trips += 1
        return await ask(*arguments)

    monkeypatch.setattr(storage, "_run", counted)
    await run(stage, caller())
    assert trips == 1


async def test_keys_of_one_call_are_safe_in_a_cluster(storage: RedisStorage, valkey_url: str) -> None:
    stage = stage_of(
        several(limit(name="a"), limit(name="b", by="address"), limit(name="c", by="service")), storage
    )
    # Whatever a caller is called, it is not what the cluster places the key by.
    await run(stage, caller("{evil}"))
    client = client_of(valkey_url)
    keys = await stored(client, storage)
    await client.aclose()
    assert len(keys) == 3
    assert len({key_slot(key) for key in keys}) == 1


async def test_a_server_that_forgot_the_script_learns_it_again(
    storage: RedisStorage, valkey_url: str
) -> None:
    taking, client = storage.limiter(rules()), client_of(valkey_url)
    for left in (1, 0):
        await client.script_flush()
        _, (decision,) = await taking(["user:ada"], 1)
        assert decision is not None
        assert decision.remaining == left
    await client.aclose()


@pytest.mark.parametrize("name", WINDOWED)
async def test_an_idle_caller_leaves_the_server(storage: RedisStorage, valkey_url: str, name: str) -> None:
    await waits(storage, rules(algorithm=name, limit=60, window_s=60.0, burst=30), 31)
    client = client_of(valkey_url)
    (key,) = await stored(client, storage)
    assert 10 < await client.ttl(key) <= 130
    await client.aclose()


async def test_limits_that_do_not_count_a_call_ask_nothing(storage: RedisStorage) -> None:
    taking = storage.limiter(rules_of(several(limit(name="keys", by="key"), limit(name="all"))))
    _, (none, some) = await taking([None, "user:ada"], 1)
    assert none is None
    assert some is not None
    assert await taking([None, None], 1) == (1, [None, None])


async def stored(client: Redis, storage: RedisStorage) -> list[bytes]:
    """The keys of a storage."""
    return cast(
        list[bytes],
        await client.keys(storage.prefix + "*"),  # pyright: ignore[reportUnknownMemberType]  # **kwargs
    )


def dead() -> RedisStorage:
    """A storage that has no connection."""
    return RedisStorage(Link(server_at("redis://127.0.0.1:1")))


async def test_the_stage_limits_through_the_server(storage: RedisStorage) -> None:
    stage = stage_of(route(limit=1, window_s=3600.0, burst=1), storage)
    first = await run(stage, caller("stage"))
    assert dict(first.response_headers)[b"ratelimit"] == b'"default";r=0;t=3600'
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller("stage"))
    assert caught.value.problem.status == 429


def mixed(*failures: Any) -> Route:
    return several(*(limit(name=f"l{n}", on_store_failure=each) for n, each in enumerate(failures)))


@pytest.mark.parametrize("route", [route(on_store_failure="closed"), mixed("local", "closed", "open")])
async def test_closed_refuses_while_the_server_is_out(route: Route) -> None:
    stage = stage_of(route, dead())
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller())
    assert caught.value.problem.status == 503
    assert dict(caught.value.problem.headers)[b"retry-after"] == b"1"


async def test_open_lets_everybody_in_while_the_server_is_out() -> None:
    stage = stage_of(route(on_store_failure="open"), dead())
    for _ in range(5):
        assert (await run(stage, caller())).response_headers == []


@pytest.mark.parametrize("route", [route(on_store_failure="local"), mixed("open", "local")])
async def test_local_goes_on_counting_while_the_server_is_out(route: Route) -> None:
    clock = Clock()
    stage = stage_of(route, dead(), clock)
    for _ in range(2):
        await run(stage, caller())
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller())
    assert caught.value.problem.status == 429


@pytest.mark.parametrize(("share", "allowed"), [(1.0, 10), (0.25, 2), (0.01, 1)])
async def test_local_gives_each_process_its_share(share: float, allowed: int) -> None:
    storage = RedisStorage(Link(server_at("redis://127.0.0.1:1")), local_share=share)
    stage = stage_of(route(limit=10, burst=10, window_s=3600.0), storage, Clock())
    for _ in range(allowed):
        await run(stage, caller())
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller())
    assert caught.value.problem.status == 429


async def test_leased_calls_are_spent_without_asking_and_told_as_left(
    storage: RedisStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    leased = route(limit=25, burst=25, window_s=86_400.0, lease=10)
    stage = stage_of(leased, storage, clock)
    trips: list[int] = []
    ask = storage._run  # pyright: ignore[reportPrivateUsage]  # counts the trips to the server

    async def counted(*arguments: Any) -> tuple[int, list[Decision]]:
        taken, decisions = await ask(*arguments)
        trips.append(taken)
        return taken, decisions

    monkeypatch.setattr(storage, "_run", counted)
    for left in reversed(range(25)):
        headers = dict((await run(stage, caller())).response_headers)
        assert headers[b"ratelimit"].startswith(b'"default";r=%d;t=' % left)
    assert trips == [10, 10, 1, 1, 1, 1, 1], "near the end each call is asked for"
    with pytest.raises(ProblemError):
        await run(stage, caller())
    late = stage(caller("bob"))
    assert late is not None
    await late
    assert stage(caller("bob")) is None
    clock.now_s += 1
    late = stage(caller("bob"))
    assert late is not None, "a lease ends after a second"
    await late


async def test_a_lease_is_spent_while_the_server_is_out(valkey_url: str) -> None:
    storage = await opened(valkey_url, f"{next(FRESH)}:")
    stage = stage_of(route(limit=60, burst=60, lease=3, on_store_failure="closed"), storage, Clock())
    await run(stage, caller())
    await storage.close()
    for _ in range(2):
        await run(stage, caller())
    with pytest.raises(ProblemError) as caught:
        await run(stage, caller())
    assert caught.value.problem.status == 503
