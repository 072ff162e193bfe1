"""Watching calls: an event for each listener, a span for the tracer. Imported where somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Final, TypeVar
from urllib.parse import urlsplit

from .._policies.breaker import BreakerState
from .._wire import Answer, Outcome, without_user
from .events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    CallFinished,
    CallStarted,
    EndpointEjected,
    EndpointRestored,
    Event,
    Hedged,
    Paced,
    RetryScheduled,
)
from .logger import report_failure
from .watch import AttemptSpan, CallSpan, CallWatch, Headers, Listener, Tracer

T = TypeVar("T")

_NUMBERS: Final = count(1)


class Telemetry:
    """The listeners and the tracer of a client.

    What these raise is logged and goes no further: who only watches must not break a call.
    """

    def __init__(
        self, listeners: Sequence[Listener], tracer: Tracer | None, now_s: Callable[[], float]
    ) -> None:
        self._listeners = tuple(listeners)
        self._tracer = tracer
        self.now_s = now_s

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                report_failure(f"a listener failed at {type(event).__name__}; the call goes on")

    def breaker_changed(self, name: str, state: BreakerState) -> None:
        self.tell(BreakerChanged(breaker=_without_user(name), state=state))

    def endpoint_changed(self, event: EndpointEjected | EndpointRestored) -> None:
        self.tell(replace(event, endpoint=_without_user(event.endpoint)))

    def watch(self, operation: str, template: str) -> CallWatch:
        """Begin to watch a call."""
        tracer = self._tracer
        span = _unharmed(lambda: tracer.start_call(operation, template)) if tracer else None
        return WatchedCall(self, operation, span)


class WatchedCall:
    """One call, watched."""

    def __init__(self, telemetry: Telemetry, operation: str, span: CallSpan | None) -> None:
        self._telemetry = telemetry
        self._operation = operation
        self._span = span
        self._call = next(_NUMBERS)
        self._began_s = telemetry.now_s()
        self._attempts: dict[int, tuple[float, AttemptSpan | None]] = {}
        telemetry.tell(CallStarted(call=self._call, operation=operation))

    def attempt_started(self, attempt: int, method: str, url: str) -> Headers:
        shown = _shown(url)
        whole = self._span
        span = _unharmed(lambda: whole.start_attempt(attempt, method, shown)) if whole else None
        self._attempts[attempt] = self._telemetry.now_s(), span
        self._telemetry.tell(
            AttemptStarted(
                call=self._call, operation=self._operation, attempt=attempt, method=method, url=shown
            )
        )
        return (_unharmed(lambda: span.headers) if span else None) or ()

    def attempt_finished(self, attempt: int, outcome: Outcome | None) -> None:
        began_s, span = self._attempts.pop(attempt)
        if span is not None:
            _unharmed(lambda: span.end(outcome))
        answer = outcome if isinstance(outcome, Answer) else None
        self._telemetry.tell(
            AttemptFinished(
                call=self._call,
                operation=self._operation,
                attempt=attempt,
                duration_s=self._telemetry.now_s() - began_s,
                status=answer.status if answer else None,
                failure=_failure(outcome),
                request_id=answer.request_id if answer else "",
            )
        )

    def retry_scheduled(self, attempt: int, delay_s: float) -> None:
        self._telemetry.tell(
            RetryScheduled(call=self._call, operation=self._operation, attempt=attempt, delay_s=delay_s)
        )

    def paced(self, delay_s: float) -> None:
        self._telemetry.tell(Paced(call=self._call, operation=self._operation, delay_s=delay_s))

    def hedged(self, attempt: int, after_s: float) -> None:
        self._telemetry.tell(
            Hedged(call=self._call, operation=self._operation, attempt=attempt, after_s=after_s)
        )

    def finished(self, attempts: int, error: BaseException | None) -> None:
        span = self._span
        if span is not None:
            _unharmed(lambda: span.end(attempts, error))
        self._telemetry.tell(
            CallFinished(
                call=self._call,
                operation=self._operation,
                attempts=attempts,
                duration_s=self._telemetry.now_s() - self._began_s,
                error=_error(error),
            )
        )


def _unharmed(trace: Callable[[], T]) -> T | None:
    """What a tracer returns; None where it fails."""
    try:
        return trace()
    except Exception:
        report_failure("the tracer failed; the call goes on")
        return None


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _without_user(name: str) -> str:
    """The name of a breaker, as `corpus.search at https://api.example.com`, without a user in the address."""
    operation, at, url = name.rpartition(" at ")
    return operation + at + without_user(url)


def _failure(outcome: Outcome | None) -> str:
    if outcome is None:
        return "cancelled"
    return "" if isinstance(outcome, Answer) else outcome.kind


def _error(error: BaseException | None) -> str:
    if error is None:
        return ""
    return type(error).__name__ if isinstance(error, Exception) else "Cancelled"
