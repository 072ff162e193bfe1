"""Who shares a limit, what answers say about it, and when a call is refused."""

from __future__ import annotations

import inspect
import time
from dataclasses import replace
from typing import Any

import pytest
from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import Problem, ProblemError
from dhatu_gateway.rate_limiting.stage import build_rate_limit, steady_utc
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from gateway.rate_limiting.support import ROUTE, Clock, Watched, caller, limit, route, run, several, stage_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def refused(stage: Stage | None, on: Exchange) -> Problem:
    with pytest.raises(ProblemError) as caught:
        await run(stage, on)
    return caught.value.problem


def test_a_route_without_a_limit_needs_no_stage() -> None:
    assert build_rate_limit(replace(ROUTE, rate_limits=()), MemoryStorage(), Watched()) is None


async def test_answers_say_how_much_is_left(clock: Clock) -> None:
    stage = stage_of(route(burst=3), MemoryStorage(), clock)
    for left, until_full_s in ((2, 1), (1, 2), (0, 3)):
        assert (await run(stage, caller())).response_headers == [
            (b"ratelimit-policy", b'"default";q=60;w=60'),
            (b"ratelimit", b'"default";r=%d;t=%d' % (left, until_full_s)),
        ]


async def test_too_many_calls_are_told_when_to_come_back(clock: Clock) -> None:
    stage = stage_of(route(limit=20, burst=1), MemoryStorage(), clock)
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
    stage = stage_of(route(burst=1), MemoryStorage(), clock)
    await run(stage, caller("ada", "192.0.2.1"))
    await run(stage, caller("bob", "192.0.2.1"))
    await run(stage, caller("", "192.0.2.1"))
    await run(stage, caller("", "192.0.2.2"))
    for on in (caller("ada", "192.0.2.9"), caller("", "192.0.2.1")):
        assert (await refused(stage, on)).status == 429


async def test_by_address_callers_behind_one_share_it(clock: Clock) -> None:
    stage = stage_of(route(burst=1, by="address"), MemoryStorage(), clock)
    await run(stage, caller("ada", "192.0.2.1"))
    await refused(stage, caller("bob", "192.0.2.1"))
    await run(stage, caller("ada", "192.0.2.2"))


async def test_by_operation_everybody_shares_it(clock: Clock) -> None:
    stage = stage_of(route(burst=1, by="operation"), MemoryStorage(), clock)
    await run(stage, caller("ada", "192.0.2.1"))
    await refused(stage, caller("bob", "192.0.2.2"))


async def test_routes_do_not_share_buckets(clock: Clock) -> None:
    storage = MemoryStorage()
    one = stage_of(route(burst=1), storage, clock)
    two = stage_of(replace(route(burst=1), operation="corpus.stats"), storage, clock)
    await run(one, caller())
    await run(two, caller())


async def test_counting_in_memory_needs_no_waiting(clock: Clock) -> None:
    stage = stage_of(route(), MemoryStorage(), clock)
    assert stage is not None
    assert not inspect.isawaitable(stage(caller()))


async def test_memory_holds_a_bounded_number_of_callers(clock: Clock) -> None:
    stage = stage_of(route(limit=1, window_s=3600.0, burst=1), MemoryStorage(max_callers=16), clock)
    await run(stage, caller("first"))
    for number in range(15):
        await run(stage, caller(f"user-{number}"))
    await refused(stage, caller("first"))
    await run(stage, caller("one too many"))
    await refused(stage, caller("user-14"))
    await refused(stage, caller("one too many"))
    await run(stage, caller("first"))


async def test_callers_who_have_waited_leave_memory_first(clock: Clock) -> None:
    stage = stage_of(route(limit=1, window_s=10.0, burst=1), MemoryStorage(max_callers=16), clock)
    for name in ("early", "bird"):
        await run(stage, caller(name))
    clock.now_s += 5
    for number in range(14):
        await run(stage, caller(f"user-{number}"))
    clock.now_s += 5
    await run(stage, caller("late"))
    for number in range(14):
        await refused(stage, caller(f"user-{number}"))


async def test_a_bucket_table_is_shared_by_nobody_who_is_counted_otherwise(clock: Clock) -> None:
    storage = MemoryStorage()
    await run(stage_of(route(burst=1), storage, clock), caller())
    await run(stage_of(route(burst=1, algorithm="gcra"), storage, clock), caller())


async def test_by_key_only_calls_with_an_api_key_are_counted(clock: Clock) -> None:
    stage = stage_of(route(burst=1, by="key"), MemoryStorage(), clock)
    for _ in range(3):
        assert (await run(stage, caller("ada"))).response_headers == []
        assert (await run(stage, caller(""))).response_headers == []
    await run(stage, caller("4f1c", kind="api_key"))
    await refused(stage, caller("4f1c", kind="api_key"))
    await run(stage, caller("77aa", kind="api_key"))


async def test_by_service_its_operations_share_the_limit(clock: Clock) -> None:
    storage = MemoryStorage()
    one = stage_of(route(burst=1, by="service"), storage, clock)
    two = stage_of(replace(route(burst=1, by="service"), operation="corpus.stats"), storage, clock)
    other = stage_of(replace(route(burst=1, by="service"), service="analysis"), storage, clock)
    await run(one, caller("ada"))
    await refused(two, caller("bob"))
    await run(other, caller("ada"))


async def test_by_header_each_value_has_a_limit_and_leaving_it_out_gains_nothing(clock: Clock) -> None:
    stage = stage_of(route(burst=1, by="header", header="X-Tenant"), MemoryStorage(), clock)
    long = b"x" * 100
    for value in (b"a", b"b", long, long + b"y", b"\xff\xfe"):
        await run(stage, caller(fields={b"x-tenant": value}))
        await refused(stage, caller("bob", fields={b"x-tenant": value}))
    await run(stage, caller("ada"))
    await refused(stage, caller("bob"))


async def test_a_call_costs_what_its_operation_says(clock: Clock) -> None:
    stage = stage_of(route(burst=10, cost=4), MemoryStorage(), clock)
    for left in (6, 2):
        headers = dict((await run(stage, caller())).response_headers)
        assert headers[b"ratelimit"].startswith(b'"default";r=%d;' % left)
    problem = await refused(stage, caller())
    assert problem.headers == ((b"retry-after", b"2"),)


BOTH = several(
    limit(name="burst", burst=2), limit(name="day", algorithm="gcra", limit=3, window_s=86400.0, burst=3)
)


async def test_several_limits_are_told_and_hold_together(clock: Clock) -> None:
    stage = stage_of(BOTH, MemoryStorage(), clock)
    assert (await run(stage, caller())).response_headers == [
        (b"ratelimit-policy", b'"burst";q=60;w=60, "day";q=3;w=86400'),
        (b"ratelimit", b'"burst";r=1;t=1, "day";r=2;t=28800'),
    ]
    await run(stage, caller())
    on = caller()
    problem = await refused(stage, on)
    assert problem.detail == "60 calls per 60 s are allowed (burst); try again in 1 s."
    assert dict(on.response_headers)[b"ratelimit"] == b'"burst";r=0;t=2, "day";r=1;t=57600'
    clock.now_s += 1
    await run(stage, caller())
    clock.now_s += 60
    problem = await refused(stage, on)
    assert problem.detail.startswith("3 calls per 86400 s are allowed (day); try again in ")


async def test_one_refusal_charges_none_of_them(clock: Clock) -> None:
    stage = stage_of(BOTH, MemoryStorage(), clock)
    for _ in range(2):
        await run(stage, caller())
    for _ in range(50):
        await refused(stage, caller())
    clock.now_s += 1
    await run(stage, caller())


async def test_shadow_mode_says_nothing_to_callers_and_all_to_the_metrics(clock: Clock) -> None:
    watched = Watched()
    shadow = several(limit(name="new", burst=1, shadow=True), limit(burst=9))
    stage = build_rate_limit(shadow, MemoryStorage(), watched, clock)
    for _ in range(3):
        on = await run(stage, caller())
        assert dict(on.response_headers)[b"ratelimit-policy"] == b'"default";q=60;w=60'
    assert watched.seen == [("corpus.search", "new")] * 2
    alone = stage_of(route(burst=1, shadow=True), MemoryStorage(), clock)
    for _ in range(3):
        assert (await run(alone, caller())).response_headers == []


async def test_refused_calls_count_where_the_limit_says_so(clock: Clock) -> None:
    stage = stage_of(route(limit=60, burst=1, charge_refused=True), MemoryStorage(), clock)
    await run(stage, caller())
    for _ in range(5):
        clock.now_s += 0.9
        await refused(stage, caller())
    clock.now_s += 1
    await run(stage, caller())


def test_a_limit_that_cannot_be_counted_stops_the_boot() -> None:
    with pytest.raises(ValueError, match=r"corpus\.search: .*cannot be counted"):
        stage_of(route(algorithm="sliding_log", limit=1_000_000), MemoryStorage())


async def test_the_first_tier_that_a_caller_is_in_counts(clock: Clock) -> None:
    quota: dict[str, Any] = {"name": "daily", "algorithm": "quota", "across": "api"}
    tiers = several(
        limit(burst=60),
        limit(**quota, limit=3, roles=("pro",)),
        limit(**quota, limit=2, roles=("staff",), except_roles=("pro",)),
        limit(**quota, limit=1, except_roles=("pro", "staff")),
    )
    stage = stage_of(tiers, MemoryStorage(), clock)
    for name, roles, calls in (
        ("pia", ("pro", "staff"), 3),
        ("sam", ("staff",), 2),
        ("ada", ("reader",), 1),
        ("", (), 1),
    ):
        for left in reversed(range(calls)):
            headers = dict((await run(stage, caller(name, roles=roles))).response_headers)
            assert headers[b"ratelimit"].startswith(b'"default";r=')
            assert b'"daily";r=%d;t=' % left in headers[b"ratelimit"]
            assert headers[b"ratelimit-policy"] == b'"default";q=60;w=60, "daily";q=%d;w=60' % calls
        problem = await refused(stage, caller(name, roles=roles))
        assert problem.detail.startswith(f"{calls} calls per day are allowed (daily); try again in ")


async def test_a_quota_begins_anew_at_midnight_in_utc(clock: Clock) -> None:
    stage = stage_of(route(algorithm="quota", per="day", limit=1), MemoryStorage(), clock)
    clock.now_s = 1_800_057_599.5  # 2027-01-15, 23:59:59.5
    await run(stage, caller())
    problem = await refused(stage, caller())
    assert problem.headers == ((b"retry-after", b"1"),)
    clock.now_s += 0.5
    await run(stage, caller())
    assert (await refused(stage, caller())).headers == ((b"retry-after", b"86400"),)


def test_the_clock_tells_the_time_of_day() -> None:
    assert abs(steady_utc() - time.time()) < 5
