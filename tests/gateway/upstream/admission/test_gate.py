"""How many requests are let through, and what becomes of those that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from dhatu_gateway.core.upstream.admission.gate import Gate
from dhatu_gateway.core.upstream.admission.limits import Fixed, Gradient
from dhatu_gateway.core.upstream.errors import UpstreamOverloaded
from dhatu_gateway.core.upstream.policy import Adaptive


def gate_of(most: int = 2, waiting: int = 2, queue_s: float = 10.0) -> Gate:
    return Gate(Fixed(most), waiting, queue_s, asyncio.get_running_loop().time)


def later() -> float:
    return asyncio.get_running_loop().time() + 10


async def begun(work: Awaitable[None]) -> asyncio.Task[None]:
    """The work as a task that has come as far as it can."""
    task = asyncio.ensure_future(work)
    assert isinstance(task, asyncio.Task)
    await asyncio.sleep(0)
    return task


async def test_who_finds_no_room_waits_in_turn() -> None:
    gate = gate_of()
    await gate.enter(later())
    await gate.enter(later())
    first, second = await begun(gate.enter(later())), await begun(gate.enter(later()))
    assert (gate.in_flight, gate.waiting) == (2, 2)
    gate.leave(0.1, dropped=False)
    await first
    assert not second.done()
    gate.leave(0.1, dropped=False)
    await second
    assert (gate.in_flight, gate.waiting) == (2, 0)


async def test_nobody_overtakes_those_who_wait() -> None:
    gate = gate_of(most=1)
    await gate.enter(later())
    waiting = await begun(gate.enter(later()))
    gate.leave(0.1, dropped=False)
    assert not gate.try_enter()
    await waiting


async def test_a_full_queue_refuses_at_once() -> None:
    gate = gate_of(most=1, waiting=1)
    await gate.enter(later())
    waiting = await begun(gate.enter(later()))
    with pytest.raises(UpstreamOverloaded, match="1 wait already"):
        await gate.enter(later())
    waiting.cancel()


@pytest.mark.parametrize(("queue_s", "left_s"), [(0.02, 10.0), (10.0, 0.02)])
async def test_a_wait_is_bounded_by_the_queue_and_by_the_deadline(queue_s: float, left_s: float) -> None:
    gate = gate_of(most=1, queue_s=queue_s)
    await gate.enter(later())
    with pytest.raises(UpstreamOverloaded, match="in time"):
        await gate.enter(asyncio.get_running_loop().time() + left_s)
    assert (gate.in_flight, gate.waiting) == (1, 0)


async def test_who_gives_up_waiting_takes_no_place() -> None:
    gate = gate_of(most=1)
    await gate.enter(later())
    gone, stays = await begun(gate.enter(later())), await begun(gate.enter(later()))
    gone.cancel()
    await asyncio.sleep(0)
    gate.leave(0.1, dropped=False)
    await stays
    assert (gate.in_flight, gate.waiting) == (1, 0)


async def test_who_is_cancelled_just_when_admitted_gives_the_place_on() -> None:
    gate = gate_of(most=1)
    await gate.enter(later())
    gone, stays = await begun(gate.enter(later())), await begun(gate.enter(later()))
    gate.leave(0.1, dropped=False)
    gone.cancel()
    await stays
    assert gate.in_flight == 1


async def test_who_is_cancelled_just_when_refused_gives_nothing_back() -> None:
    now_s = 0.0
    gate = Gate(Fixed(1), 2, 1.0, lambda: now_s)
    await gate.enter(10.0)
    gone = await begun(gate.enter(10.0))
    now_s = 2.0
    gate._expire()
    gone.cancel()
    with pytest.raises((asyncio.CancelledError, UpstreamOverloaded)):
        await gone
    assert gate.in_flight == 1


def run(limit: Gradient, latency_s: float, requests: int) -> int:
    """So many requests, always as many at once as are allowed."""
    for _ in range(requests):
        limit.observe(latency_s, limit.most, dropped=False)
    return limit.most


def test_a_limit_grows_while_latencies_are_as_usual() -> None:
    limit = Gradient(Adaptive(initial=20, max=200))
    assert run(limit, 0.1, 200) == 200


def test_a_limit_shrinks_where_latencies_rise() -> None:
    limit = Gradient(Adaptive(initial=20, max=200))
    before = run(limit, 0.1, 200)
    assert run(limit, 1.0, 20) < before / 2
    assert run(limit, 0.1, 400) == 200, "and recovers"


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    limit = Gradient(Adaptive(initial=20))
    for _ in range(100):
        limit.observe(0.1, 2, dropped=False)
    assert limit.most == 20


def test_requests_that_were_too_slow_shrink_it_down_to_the_least() -> None:
    limit = Gradient(Adaptive(initial=20, min=4))
    for _ in range(100):
        limit.observe(5.0, 20, dropped=True)
    assert limit.most == 4
