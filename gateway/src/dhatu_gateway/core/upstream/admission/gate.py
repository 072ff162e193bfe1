"""Lets so many requests through to a service, the others wait in turn, for a while and not too many."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dhatu_gateway.core.upstream.admission.limits import Limit
from dhatu_gateway.core.upstream.errors import UpstreamOverloaded
from dhatu_gateway.core.upstream.staying import Leaving, until_left
from dhatu_gateway.core.upstream.timer import LazyTimer


@dataclass(slots=True, eq=False)
class _Waiting:
    admitted: asyncio.Future[None]
    expires_s: float


class Gate:
    """Every `enter` that returned is followed by one `leave`."""

    __slots__ = ("_clock", "_limit", "_max_waiting", "_queue", "_queue_s", "_timer", "in_flight")

    def __init__(self, limit: Limit, max_waiting: int, queue_s: float, clock: Callable[[], float]) -> None:
        self.in_flight = 0
        self._limit = limit
        self._max_waiting = max_waiting
        self._queue_s = queue_s
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._timer: LazyTimer | None = None

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    @property
    def most(self) -> int:
        """How many may be under way now."""
        return self._limit.most

    def try_enter(self) -> bool:
        """Come in at once, if there is room and nobody waits."""
        if self.in_flight < self._limit.most and not self._queue:
            self.in_flight += 1
            return True
        return False

    async def enter(self, deadline_s: float, leaving: Leaving | None = None) -> None:
        """Wait for room, until the deadline or for as long as the queue allows.

        Raises `UpstreamOverloaded`, and `ClientDisconnected` once `leaving` is over.
        """
        if self.try_enter():
            return
        if len(self._queue) >= self._max_waiting:
            raise UpstreamOverloaded(
                f"{self.in_flight} requests are under way, and {len(self._queue)} wait already"
            )
        loop = asyncio.get_running_loop()
        expires_s = min(deadline_s, self._clock() + self._queue_s)
        waiting = _Waiting(loop.create_future(), expires_s)
        self._queue.append(waiting)
        if self._timer is None:
            self._timer = LazyTimer(loop, self._clock, self._expire)
        self._timer.set(min(expires_s, self._timer.due_s))
        try:
            await until_left(waiting.admitted, leaving)
        except BaseException:
            admitted = waiting.admitted
            if waiting in self._queue:
                self._queue.remove(waiting)
            elif admitted.done() and not admitted.cancelled() and admitted.exception() is None:
                self._free()  # admitted on its way out
            raise

    def leave(self, latency_s: float, *, dropped: bool | None) -> None:
        """One is over; `dropped` is None where nothing is to be learned from it."""
        if dropped is not None:
            self._limit.observe(latency_s, self.in_flight, dropped=dropped)
        self._free()

    def _free(self) -> None:
        self.in_flight -= 1
        while self._queue and self.in_flight < self._limit.most:
            waiting = self._queue.popleft()
            if not waiting.admitted.done():
                self.in_flight += 1
                waiting.admitted.set_result(None)

    def _expire(self) -> None:
        now_s = self._clock()
        still: deque[_Waiting] = deque()
        for waiting in self._queue:
            if waiting.expires_s > now_s:
                still.append(waiting)
            elif not waiting.admitted.done():
                waiting.admitted.set_exception(
                    UpstreamOverloaded(f"none of the {self.in_flight} requests under way was over in time")
                )
        self._queue = still
        if still and self._timer is not None:
            self._timer.set(min(waiting.expires_s for waiting in still))
