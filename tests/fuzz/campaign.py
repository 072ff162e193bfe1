"""Runs a property on made-up examples, batch after batch, until enough requests have been sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

T = TypeVar("T")

BATCH = 400
"""Hypothesis remembers what it has tried; a new batch forgets."""
_QUICK_TO_GIVE_UP = settings(
    database=None,
    deadline=None,
    derandomize=False,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


class Found(Exception):
    """A request that does what it must not; the message has the shortest one."""


@dataclass(slots=True)
class Progress:
    """How far it is, told every few seconds."""

    label: str
    total: int
    sent: int = 0
    interval_s: float = 5.0
    started_at_s: float = 0.0
    _told_at_s: float = 0.0

    def start(self) -> None:
        self.started_at_s = self._told_at_s = time.monotonic()

    def count(self, requests: int) -> None:
        self.sent += requests
        now_s = time.monotonic()
        if now_s - self._told_at_s >= self.interval_s:
            self._told_at_s = now_s
            self.tell()

    def tell(self) -> None:
        rate = self.sent / max(1e-9, time.monotonic() - self.started_at_s)
        print(f"  {self.label}: {self.sent:,} of {self.total:,} requests, {rate:,.0f}/s", flush=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property(Generic[T]):
    """What must hold for every example."""

    examples: st.SearchStrategy[T]
    hold: Callable[[T], Iterator[int]]
    """Sends an example, and says how many requests have been sent as they are; raises where one does harm."""
    show: Callable[[T], str]
    """How to send again what was sent last of an example."""
    each: int = 1
    """Requests that an example has, more or less."""


def campaign(tried: Property[T], requests: int, seed: int, progress: Progress) -> None:
    """Try examples until `requests` have been sent; raises `Found` with the shortest that fails."""
    goal = progress.sent + requests
    before = -1
    while before < progress.sent < goal:  # it ends early where there is nothing to try
        before = progress.sent
        _batch(tried, min(BATCH, (goal - progress.sent) // tried.each + 1), seed, progress)
        seed += 1


def _batch(tried: Property[T], size: int, seed: int, progress: Progress) -> None:
    failed: list[tuple[T, str]] = []

    @hypothesis.seed(seed)
    @settings(_QUICK_TO_GIVE_UP, max_examples=size)
    @given(tried.examples)
    def holds(example: T) -> None:
        try:
            for sent in tried.hold(example):
                progress.count(sent)
        except Exception as error:
            failed[:] = [(example, str(error))]
            raise

    try:
        holds()
    except Unsatisfiable:
        return
    except Exception as error:
        if not failed:
            raise
        example, why = failed[0]
        shown = f"seed {seed}; the shortest request that does it:\n{tried.show(example)}"
        raise Found(f"{why}\n\n{shown}") from error
