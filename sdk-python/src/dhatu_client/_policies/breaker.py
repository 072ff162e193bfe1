"""The circuit breaker: where too much fails, calls are refused here until trial calls succeed.

One breaker stands before each endpoint and one before each operation of an endpoint, so that an operation
that fails does not close the way to the others. pybreaker keeps the state. It holds a lock around what it
calls, takes the creation of a coroutine for success, and reads the wall clock; so nothing runs inside it: it
is fed outcomes, and admission is decided here, on the clock given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from .._wire import Answer, Outcome

if TYPE_CHECKING:
    from pybreaker import CircuitBreaker

BreakerState: TypeAlias = Literal["open", "half_open", "closed"]
Changed: TypeAlias = Callable[[str, BreakerState], None]
"""Told the name of a breaker and its new state."""

_SLICES = 10
_SPEAKS_OF_ENDPOINT = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When to stop calling, and for how long."""

    failures: int = 10
    """In a row, at least 1."""
    failure_rate: float = 0.5
    """Share of the calls in the window that may fail, above 0; 1 leaves only the count in a row."""
    window_s: float = 10.0
    min_calls: int = 20
    """In the window, before its rate counts."""
    open_s: float = 5.0
    half_open_calls: int = 3
    """Trials that may be under way at once, and successes that close the breaker."""


class Breaker:
    """Closed, open or half open, shared by the threads and tasks of a client."""

    def __init__(
        self, policy: BreakerPolicy, now_s: Callable[[], float], changed: Callable[[BreakerState], None]
    ) -> None:
        self._policy = policy
        self._now_s = now_s
        self._changed = changed
        self._lock = threading.Lock()
        self._window = _Window(policy.window_s)
        self._circuit: CircuitBreaker | None = None  # made by the first failure: importing pybreaker is slow
        self._opened_at_s: float | None = None
        self._trials = 0
        self._epoch = 0  # counts changes of state: an outcome from before the last one says nothing about now

    def admit(self) -> int | None:
        """A ticket for one attempt, to be settled once; None where calls are refused."""
        changed = False
        with self._lock:
            if self._opened_at_s is not None:
                if self._trials >= self._policy.half_open_calls or self._reopens_in_s() > 0:
                    return None
                changed = self._half_open()
                self._trials += 1
            ticket = self._epoch
        if changed:
            self._changed("half_open")
        return ticket

    def settle(self, ticket: int, *, failed: bool | None) -> None:
        """Tell how an attempt ended; None where that says nothing of the server, as when the caller left."""
        changed = False
        with self._lock:
            if ticket != self._epoch:
                return
            if self._opened_at_s is not None:
                self._trials -= 1
            if failed is None:
                return
            if self._opened_at_s is None:
                self._window.count(self._now_s(), failed=failed)
            if failed:
                changed = self._opens_at_failure()
            elif self._circuit is not None:
                changed = self._closes_at_success(self._circuit)
        if changed:  # outside the lock: who listens may make a call
            self._changed("open" if failed else "closed")

    def refuses_for_s(self) -> float:
        """Seconds until the next attempt may be admitted; 0 where it would be now."""
        with self._lock:
            if self._opened_at_s is not None and self._trials >= self._policy.half_open_calls:
                return self._policy.open_s
            return max(0.0, self._reopens_in_s())

    def _reopens_in_s(self) -> float:
        return 0.0 if self._opened_at_s is None else self._opened_at_s + self._policy.open_s - self._now_s()

    def _half_open(self) -> bool:
        import pybreaker

        assert self._circuit is not None, "only a circuit opens"
        if self._circuit.current_state != pybreaker.STATE_OPEN:
            return False
        self._circuit.half_open()
        self._epoch += 1
        self._trials = 0
        return True

    def _opens_at_failure(self) -> bool:
        import pybreaker

        if self._circuit is None:
            self._circuit = pybreaker.CircuitBreaker(
                fail_max=self._policy.failures,
                success_threshold=self._policy.half_open_calls,
                throw_new_error_on_trip=False,
            )
        with suppress(_Failed):
            self._circuit.call(_fail)
        if (
            self._opened_at_s is None
            and self._window.rate(self._now_s(), self._policy) > self._policy.failure_rate
        ):
            self._circuit.open()
        if self._circuit.current_state != pybreaker.STATE_OPEN:
            return False
        self._opened_at_s = self._now_s()
        self._trials = 0
        self._epoch += 1
        return True

    def _closes_at_success(self, circuit: CircuitBreaker) -> bool:
        import pybreaker

        circuit.call(_succeed)
        if self._opened_at_s is None or circuit.current_state != pybreaker.STATE_CLOSED:
            return False
        self._opened_at_s = None
        self._trials = 0
        self._epoch += 1
        self._window.clear()
        return True


class _Window:
    """How many of the latest calls failed, in slices of a tenth of the window."""

    __slots__ = ("_slice_s", "_slices")

    def __init__(self, window_s: float) -> None:
        self._slice_s = window_s / _SLICES
        self._slices: dict[int, tuple[int, int]] = {}

    def count(self, now_s: float, *, failed: bool) -> None:
        number = int(now_s / self._slice_s)
        calls, failures = self._slices.get(number, (0, 0))
        self._slices[number] = (calls + 1, failures + failed)
        if len(self._slices) > 2 * _SLICES:
            self._forget(number)

    def rate(self, now_s: float, policy: BreakerPolicy) -> float:
        """Share of failures, from 0 to 1; 0 while there are too few calls to tell."""
        self._forget(int(now_s / self._slice_s))
        calls = sum(calls for calls, _ in self._slices.values())
        failures = sum(failures for _, failures in self._slices.values())
        return failures / calls if calls >= policy.min_calls else 0.0

    def clear(self) -> None:
        self._slices.clear()

    def _forget(self, number: int) -> None:
        self._slices = {key: counts for key, counts in self._slices.items() if key > number - _SLICES}


class Tickets(NamedTuple):
    """Admission of one attempt by both breakers on its way."""

    endpoint: int
    operation: int
    url: str
    key: str


class Breakers:
    """The breakers of a client: by endpoint, and by endpoint and operation; made when first asked for."""

    def __init__(self, policy: BreakerPolicy, now_s: Callable[[], float], changed: Changed) -> None:
        self._policy = policy
        self._now_s = now_s
        self._changed = changed
        self._breakers: dict[tuple[str, str], Breaker] = {}

    def admit(self, url: str, operation: str) -> Tickets | None:
        """Leave to send one attempt, to be settled once; None where either breaker refuses."""
        of_endpoint = self._of(url, "")
        endpoint = of_endpoint.admit()
        if endpoint is None:
            return None
        of_operation = self._of(url, operation).admit()
        if of_operation is None:
            of_endpoint.settle(endpoint, failed=None)
            return None
        return Tickets(endpoint, of_operation, url, operation)

    def settle(self, tickets: Tickets, outcome: Outcome | None) -> None:
        """Tell how the attempt ended; None where it was given up."""
        self._of(tickets.url, "").settle(tickets.endpoint, failed=endpoint_failed(outcome))
        self._of(tickets.url, tickets.key).settle(tickets.operation, failed=operation_failed(outcome))

    def refuses_for_s(self, url: str, operation: str) -> float:
        """Seconds until the next attempt may be admitted; 0 where it would be now."""
        return max(self._of(url, "").refuses_for_s(), self._of(url, operation).refuses_for_s())

    def keep(self, urls: Collection[str]) -> None:
        """Forget those of endpoints that are gone; an attempt still under way there says nothing any more."""
        kept = frozenset(urls)
        for key in [key for key in self._breakers if key[0] not in kept]:
            self._breakers.pop(key, None)

    def _of(self, url: str, operation: str) -> Breaker:
        breaker = self._breakers.get((url, operation))
        if breaker is None:
            name = f"{operation} at {url}" if operation else url
            made = Breaker(self._policy, self._now_s, lambda state: self._changed(name, state))
            breaker = self._breakers.setdefault((url, operation), made)
        return breaker


def operation_failed(outcome: Outcome | None) -> bool | None:
    """Whether the server failed at what was asked; None where the outcome says nothing of that."""
    if not isinstance(outcome, Answer):
        return None if outcome is None or outcome.kind == "pool_timeout" else True
    if outcome.status >= 500:
        return True
    return False if outcome.status < 400 else None


def endpoint_failed(outcome: Outcome | None) -> bool | None:
    """Whether the endpoint as a whole is in trouble: no answer, or one that says that nobody could give one.

    Any other answer shows that it is alive, though it may fail at the operation.
    """
    if not isinstance(outcome, Answer):
        return operation_failed(outcome)
    return outcome.status in _SPEAKS_OF_ENDPOINT


class _Failed(Exception):
    pass


def _succeed() -> None:
    pass


def _fail() -> None:
    raise _Failed
