"""Hedging: an attempt that takes longer than most gets another beside it, and the first answer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from dhatu_gateway.core.upstream.delivery.attempt import Carrier
from dhatu_gateway.core.upstream.errors import UpstreamError
from dhatu_gateway.core.upstream.types import Headers, ResponseSink, UpstreamRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeRule:
    """When a second attempt is made."""

    after_s: Callable[[], float | None]
    """Seconds after which an attempt is slow; None while nobody knows."""
    observe: Callable[[float], None]
    """Told how long the head of an answer took that counted."""
    withdraw: Callable[[float], bool]
    """Asks the retry budget."""
    clock: Callable[[], float]


class Hedge:
    """Carries a request that may be repeated as two where it is slow; stands where the upstream would."""

    __slots__ = ("_carrier", "_rule")

    def __init__(self, carrier: Carrier, rule: HedgeRule) -> None:
        self._carrier = carrier
        self._rule = rule

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        """As `Upstream.forward`, of the attempt that won, or of the one that failed last."""
        rule = self._rule
        after_s = rule.after_s() if request.repeatable else None
        race = _Race(self._carrier, sink, rule)
        try:
            if after_s is None:
                await self._carrier.forward(request, race.lane(request))
                return
            first = race.start(request)
            await asyncio.wait((first,), timeout=after_s)
            if not first.done() and race.winner is None and rule.withdraw(rule.clock()):
                avoid = request.avoid if request.member is None else (*request.avoid, request.member)
                race.start(replace(request, avoid=avoid, member=None))
            await race.finish()
        finally:
            if race.winner is not None:
                request.member = race.winner.request.member
            await race.close()


class _Lost(Exception):
    """The answer is not wanted: another one counts, or may be better."""


class _Lane:
    """One of the attempts, as a sink."""

    __slots__ = ("_race", "began_s", "body", "client_gone", "lost", "request")

    def __init__(self, race: _Race, request: UpstreamRequest, began_s: float) -> None:
        self._race = race
        self.request = request
        self.began_s = began_s
        self.lost = False
        """Whether its answer was not wanted; it may still be giving back its connection."""
        self.body = race.sink.body
        self.client_gone = race.client_gone

    def start(self, status: int, headers: Headers) -> None:
        self._race.claim(self, status)
        self._race.sink.start(status, headers)


class _Race:
    """Its lanes, and which of them may answer."""

    __slots__ = ("_carrier", "_gone", "_rule", "_tasks", "sink", "winner")

    def __init__(self, carrier: Carrier, sink: ResponseSink, rule: HedgeRule) -> None:
        self._carrier = carrier
        self._rule = rule
        self._tasks: dict[asyncio.Task[None], _Lane] = {}
        self._gone: asyncio.Task[None] | None = None
        self.sink = sink
        self.winner: _Lane | None = None

    def lane(self, request: UpstreamRequest) -> _Lane:
        return _Lane(self, request, self._rule.clock())

    def start(self, request: UpstreamRequest) -> asyncio.Task[None]:
        lane = self.lane(request)
        task = asyncio.create_task(self._carrier.forward(request, lane))
        self._tasks[task] = lane
        return task

    def claim(self, lane: _Lane, status: int) -> None:
        """The head of an answer has come; raises `_Lost` where another one is waited for."""
        others = [
            task
            for task, other in self._tasks.items()
            if other is not lane and not other.lost and not task.done()
        ]
        if self.winner is not None or (status >= 500 and others):
            lane.lost = True
            raise _Lost
        self.winner = lane
        if status < 500:
            self._rule.observe(self._rule.clock() - lane.began_s)
        for task in others:
            task.cancel()

    async def finish(self) -> None:
        """Return when the answer that counts is over; raises what ended its lane, or the last of all."""
        running = set(self._tasks)
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = None if task.cancelled() else task.exception()
                lane = self._tasks[task]
                if lane is self.winner:
                    await task
                    return
                if isinstance(error, _Lost) or task.cancelled():
                    continue
                if not running or not isinstance(error, UpstreamError):
                    await task

    async def client_gone(self) -> None:
        """Return when the client has gone; the lanes share one watch, for there is one client."""
        if self._gone is None:
            self._gone = asyncio.create_task(_watch(self.sink))
        await asyncio.wait((self._gone,))
        await asyncio.shield(self._gone)

    async def close(self) -> None:
        """Leave no lane behind."""
        tasks = [*self._tasks, *((self._gone,) if self._gone is not None else ())]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(sink: ResponseSink) -> None:
    await sink.client_gone()
