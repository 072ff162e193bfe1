"""Who shares a limit, what answers say about it, and when a call is refused."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import Problem, ProblemError
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from gateway.rate_limiting.support import ROUTE, Clock, caller, route, run


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def refused(stage: Stage | None, on: Exchange) -> Problem:
    with pytest.raises(ProblemError) as caught:
        await run(stage, on)
    return caught.value.problem


def test_a_route_without_a_limit_needs_no_stage() -> None:
    assert build_rate_limit(replace(ROUTE, rate_limit=None), MemoryStorage()) is None


async def test_answers_say_how_much_is_left(clock: Clock) -> None:
    stage = build_rate_limit(route(burst=3), MemoryStorage(), clock)
    for left, until_full_s in ((2, 1), (1, 2), (0, 3)):
        assert (await run(stage, caller())).response_headers == [
            (b"ratelimit-policy", b'"default";q=60;w=60'),
            (b"ratelimit", b'"default";r=%d;t=%d' % (left, until_full_s)),
        ]


async def test_too_many_calls_are_told_when_to_come_back(clock: Clock) -> None:
    stage = build_rate_limit(route(limit=20, burst=1), MemoryStorage(), clock)
    await run(stage, caller())
    clock.now_s += 0.5
    on = caller()
    problem = await refused(stage, on)
    assert problem.status == 429
    assert problem.detail == "20 calls per 60 s are allowed; try again in 3 s."
    assert problem.headers == ((b"retry-after", b"3"),)
    assert (b"ratelimit", b'"default";r=0;t=3') in on.response_headers
    clock.now_s += 3
    await run(stage, caller())


async def test_by_principal_each_caller_has_a_limit(clock: Clock) -> None:
    stage = build_rate_limit(route(burst=1), MemoryStorage(), clock)
    await run(stage, caller("ada", "192.0.2.1"))
    await run(stage, caller("bob", "192.0.2.1"))
    await run(stage, caller("", "192.0.2.1"))
    await run(stage, caller("", "192.0.2.2"))
    for on in (caller("ada", "192.0.2.9"), caller("", "192.0.2.1")):
        assert (await refused(stage, on)).status == 429


async def test_by_address_callers_behind_one_share_it(clock: Clock) -> None:
    stage = build_rate_limit(route(burst=1, by="address"), MemoryStorage(), clock)
    await run(stage, caller("ada", "192.0.2.1"))
    await refused(stage, caller("bob", "192.0.2.1"))
    await run(stage, caller("ada", "192.0.2.2"))


async def test_by_operation_everybody_shares_it(clock: Clock) -> None:
    stage = build_rate_limit(route(burst=1, by="operation"), MemoryStorage(), clock)
    await run(stage, caller("ada", "192.0.2.1"))
    await refused(stage, caller("bob", "192.0.2.2"))


async def test_routes_do_not_share_buckets(clock: Clock) -> None:
    storage = MemoryStorage()
    one = build_rate_limit(route(burst=1), storage, clock)
    two = build_rate_limit(replace(route(burst=1), operation="corpus.stats"), storage, clock)
    await run(one, caller())
    await run(two, caller())


async def test_counting_in_memory_needs_no_waiting(clock: Clock) -> None:
    stage = build_rate_limit(route(), MemoryStorage(), clock)
    assert stage is not None
    assert not inspect.isawaitable(stage(caller()))


async def test_memory_holds_a_bounded_number_of_callers(clock: Clock) -> None:
    stage = build_rate_limit(route(limit=1, window_s=3600.0, burst=1), MemoryStorage(max_buckets=16), clock)
    await run(stage, caller("first"))
    for number in range(15):
        await run(stage, caller(f"user-{number}"))
    await refused(stage, caller("first"))
    await run(stage, caller("one too many"))
    await refused(stage, caller("user-14"))
    await refused(stage, caller("one too many"))
    await run(stage, caller("first"))


async def test_callers_who_have_waited_leave_memory_first(clock: Clock) -> None:
    stage = build_rate_limit(route(limit=1, window_s=10.0, burst=1), MemoryStorage(max_buckets=16), clock)
    for name in ("early", "bird"):
        await run(stage, caller(name))
    clock.now_s += 5
    for number in range(14):
        await run(stage, caller(f"user-{number}"))
    clock.now_s += 5
    await run(stage, caller("late"))
    for number in range(14):
        await refused(stage, caller(f"user-{number}"))
