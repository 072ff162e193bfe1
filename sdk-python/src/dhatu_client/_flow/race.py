"""A race of two attempts: the second starts when the first is slow, and the first decisive outcome counts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from .._wire import (
    Answer,
    AnswerReader,
    AsyncAnswerReader,
    AsyncTransport,
    Outcome,
    Race,
    Raced,
    Send,
    Transport,
)

if TYPE_CHECKING:
    import anyio
    from anyio.abc import TaskGroup


async def race_async(race: Race, transport: AsyncTransport) -> Raced:
    """Run both, and cancel the one that is still under way when the other has decided.

    Raises what the first attempt to fail otherwise raised, such as an error of the caller's own body.
    """
    import anyio

    group = anyio.create_task_group()
    run = _AsyncRun(race, transport, group)
    async with group:
        run.start(0, race.first)
        with anyio.move_on_after(race.after_s):
            await run.news()
        if run.under_way and (second := race.second()) is not None:
            run.start(1, second)
        while run.under_way and not run.decided():
            await run.news()
        group.cancel_scope.cancel()
    return await run.result()


class _AsyncRun:
    def __init__(self, race: Race, transport: AsyncTransport, group: TaskGroup) -> None:
        self._race = race
        self._transport = transport
        self._group = group
        self._changed: anyio.Event | None = None
        self._outcomes: list[Outcome | None] = [None, None]
        self._error: Exception | None = None
        self.under_way = 0

    def start(self, number: int, step: Send) -> None:
        self.under_way += 1
        self._group.start_soon(self._attempt, number, step)

    async def _attempt(self, number: int, step: Send) -> None:
        try:
            self._outcomes[number] = await self._transport.send(step)
        except Exception as error:  # it belongs to the caller, and not in a group of exceptions
            self._error = self._error or error
        self.under_way -= 1
        if self._changed is not None:
            self._changed.set()

    async def news(self) -> None:
        import anyio

        self._changed = anyio.Event()
        await self._changed.wait()

    def decided(self) -> bool:
        return self._error is not None or any(
            outcome is not None and self._race.decisive(outcome) for outcome in self._outcomes
        )

    async def result(self) -> Raced:
        first, second = self._outcomes
        if second is not None and (self._error or (first is not None and self._race.decisive(first))):
            await _adiscard(second)
        if self._error is not None:
            raise self._error
        return Raced(first, second)


def race(race: Race, transport: Transport) -> Raced:
    """Run both in threads of their own; return as soon as one has decided.

    A blocking attempt cannot be cancelled: it runs to its end, and what it brings is thrown away.
    """
    run = _Run(race, transport)
    run.start(0, race.first)
    if not run.wait(race.after_s):
        second = race.second()
        if second is not None:
            run.start(1, second)
        run.wait(None)
    return run.result()


class _Run:
    def __init__(self, race: Race, transport: Transport) -> None:
        self._race = race
        self._transport = transport
        self._changed = threading.Condition()
        self._outcomes: list[Outcome | None] = [None, None]
        self._under_way = 0
        self._over = False
        self._error: BaseException | None = None

    def start(self, number: int, step: Send) -> None:
        with self._changed:
            self._under_way += 1
        threading.Thread(target=self._attempt, args=(number, step), daemon=True).start()

    def _attempt(self, number: int, step: Send) -> None:
        outcome: Outcome | None = None
        error: BaseException | None = None
        try:
            outcome = self._transport.send(step)
        except BaseException as raised:  # it belongs to the thread that waits
            error = raised
        with self._changed:
            late, self._under_way = self._over, self._under_way - 1
            if not late:
                self._outcomes[number] = outcome
                self._error = self._error or error
            self._changed.notify_all()
        if late:
            _discard(outcome)

    def wait(self, time_s: float | None) -> bool:
        """Whether it was decided, or nothing is under way any more, in that time."""
        with self._changed:
            return self._changed.wait_for(self._ended, time_s)

    def _ended(self) -> bool:
        return (
            self._error is not None
            or not self._under_way
            or any(outcome is not None and self._race.decisive(outcome) for outcome in self._outcomes)
        )

    def result(self) -> Raced:
        with self._changed:
            self._over = True
            first, second = self._outcomes
        if second is not None and (self._error or (first is not None and self._race.decisive(first))):
            _discard(second)
        if self._error is not None:
            raise self._error
        return Raced(first, second)


def _discard(outcome: Outcome | None) -> None:
    """Free the connection of an answer that came second."""
    if isinstance(outcome, Answer) and outcome.reader is not None:
        cast("AnswerReader", outcome.reader).close()


async def _adiscard(outcome: Outcome) -> None:
    if isinstance(outcome, Answer) and outcome.reader is not None:
        await cast("AsyncAnswerReader", outcome.reader).aclose()
