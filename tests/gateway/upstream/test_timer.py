"""The timer, on a loop and a clock of its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, cast

from dhatu_gateway.core.upstream.timer import LazyTimer


class FakeHandle:
    def __init__(self, due_s: float, callback: Callable[[], Any]) -> None:
        self.due_s = due_s
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """As much of an event loop as a timer needs; time passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.handles: list[FakeHandle] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay_s: float, callback: Callable[[], Any]) -> FakeHandle:
        handle = FakeHandle(self.now_s + delay_s, callback)
        self.handles.append(handle)
        return handle

    def pass_to(self, now_s: float) -> None:
        while due := [h for h in self.handles if not h.cancelled and h.due_s <= now_s]:
            handle = min(due, key=lambda handle: handle.due_s)
            self.handles.remove(handle)
            self.now_s = max(self.now_s, handle.due_s)
            handle.callback()
        self.now_s = now_s

    def pending(self) -> int:
        return sum(not handle.cancelled for handle in self.handles)


def timer_on(loop: FakeLoop, fired: list[float]) -> LazyTimer:
    # The fake has the one method that the timer calls.
    return LazyTimer(cast(asyncio.AbstractEventLoop, loop), loop.time, lambda: fired.append(loop.now_s))


def test_it_fires_once_when_it_is_due() -> None:
    loop, fired = FakeLoop(), list[float]()
    timer_on(loop, fired).set(105)
    loop.pass_to(104.9)
    assert fired == []
    loop.pass_to(200)
    assert fired == [105]
    assert loop.pending() == 0


def test_moving_it_later_leaves_the_loop_alone() -> None:
    loop, fired = FakeLoop(), list[float]()
    timer = timer_on(loop, fired)
    for due_s in range(105, 1105):
        timer.set(due_s)
    assert len(loop.handles) == 1
    loop.pass_to(2000)
    assert fired == [1104]


def test_moving_it_earlier_takes_effect() -> None:
    loop, fired = FakeLoop(), list[float]()
    timer = timer_on(loop, fired)
    timer.set(200)
    timer.set(105)
    assert loop.pending() == 1
    loop.pass_to(300)
    assert fired == [105]


def test_it_can_be_set_again_after_it_has_fired_or_was_put_off_for_ever() -> None:
    loop, fired = FakeLoop(), list[float]()
    timer = timer_on(loop, fired)
    timer.set(105)
    loop.pass_to(110)
    timer.set(120)
    timer.set(math.inf)
    loop.pass_to(130)
    timer.set(140)
    loop.pass_to(150)
    assert fired == [105, 140]


def test_closed_it_leaves_nothing_in_the_loop() -> None:
    loop, fired = FakeLoop(), list[float]()
    timer = timer_on(loop, fired)
    timer.set(105)
    timer.close()
    assert loop.pending() == 0
    timer.set(106)  # as a connection might that learns of its end later
    loop.pass_to(200)
    assert fired == [106]


def test_a_loop_that_fires_a_little_early_is_asked_again() -> None:
    loop, fired = FakeLoop(), list[float]()
    clock_s = 0.0
    timer = LazyTimer(cast(asyncio.AbstractEventLoop, loop), lambda: clock_s, lambda: fired.append(clock_s))
    timer.set(1.0)
    clock_s = 0.9995
    loop.pass_to(101)
    assert fired == []
    clock_s = 1.0005
    loop.pass_to(102)
    assert fired == [1.0005]
