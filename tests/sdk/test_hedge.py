"""A second attempt beside a slow one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator

import pytest
from dhatu_client._encoding.content import StreamBody
from dhatu_client._flow.life import call_flow
from dhatu_client._flow.plan import Call
from dhatu_client._flow.race import race, race_async
from dhatu_client._policies.hedge import HedgePolicy, Latencies
from dhatu_client._watch.events import AttemptFinished, Hedged
from dhatu_client._wire import Answer, Endpoint, Outcome, Race, Raced, Request, Send
from sdk.world import LOST, OK, World, refusal

POLICY = HedgePolicy(min_samples=20)


class TestLatencies:
    def test_too_few_tell_nothing(self) -> None:
        latencies = Latencies(HedgePolicy(min_samples=3))
        latencies.record(0.1)
        latencies.record(0.1)
        assert latencies.delay_s() is None

    def test_the_percentile_is_the_nearest_rank(self) -> None:
        latencies = Latencies(HedgePolicy(percentile=0.95, min_samples=1, samples=100))
        for number in range(1, 101):
            latencies.record(number / 100)
        assert latencies.delay_s() == 0.95

    def test_only_the_latest_count(self) -> None:
        latencies = Latencies(HedgePolicy(min_samples=1, samples=10))
        for latency_s in [9.0] * 10 + [1.0] * 10:
            latencies.record(latency_s)
        assert latencies.delay_s() == 1.0

    def test_it_is_never_shorter_than_the_least_delay(self) -> None:
        latencies = Latencies(HedgePolicy(min_samples=1, min_delay_s=0.5))
        latencies.record(0.001)
        assert latencies.delay_s() == 0.5


class Hedging:
    """A world that has seen enough latencies, and the race that its next call asks for."""

    def __init__(self, retry: str = "safe", **call: object) -> None:
        self.world = World(hedge=POLICY)
        for _ in range(POLICY.min_samples):
            self.world.run(self.world.call(), OK, took_s=0.2)
        self.call: Call = self.world.call(retry, **call)  # type: ignore[arg-type]  # the names are checked by the call
        self.flow = call_flow(self.call, self.world.policies)
        self.step = next(self.flow)

    def race(self) -> Race:
        assert isinstance(self.step, Race)
        return self.step

    def end(self, raced: Raced) -> Answer:
        with pytest.raises(StopIteration) as stopped:
            self.flow.send(raced)
        answer: Answer = stopped.value.value
        return answer


def test_after_the_percentile_a_second_attempt_may_start() -> None:
    hedging = Hedging()
    assert hedging.race().after_s == pytest.approx(0.2)
    second = hedging.race().second()
    assert second is not None
    assert dict(second.headers)["x-d-attempt"] == "2"
    assert hedging.end(Raced(None, OK)).attempts == 2
    ended = hedging.world.told(AttemptFinished)[-2:]
    assert [(event.attempt, event.failure) for event in ended] == [(1, "cancelled"), (2, "")]
    assert len(hedging.world.told(Hedged)) == 1


@pytest.mark.parametrize("retry", ["keyed", "never"])
def test_only_what_may_be_repeated_is_hedged(retry: str) -> None:
    assert isinstance(Hedging(retry).step, Send)


def test_a_body_that_ran_dry_is_not_sent_twice() -> None:
    body = StreamBody(iter([b"once"]))
    hedging = Hedging(body=body)
    list(body.chunks())
    assert hedging.race().second() is None
    hedging.end(Raced(OK, None))


def test_the_budget_pays_for_it() -> None:
    hedging = Hedging()
    while hedging.world.policies.budget.withdraw():
        if hedging.world.policies.budget._tokens == float("inf"):
            hedging.world.policies.budget._tokens = 0.0
    assert hedging.race().second() is None
    hedging.end(Raced(OK, None))


def test_where_the_first_fails_the_second_counts() -> None:
    hedging = Hedging()
    hedging.race().second()
    assert hedging.end(Raced(LOST, OK)).status == 200


def send() -> Send:
    return Send(
        request=Request(method="GET", target="/", headers=(), body=None),
        endpoint=Endpoint("https://a.test"),
        headers=(),
        connect_s=5.0,
        time_left_s=10.0,
        idle_s=10.0,
        keep_open=lambda status, media_type: False,
    )


FIRST, SECOND = send(), send()


def decisive(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and outcome.status < 500


class Reader:
    """A kept body that only notes that it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def chunks(self) -> Generator[bytes, None, None]:
        yield b""

    def close(self) -> None:
        self.closed.set()


class AsyncReader:
    def __init__(self) -> None:
        self.closed = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield b""

    async def aclose(self) -> None:
        self.closed = True


class AsyncPeer:
    """Answers each attempt when its turn comes."""

    def __init__(self, **turns: Callable[[], Outcome]) -> None:
        self.turns = turns
        self.let = {"first": asyncio.Event(), "second": asyncio.Event()}
        self.cancelled: list[str] = []

    async def send(self, step: Send) -> Outcome:
        name = "first" if step is FIRST else "second"
        try:
            await self.let[name].wait()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        return self.turns[name]()


def raise_value_error() -> Outcome:
    raise ValueError("the body broke")


class TestAsyncRace:
    async def test_a_fast_first_has_no_second(self) -> None:
        peer = AsyncPeer(first=lambda: OK)
        peer.let["first"].set()
        asked: list[int] = []

        def second() -> None:
            asked.append(1)

        step = Race(first=FIRST, after_s=60.0, second=second, decisive=decisive)
        assert await race_async(step, peer) == Raced(OK, None)
        assert asked == []

    async def test_the_loser_is_cancelled(self) -> None:
        peer = AsyncPeer(second=lambda: OK)
        peer.let["second"].set()
        step = Race(first=FIRST, after_s=0.0, second=lambda: SECOND, decisive=decisive)
        assert await race_async(step, peer) == Raced(None, OK)
        assert peer.cancelled == ["first"]

    async def test_a_failure_waits_for_the_other(self) -> None:
        peer = AsyncPeer(first=lambda: OK, second=lambda: LOST)

        def second() -> Send:
            peer.let["second"].set()
            asyncio.get_running_loop().call_soon(
                lambda: asyncio.get_running_loop().call_soon(peer.let["first"].set)
            )
            return SECOND

        step = Race(first=FIRST, after_s=0.0, second=second, decisive=decisive)
        assert await race_async(step, peer) == Raced(OK, LOST)

    async def test_both_may_fail(self) -> None:
        peer = AsyncPeer(first=lambda: refusal(503), second=lambda: LOST)
        peer.let["second"].set()

        def second() -> Send:
            peer.let["first"].set()
            return SECOND

        step = Race(first=FIRST, after_s=0.0, second=second, decisive=decisive)
        assert await race_async(step, peer) == Raced(refusal(503), LOST)

    async def test_what_the_caller_did_wrong_is_raised_as_it_is(self) -> None:
        peer = AsyncPeer(first=raise_value_error)
        peer.let["first"].set()
        with pytest.raises(ValueError, match="the body broke"):
            await race_async(Race(first=FIRST, after_s=60.0, second=lambda: None, decisive=decisive), peer)

    async def test_the_body_of_the_second_answer_is_freed_where_both_arrive(self) -> None:
        reader = AsyncReader()
        peer = AsyncPeer(first=lambda: OK, second=lambda: Answer(status=200, headers={}, reader=reader))

        def second() -> Send:
            peer.let["first"].set()
            peer.let["second"].set()
            return SECOND

        step = Race(first=FIRST, after_s=0.0, second=second, decisive=decisive)
        raced = await race_async(step, peer)
        assert raced.first == OK
        assert reader.closed or raced.second is None

    async def test_cancelling_the_call_cancels_both(self) -> None:
        peer = AsyncPeer()
        started = asyncio.Event()

        def second() -> Send:
            started.set()
            return SECOND

        step = Race(first=FIRST, after_s=0.0, second=second, decisive=decisive)
        task = asyncio.create_task(race_async(step, peer))
        await started.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(peer.cancelled) == ["first", "second"]


class Peer:
    """The same, blocking."""

    def __init__(self, **turns: Callable[[], Outcome]) -> None:
        self.turns = turns
        self.let = {"first": threading.Event(), "second": threading.Event()}
        self.left = {"first": threading.Event(), "second": threading.Event()}

    def send(self, step: Send) -> Outcome:
        name = "first" if step is FIRST else "second"
        self.let[name].wait()
        try:
            return self.turns[name]()
        finally:
            self.left[name].set()


class TestRace:
    def test_a_fast_first_has_no_second(self) -> None:
        peer = Peer(first=lambda: OK)
        peer.let["first"].set()
        step = Race(first=FIRST, after_s=60.0, second=lambda: None, decisive=decisive)
        assert race(step, peer) == Raced(OK, None)

    def test_the_winner_is_returned_and_the_loser_thrown_away(self) -> None:
        reader = Reader()
        peer = Peer(first=lambda: Answer(status=200, headers={}, reader=reader), second=lambda: OK)
        peer.let["second"].set()
        step = Race(first=FIRST, after_s=0.0, second=lambda: SECOND, decisive=decisive)
        assert race(step, peer) == Raced(None, OK)
        peer.let["first"].set()
        assert reader.closed.wait(10)

    def test_a_failure_waits_for_the_other(self) -> None:
        peer = Peer(first=lambda: OK, second=lambda: LOST)
        peer.let["second"].set()

        def follow() -> None:
            peer.left["second"].wait()
            peer.let["first"].set()

        threading.Thread(target=follow).start()
        step = Race(first=FIRST, after_s=0.0, second=lambda: SECOND, decisive=decisive)
        assert race(step, peer).first == OK

    def test_what_the_caller_did_wrong_is_raised_as_it_is(self) -> None:
        peer = Peer(first=raise_value_error)
        peer.let["first"].set()
        with pytest.raises(ValueError, match="the body broke"):
            race(Race(first=FIRST, after_s=60.0, second=lambda: None, decisive=decisive), peer)
