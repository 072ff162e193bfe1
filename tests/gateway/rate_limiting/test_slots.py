"""Calls at once are counted alike in memory and in a real Valkey."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.rules import Rule, rules_of
from dhatu_gateway.rate_limiting.slots import Slots
from dhatu_gateway.rate_limiting.storage.holds import Hold, Place
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from gateway.rate_limiting.support import countable, several
from gateway.rate_limiting.test_holds import at_once, opened
from hypothesis import given, settings
from hypothesis import strategies as st

FRESH = map("slots:{}".format, count())
START_US = 1_800_000_000_000_000


@st.composite
def limits_of_a_route(draw: st.DrawFn) -> tuple[RateLimit, ...]:
    """One or two limits of calls at once, and perhaps another, some in shadow mode."""
    made = [at_once(draw(st.integers(1, 4)), cost=1) for _ in range(draw(st.integers(1, 2)))]
    made = [replace(each, limit=each.limit * 2, cost=draw(st.integers(1, 2))) for each in made]
    made += draw(st.lists(countable(), max_size=1))
    return tuple(replace(each, name=f"limit{at}", shadow=draw(st.booleans())) for at, each in enumerate(made))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["call", "call", "call", "end", "die"]),
        st.integers(0, 7),
        st.integers(0, 3_000_000) | st.integers(0, 40_000_000),
    ),
    min_size=1,
    max_size=30,
)


class Model:
    """The limits in memory, where those who die give back when their lease ends."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        storage = MemoryStorage()
        self._take, self._give_back = storage.limiter(rules), storage.giver_back(rules)
        self._who = ["ada"] * len(rules)
        self.held = Slots(rules).held
        self.dead: list[tuple[int, list[int]]] = []

    def take(self, now_us: int) -> Any:
        for ends_us, held in self.dead:
            if ends_us <= now_us:
                self.give_back(held)
        self.dead = [each for each in self.dead if each[0] > now_us]
        return self._take(self._who, now_us)

    def give_back(self, held: list[int]) -> None:
        self._give_back(self._who, held)


@given(limits_of_a_route(), STEPS, st.sampled_from([5.0, 30.0]))
@settings(max_examples=60, deadline=None)  # each example asks a server
def test_memory_and_redis_agree_whoever_comes_goes_and_dies(
    valkey_url: str, limits: tuple[RateLimit, ...], steps: list[tuple[str, int, int]], longest_s: float
) -> None:
    rules = rules_of(several(*limits))

    async def both(storage: RedisStorage) -> None:
        key, model = next(FRESH), Model(rules)
        keys = [f"{key}:{at}" for at in range(len(rules))]
        under_way: list[tuple[int, Hold, list[int]]] = []
        now_us = START_US
        for step, which, gap_us in steps:
            now_us += gap_us
            # Nobody puts anything off here: who is under way for as long as a lease is as good as dead.
            model.dead += [(ends, held) for ends, _, held in under_way if ends <= now_us]
            under_way = [each for each in under_way if each[0] > now_us]
            if step == "call":
                expected = model.take(now_us)
                hold = storage.holds.begin((), longest_s)
                _, decisions = await storage.run_at(now_us, keys, rules, hold=hold)
                assert decisions == expected
                held = model.held(decisions)
                hold.places = [Place(keys[at].encode(), rules[at].cost) for at in held]
                under_way.append((now_us + round(longest_s * 1_000_000), hold, held))
                for at, rule in enumerate(rules):
                    if rule.algorithm.name == "concurrency":
                        mine = [each for _, _, each in under_way if at in each]
                        dead = [each for _, each in model.dead if at in each]
                        assert (len(mine) + len(dead)) * rule.cost <= rule.policy.limit
            elif under_way:
                ends_us, hold, held = under_way.pop(which % len(under_way))
                if step == "die":
                    model.dead.append((ends_us, held))
                else:
                    model.give_back(held)
                    hold.end()
                    await asyncio.sleep(0)

    async def opened_and_closed() -> None:
        storage = await opened(valkey_url)
        try:
            await both(storage)
        finally:
            await storage.close()

    asyncio.run(opened_and_closed())
