"""A second attempt beside a slow one: which answer counts, and what becomes of the other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from dhatu_gateway.core.upstream.delivery.attempt import AnswerHeld
from dhatu_gateway.core.upstream.delivery.hedge import Hedge, HedgeRule
from dhatu_gateway.core.upstream.delivery.latencies import Latencies
from dhatu_gateway.core.upstream.errors import ClientDisconnected, UpstreamClosed
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.upstream.scripted import RecordingSink

CLOSED = UpstreamClosed("closed", endpoint="a", stale=False)


@dataclass
class Lane:
    """One attempt as the test sees it: it does what it is told, when it is told."""

    request: UpstreamRequest
    sink: ResponseSink
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: int | Exception = 200
    cancelled: bool = False

    def end(self, outcome: int | Exception) -> None:
        self.outcome = outcome
        self.ready.set()


@dataclass
class Service:
    lanes: list[Lane] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        lane = Lane(request, sink)
        number = len(self.lanes)
        self.lanes.append(lane)
        self.changed.set()
        try:
            await lane.ready.wait()
        except asyncio.CancelledError:
            lane.cancelled = True
            raise
        if isinstance(lane.outcome, Exception):
            raise lane.outcome
        try:
            sink.start(lane.outcome, [])
        finally:
            await asyncio.sleep(0)  # the connection is given back
        await sink.body(b"from %d" % number, False)

    async def lane(self, number: int) -> Lane:
        """The attempt of that number, once it has begun."""
        while len(self.lanes) <= number:
            self.changed.clear()
            await self.changed.wait()
        return self.lanes[number]


@dataclass
class Call:
    service: Service
    sink: RecordingSink
    task: asyncio.Task[None]
    observed: list[float]


def hedged(
    *,
    after_s: float | None = 0.0,
    allowed: bool = True,
    repeatable: bool = True,
    sink: RecordingSink | None = None,
) -> Call:
    service, observed = Service(), list[float]()
    loop = asyncio.get_running_loop()
    rule = HedgeRule(
        after_s=lambda: after_s, observe=observed.append, withdraw=lambda now_s: allowed, clock=loop.time
    )
    request = UpstreamRequest(b"GET", b"/", [], b"", loop.time() + 10)
    request.repeatable = repeatable
    found = sink or RecordingSink()
    return Call(service, found, asyncio.create_task(Hedge(service, rule).forward(request, found)), observed)


async def test_the_second_answer_counts_where_it_comes_first() -> None:
    call = hedged()
    first, second = await call.service.lane(0), await call.service.lane(1)
    second.end(200)
    await call.task
    assert (call.sink.status, call.sink.content) == (200, b"from 1")
    assert first.cancelled
    assert len(call.observed) == 1


async def test_the_first_answer_counts_where_it_comes_first() -> None:
    call = hedged()
    first, second = await call.service.lane(0), await call.service.lane(1)
    first.end(404)
    await call.task
    assert (call.sink.status, call.sink.content) == (404, b"from 0")
    assert second.cancelled


async def test_a_quick_answer_has_no_second_attempt() -> None:
    call = hedged(after_s=30.0)
    (await call.service.lane(0)).end(200)
    await call.task
    assert len(call.service.lanes) == 1
    assert call.sink.content == b"from 0"


@pytest.mark.parametrize(("allowed", "repeatable"), [(False, True), (True, False)])
async def test_there_is_no_second_attempt_without_leave(allowed: bool, repeatable: bool) -> None:
    call = hedged(allowed=allowed, repeatable=repeatable)
    first = await call.service.lane(0)
    for _ in range(20):
        await asyncio.sleep(0)
    first.end(200)
    await call.task
    assert len(call.service.lanes) == 1


@pytest.mark.parametrize("after_s", [None, 30.0])
async def test_nobody_watches_the_client_once_the_call_is_over(after_s: float | None) -> None:
    call = hedged(after_s=after_s)
    lane = await call.service.lane(0)
    watch = asyncio.ensure_future(lane.sink.client_gone())
    for _ in range(20):
        await asyncio.sleep(0)
    watch.cancel()
    lane.end(200)
    await call.task
    await asyncio.wait((watch,))
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_while_nobody_knows_what_slow_is_there_is_no_second_attempt() -> None:
    call = hedged(after_s=None)
    (await call.service.lane(0)).end(200)
    await call.task
    assert len(call.service.lanes) == 1
    assert len(call.observed) == 1


@pytest.mark.parametrize("fault", [503, CLOSED])
@pytest.mark.parametrize("loser", [0, 1])
async def test_a_failure_waits_for_the_other(loser: int, fault: int | Exception) -> None:
    call = hedged()
    lanes = [await call.service.lane(0), await call.service.lane(1)]
    lanes[loser].end(fault)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not call.task.done()
    lanes[1 - loser].end(200)
    await call.task
    assert call.sink.content == b"from %d" % (1 - loser)


async def test_where_both_fail_at_once_the_second_failure_is_the_answer() -> None:
    call = hedged()
    first, second = await call.service.lane(0), await call.service.lane(1)
    first.end(500)
    second.end(501)
    await call.task
    assert (call.sink.status, call.sink.content) == (501, b"from 1")


async def test_where_both_fail_the_last_failure_counts() -> None:
    call = hedged()
    (await call.service.lane(0)).end(CLOSED)
    (await call.service.lane(1)).end(503)
    await call.task
    assert call.sink.status == 503
    call = hedged()
    first, second = await call.service.lane(0), await call.service.lane(1)
    first.end(503)
    await asyncio.sleep(0)
    second.end(CLOSED)
    with pytest.raises(UpstreamClosed):
        await call.task
    assert call.sink.status == 0


async def test_a_client_that_leaves_ends_both() -> None:
    call = hedged()
    first, second = await call.service.lane(0), await call.service.lane(1)
    first.end(ClientDisconnected("gone"))
    with pytest.raises(ClientDisconnected):
        await call.task
    assert second.cancelled


async def test_cancelling_the_call_ends_both() -> None:
    call = hedged()
    first, second = await call.service.lane(0), await call.service.lane(1)
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    assert first.cancelled
    assert second.cancelled


async def test_the_client_is_watched_once() -> None:
    """Both lanes ask whether it is still there, and there is one connection to ask."""
    sink = RecordingSink()
    watches = 0
    wait = sink.client_gone

    async def client_gone() -> None:
        nonlocal watches
        watches += 1
        await wait()

    sink.client_gone = client_gone  # type: ignore[method-assign]  # to count
    call = hedged(sink=sink)
    first, second = await call.service.lane(0), await call.service.lane(1)
    both = [asyncio.ensure_future(lane.sink.client_gone()) for lane in (first, second)]
    for _ in range(5):
        await asyncio.sleep(0)
    sink.gone.set()
    await asyncio.gather(*both)
    assert watches == 1
    first.end(200)
    await call.task


async def test_a_held_answer_is_the_attempts_affair() -> None:
    """The one who decides on retries stands behind the race."""

    class Holding(RecordingSink):
        def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
            raise AnswerHeld(0.1)

    call = hedged(sink=Holding())
    (await call.service.lane(0)).end(CLOSED)
    (await call.service.lane(1)).end(503)
    with pytest.raises(AnswerHeld):
        await call.task


def test_slow_is_what_few_answers_are() -> None:
    latencies = Latencies(0.95)
    for number in range(19):
        latencies.record(number / 1000)
    assert latencies.delay_s() is None
    latencies.record(0.019)
    assert latencies.delay_s() == 0.018
    for _ in range(200):
        latencies.record(0.0)
    assert latencies.delay_s() == 0.001
