"""A process of a service dies, hangs, talks nonsense: which calls may fail, and that no other does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from chaos.clients import PATIENCE_S, Outcome, Request, at_once, until
from chaos.conftest import Stages
from chaos.world import World, request

CALLS = 200
CLIENTS = 8
WORKERS = pytest.mark.parametrize("workers", [1, 2])


async def _held_by_a(w: World, requests: Sequence[Request]) -> list[asyncio.Task[Outcome]]:
    """Send them, and leave those under way that `a` has got: about half of them; the rest is answered."""
    await asyncio.gather(w.a.told("hold"), w.b.told("hold"))
    calls = await at_once(w.port, requests)
    await w.hold(len(calls))
    await w.b.told("well")

    async def is_so() -> bool:
        return await w.a.held() == sum(not call.done() for call in calls)

    await until(is_so, "what is not answered is held")
    return calls


@WORKERS
async def test_killed_no_safe_call_fails_and_of_the_others_those_it_held(
    workers: int, stages: Stages
) -> None:
    """Safe calls that it held are made again at the other; what must not be repeated is answered 502."""
    async with stages(workers).world() as w:
        before = await w.load("killed/items").make(CALLS)
        assert set(before.kinds) == {(200, "a"), (200, "b")}
        held = await _held_by_a(w, [request("killed/items")] * 4 + [request("killed/items", "POST")] * 8)
        unsafe = sum(not task.done() for task in held[4:])
        w.a.kill()
        outcomes = [await task for task in held]
        assert {outcome.status for outcome in outcomes[:4]} == {200}
        assert [outcome.kind for outcome in outcomes[4:] if outcome.status != 200] == [
            "upstream-failed"
        ] * unsafe

        for method in ("GET", "POST"):
            assert set((await w.load("killed/items", method).make(CALLS)).kinds) == {(200, "b")}
        await w.a.start()
        load = w.load("killed/items")
        async with asyncio.timeout(2 * PATIENCE_S), load.running(CLIENTS):
            while await w.a.requests() == 0:
                await load.further(10)
        assert load.failed == {}


async def test_killed_under_load_nothing_that_is_safe_fails(stages: Stages) -> None:
    async with stages(1).world() as w:
        load = w.load("loaded/items")
        async with load.running(CLIENTS):
            for endpoint in (w.a, w.b, w.a, w.b):  # one at a time, and back before the next
                await load.further(CALLS)
                endpoint.kill()
                await load.further(CALLS)
                await endpoint.start()
        assert load.failed == {}


@WORKERS
async def test_paused_calls_that_it_caught_fail_by_their_time_until_it_is_ejected(
    workers: int, stages: Stages
) -> None:
    """Each worker finds out by itself, by two failures; what is under way there by then fails as well."""
    async with stages(workers).world() as w:
        w.a.pause()
        load = await w.load("ejected/brief").make(CALLS, CLIENTS)
        assert set(load.failed) <= {(504, "upstream-timeout")}
        assert 2 <= sum(load.failed.values()) <= workers + CLIENTS
        w.a.go_on()


async def test_paused_no_safe_call_fails_where_an_attempt_has_less_time_than_the_call(stages: Stages) -> None:
    """What it caught is asked of the other, within a budget that grows with the calls before."""
    async with stages(1).world() as w:
        await w.load("tried/tried").make(CALLS, CLIENTS)
        w.a.pause()
        load = await w.load("tried/tried").make(CALLS, CLIENTS)
        w.a.go_on()
        assert load.failed == {}
        assert load.kinds[200, "b"] >= CALLS - CLIENTS


async def test_failing_no_safe_call_fails_and_of_the_others_those_it_got_until_it_is_ejected(
    stages: Stages,
) -> None:
    async with stages(1).world() as w:
        await w.load("failing/items").make(CALLS, CLIENTS)
        await w.a.told("fail")
        load = w.load("failing/items")
        others = w.load("failing/items", "POST")
        await asyncio.gather(load.make(CALLS, CLIENTS), others.make(CALLS, CLIENTS))
        assert load.failed == {}
        assert set(others.failed) <= {(503, "")}
        assert sum(others.failed.values()) <= 2 + CLIENTS


async def test_paused_its_health_is_looked_after_and_it_comes_back(stages: Stages) -> None:
    """Nobody has to call it: active checks find out."""
    async with stages(1).world() as w:
        w.a.pause()
        load = w.load("checked/brief")
        async with asyncio.timeout(2 * PATIENCE_S), load.running(CLIENTS):
            while sum(outcome.status == 200 for outcome in load.outcomes[-CALLS:]) < CALLS:
                await load.further(CALLS)
            w.a.go_on()
            before = await w.a.requests()
            while await w.a.requests() < before + 10:
                await load.further(10)
        assert set(load.failed) <= {(504, "upstream-timeout")}
        assert sum(load.failed.values()) <= 3 * CLIENTS


async def test_slow_nobody_fails_and_the_others_do_not_wait(stages: Stages) -> None:
    async with stages(1).world() as w:
        held = await _held_by_a(w, [request("slow/items")] * 16)
        # The shortest queue is where the next call goes: with those that are stuck, that is the other's.
        load = await w.load("slow/items").make(CALLS, clients=4)
        assert set(load.kinds) == {(200, "b")}
        await w.a.told("well")
        assert {(await task).status for task in held} == {200}


async def test_corrupt_its_calls_are_answered_502_until_it_is_ejected(stages: Stages) -> None:
    """What is no HTTP is not asked for a second time, and none of it reaches a client."""
    async with stages(1).world() as w:
        await w.a.told("corrupt")
        load = await w.load("corrupt/items").make(CALLS, CLIENTS)
        assert set(load.kinds) == {(200, "b"), (502, "upstream-failed")}
        assert 2 <= load.kinds[502, "upstream-failed"] <= CLIENTS + 1
        assert load.kinds[502, "upstream-failed"] == await w.a.requests()


async def test_reset_within_an_answer_nobody_takes_a_part_for_the_whole(stages: Stages) -> None:
    """The head was sent: all that is left is to break the connection to those clients, and to no other."""
    async with stages(1).world() as w:
        await w.a.told("reset")
        load = await w.load("reset/items").make(CALLS, CLIENTS)
        assert set(load.kinds) == {(200, "b"), (0, "")}
        assert load.kinds[0, ""] == await w.a.requests()
        await w.a.told("well")
        assert (await w.load("reset/items").make(CALLS, CLIENTS)).failed == {}


async def test_refused_nobody_fails_while_one_is_there(stages: Stages) -> None:
    """Where nobody was there to connect to, even what must not be repeated goes to the other."""
    async with stages(1).world() as w:
        w.a.kill()
        for method in ("GET", "POST"):
            assert set((await w.load("refused/items", method).make(CALLS)).kinds) == {(200, "b")}
        w.b.kill()
        load = await w.load("refused/items").make(20)
        assert load.kinds == {(503, "upstream-unavailable"): 20}
        await w.b.start()
        await w.stays("refused/items", 200)
        assert (await w.load("refused/items", "POST").make(CALLS)).failed == {}


async def test_flapping_only_what_it_held_and_must_not_be_repeated_fails(stages: Stages) -> None:
    """Each time it dies, at most one call of each client was under way."""
    times = 4
    async with stages(1).world() as w:
        load = w.load("flapping/items", "POST")
        async with load.running(CLIENTS):
            for _ in range(times):
                await load.further(CALLS)
                w.a.kill()
                await load.further(50)
                await w.a.start()
        assert set(load.failed) <= {(502, "upstream-failed")}
        assert sum(load.failed.values()) <= times * CLIENTS
        assert (await w.load("flapping/items").make(CALLS)).failed == {}
