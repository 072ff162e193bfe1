"""How many calls may be under way at once, in the memory of one process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import Problem, ProblemError
from dhatu_gateway.rate_limiting.algorithms import algorithm
from dhatu_gateway.rate_limiting.algorithms.concurrency import MAX_COST, MAX_SLOTS
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from gateway.rate_limiting.support import (
    ROUTE,
    Clock,
    Watched,
    caller,
    ended,
    limit,
    route,
    run,
    several,
    stage_of,
)
from hypothesis import given
from hypothesis import strategies as st


def at_once(calls: int, **changes: Any) -> dict[str, Any]:
    return {"algorithm": "concurrency", "limit": calls} | changes


async def refused(stage: Stage, on: Exchange) -> Problem:
    with pytest.raises(ProblemError) as caught:
        await run(stage, on)
    assert not on.on_end, "a call that was refused holds nothing"
    return caught.value.problem


async def test_one_call_more_is_refused_until_one_is_over() -> None:
    stage = stage_of(route(**at_once(2, name="open")), MemoryStorage())
    first, _ = await run(stage, caller()), await run(stage, caller())
    problem = await refused(stage, caller())
    assert problem.status == 429
    assert problem.detail == "2 calls at once are allowed (open); try again when one of them is over."
    assert problem.headers == ((b"retry-after", b"1"),)
    ended(first)
    await run(stage, caller())
    await refused(stage, caller())


async def test_answers_name_the_policy_and_no_state_that_is_over_with_them() -> None:
    stage = stage_of(several(limit(**at_once(5, name="open")), limit(name="calls")), MemoryStorage())
    assert (await run(stage, caller())).response_headers == [
        (b"ratelimit-policy", b'"open";q=5;qu="concurrent-requests", "calls";q=60;w=60'),
        (b"ratelimit", b'"calls";r=1;t=1'),
    ]
    alone = stage_of(route(**at_once(5)), MemoryStorage())
    assert (await run(alone, caller())).response_headers == [
        (b"ratelimit-policy", b'"default";q=5;qu="concurrent-requests"')
    ]


async def test_callers_are_told_apart_and_operations_share_as_with_other_limits() -> None:
    storage = MemoryStorage()
    by_service = limit(**at_once(2, by="service"))
    one = stage_of(several(limit(**at_once(1, name="mine")), by_service), storage)
    other = stage_of(
        replace(ROUTE, operation="corpus.stats", timeout_s=300, rate_limits=(by_service,)), storage
    )
    await run(one, caller("ada"))
    assert "mine" in (await refused(one, caller("ada"))).detail
    held = await run(other, caller("ada"))
    assert "mine" not in (await refused(one, caller("bob"))).detail
    ended(held)
    await run(one, caller("bob"))


async def test_a_call_holds_as_many_slots_as_it_costs() -> None:
    stage = stage_of(route(**at_once(5, cost=2)), MemoryStorage())
    first, _ = await run(stage, caller()), await run(stage, caller())
    await refused(stage, caller())
    ended(first)
    await run(stage, caller())


async def test_what_another_limit_refuses_holds_nothing() -> None:
    clock = Clock()
    both = several(limit(**at_once(2, name="open")), limit(name="calls", burst=1))
    stage = stage_of(both, MemoryStorage(), clock)
    held = [await run(stage, caller())]
    for _ in range(5):
        assert "calls" in (await refused(stage, caller())).detail
    clock.now_s += 1
    held.append(await run(stage, caller()))
    clock.now_s += 1
    assert "open" in (await refused(stage, caller())).detail
    ended(held[0])
    await run(stage, caller())


async def test_in_shadow_mode_nobody_is_refused_and_only_what_would_pass_is_held() -> None:
    watched = Watched()
    shadow = route(**at_once(1, name="new", shadow=True))
    stage = build_rate_limit(shadow, MemoryStorage(), watched)
    first, second = await run(stage, caller()), await run(stage, caller())
    assert watched.seen == [("corpus.search", "new")]
    assert first.response_headers == []
    ended(second)
    await run(stage, caller())
    assert len(watched.seen) == 2, "the first call holds the slot, not the second"
    ended(first)
    await run(stage, caller())
    assert len(watched.seen) == 2


async def test_calls_that_a_limit_does_not_count_hold_nothing() -> None:
    stage = stage_of(several(limit(**at_once(1, by="key")), limit(name="calls", burst=9)), MemoryStorage())
    for _ in range(3):
        assert not (await run(stage, caller("ada"))).on_end
    on = await run(stage, caller("4f1c", kind="api_key"))
    await refused(stage, caller("4f1c", kind="api_key"))
    ended(on)
    await run(stage, caller("4f1c", kind="api_key"))


async def test_nobody_who_holds_a_slot_is_forgotten_and_whoever_does_not_is() -> None:
    storage = MemoryStorage(max_callers=16)
    stage = stage_of(several(limit(**at_once(1)), limit(name="calls", burst=1)), storage)
    held = [await run(stage, caller(f"user-{number}")) for number in range(100)]
    for number in range(100):
        await refused(stage, caller(f"user-{number}"))
    for on in held:
        ended(on)
    tables = storage._tables.values()  # pyright: ignore[reportPrivateUsage]  # nothing else tells
    assert min(len(table.states) for table in tables) == 0


@given(
    st.integers(1, 6),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 7)), min_size=1, max_size=60),
)
def test_whatever_comes_and_goes_never_more_than_the_limit_is_held(
    slots: int, cost: int, steps: list[tuple[int, int]]
) -> None:
    """A step is a call of a caller, or the end of one of those under way."""
    made = stage_of(route(**at_once(max(slots, cost), cost=cost)), MemoryStorage())
    under_way: dict[int, list[Exchange]] = {0: [], 1: [], 2: []}
    for who, which in steps:
        mine = under_way[who]
        if which >= 0 and mine:
            ended(mine.pop(which % len(mine)))
            continue
        on = caller(f"user-{who}")
        try:
            assert made(on) is None
        except ProblemError:
            assert (len(mine) + 1) * cost > max(slots, cost)
        else:
            mine.append(on)
        assert len(mine) * cost <= max(slots, cost)


@pytest.mark.parametrize(
    "changes",
    [{"cost": 11}, {"lease": 2}, {"charge_refused": True}, {"limit": MAX_SLOTS + 1}, {"limit": 0}],
)
def test_what_cannot_be_counted_stops_the_boot(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"corpus\.search: concurrency: .*cannot be counted"):
        stage_of(route(**at_once(10) | changes), MemoryStorage())


def test_a_call_cannot_hold_hundreds_of_slots() -> None:
    with pytest.raises(ValueError, match="cost at most 100"):
        algorithm(limit(**at_once(1000, cost=MAX_COST + 1)))
