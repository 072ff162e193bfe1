"""The circuit breaker: after several failures in a row, calls are refused here until a trial call succeeds.

pybreaker keeps the state. It holds a lock around what it calls, takes the creation of a coroutine for
success, and reads the wall clock; so nothing runs inside it: it is fed outcomes, and admission is decided
here, on the clock given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pybreaker import CircuitBreaker


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When to stop calling, and for how long."""

    failures: int = 10
    """In a row, at least 1."""
    open_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Admission of one attempt, to be settled once."""

    epoch: int


class Breaker:
    """Closed, open or half open: the state of one base URL, shared by the threads and tasks of a client."""

    def __init__(self, policy: BreakerPolicy, now_s: Callable[[], float]) -> None:
        self._policy = policy
        self._now_s = now_s
        self._lock = threading.Lock()
        self._circuit: CircuitBreaker | None = None  # made by the first failure: importing pybreaker is slow
        self._opened_at_s: float | None = None
        self._trial_under_way = False
        self._epoch = 0  # counts changes of state: an outcome from before the last one says nothing about now

    def admit(self) -> Ticket | None:
        """A ticket for one attempt, or None where calls are refused."""
        with self._lock:
            if self._opened_at_s is None:
                return Ticket(epoch=self._epoch)
            if self._trial_under_way or self._reopens_in_s() > 0:
                return None
            assert self._circuit is not None
            self._circuit.half_open()
            self._trial_under_way = True
            self._epoch += 1
            return Ticket(epoch=self._epoch)

    def settle(self, ticket: Ticket, *, failed: bool | None) -> None:
        """Say how the attempt ended; None where that says nothing of the server, as when the caller left."""
        with self._lock:
            if ticket.epoch != self._epoch:
                return
            if failed:
                self._count_failure()
            elif failed is not None and self._circuit is not None:
                self._circuit.call(_succeed)
                self._opened_at_s = None
            self._trial_under_way = False

    def retry_after_s(self) -> float:
        """Seconds until the next attempt may be admitted."""
        with self._lock:
            return max(0.0, self._reopens_in_s())

    def _reopens_in_s(self) -> float:
        return 0.0 if self._opened_at_s is None else self._opened_at_s + self._policy.open_s - self._now_s()

    def _count_failure(self) -> None:
        import pybreaker

        if self._circuit is None:
            self._circuit = pybreaker.CircuitBreaker(
                fail_max=self._policy.failures, throw_new_error_on_trip=False
            )
        with suppress(_Failed):
            self._circuit.call(_fail)
        if self._circuit.current_state == pybreaker.STATE_OPEN:
            self._opened_at_s = self._now_s()
            self._epoch += 1


class _Failed(Exception):
    pass


def _succeed() -> None:
    pass


def _fail() -> None:
    raise _Failed
