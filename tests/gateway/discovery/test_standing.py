"""What is known of a service while its source works, fails and lies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import pytest
from dhatu_gateway.core.discovery.overrides import Overrides
from dhatu_gateway.core.discovery.source import DiscoveryError, Found, Kind, Rhythm
from dhatu_gateway.core.discovery.standing import Standing, follow
from dhatu_gateway.core.upstream.discovery import Endpoint
from gateway.discovery.support import Seen, found
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def standing(seen: Seen) -> Standing:
    return Standing("corpus", "consul", seen)


def test_a_set_is_published_once_and_in_one_order(standing: Standing, seen: Seen) -> None:
    standing.take(found("b", "a", "b"), 100.0)
    standing.take(found("a", "b"), 101.0)
    assert seen.sets == [["a", "b"]]
    assert (standing.good_at_s, standing.error, standing.failures) == (101.0, "", 0)


def test_an_empty_answer_leaves_the_last_good_set_in_force_and_says_so(
    standing: Standing, seen: Seen
) -> None:
    standing.take(found("a"), 100.0)
    standing.take(found(), 200.0)
    assert seen.sets == [["a"]]
    assert standing.good_at_s == 100.0
    assert (standing.failures, standing.error) == (1, "no endpoint is left, so the last good ones stay")


def test_a_doubtful_answer_is_better_than_none_but_not_than_a_good_one(
    standing: Standing, seen: Seen
) -> None:
    standing.take(found("a", doubt="no leader"), 100.0)
    standing.take(found("b", doubt="no leader"), 101.0)
    assert seen.sets == [["a"]]
    standing.take(found("b"), 102.0)
    assert seen.sets == [["a"], ["b"]]
    assert standing.error == ""


def test_overrides_change_what_is_known_and_what_comes(standing: Standing, seen: Seen) -> None:
    standing.override(Overrides(drain=frozenset({"a:80"})))
    assert seen.sets == []
    standing.take(found("a", "b"), 100.0)
    assert seen.sets == [["b"]]
    standing.override(Overrides(weights={"*": 3.0}))
    assert seen.sets == [["b"], ["a", "b"]]
    assert {endpoint.weight for endpoint in seen.last} == {3.0}


@given(st.lists(st.one_of(st.lists(st.sampled_from("abc"), max_size=4), st.just("down")), max_size=20))
def test_whatever_comes_no_set_is_ever_empty_and_the_last_good_one_counts(
    rounds: list[Sequence[str] | str],
) -> None:
    seen, good = Seen(), []
    standing = Standing("corpus", "consul", seen)
    for answer in rounds:
        if answer == "down":
            standing.fail("down")
        else:
            standing.take(found(*answer), 1.0)
            good += [sorted(set(answer))] if answer else []
    assert all(seen.sets)
    assert ([endpoint.host for endpoint in seen.last]) == (good[-1] if good else [])


class Script:
    """A source that does what it is told, round after round, and then waits."""

    kind: Kind = "consul"

    def __init__(self, *rounds: Found | Exception) -> None:
        self.rounds = list(rounds)
        self.done = asyncio.Event()
        self.closed = False

    async def find(self) -> Found:
        if not self.rounds:
            self.done.set()
            await asyncio.get_running_loop().create_future()
        each = self.rounds.pop(0)
        if isinstance(each, Exception):
            raise each
        return each

    async def close(self) -> None:
        self.closed = True


class Pauses:
    """Keeps how long somebody wanted to sleep; nobody does."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now_s += seconds
        await asyncio.sleep(0)

    def rhythm(self) -> Rhythm:
        return Rhythm(clock=lambda: self.now_s, wall_clock=lambda: 9.0, sleep=self.sleep, random=lambda: 1.0)


async def run(source: Script, standing: Standing, rhythm: Rhythm) -> None:
    task = asyncio.create_task(follow(source, standing, rhythm))
    await asyncio.wait_for(source.done.wait(), 5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert source.closed


async def test_failures_are_followed_by_ever_longer_pauses_up_to_a_limit(standing: Standing) -> None:
    pauses = Pauses()
    source = Script(*[DiscoveryError("down")] * 9, found("a"), DiscoveryError("down"))
    await run(source, standing, pauses.rhythm())
    assert pauses.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 0.25, 0.5]


async def test_a_source_that_never_waits_does_not_keep_the_gateway_busy(standing: Standing) -> None:
    pauses = Pauses()
    await run(Script(found("a"), found("b"), found("c")), standing, pauses.rhythm())
    assert pauses.slept == [0.25, 0.25, 0.25]


async def test_an_answer_that_holds_for_a_while_is_not_asked_for_before(standing: Standing) -> None:
    pauses = Pauses()
    await run(Script(found("a", fresh_s=30.0)), standing, pauses.rhythm())
    assert pauses.slept == [30.0]


async def test_a_fault_in_a_source_ends_nothing(standing: Standing, seen: Seen) -> None:
    await run(Script(found("a"), KeyError("oops"), found("b")), standing, Pauses().rhythm())
    assert seen.sets == [["a"], ["b"]]


def test_chance_shortens_a_pause_by_half_at_most() -> None:
    assert Rhythm(random=lambda: 0.0).backoff_s(1) == 0.25
    assert Rhythm(random=lambda: 0.0).backoff_s(10_000) == 15.0


def test_the_endpoint_that_is_said_first_counts(standing: Standing, seen: Seen) -> None:
    twice = (Endpoint(host="a", port=80, weight=3), Endpoint(host="a", port=80, weight=5))
    standing.take(Found(endpoints=twice), 1.0)
    assert [endpoint.weight for endpoint in seen.last] == [3]
