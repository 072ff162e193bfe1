"""The life of one call, without I/O: attempts and waits, decided here and carried out by a driver."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ._breaker import Breaker
from ._call import Operation
from ._errors import (
    BreakerOpenError,
    CallTimeoutError,
    ConnectionFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    DhatuError,
    error_class,
)
from ._problem import read_problem
from ._retry import Backoff, RetryPolicy, may_repeat, retry_after_s
from ._wire import Answer, Failure, Outcome, Request, Send, Sleep

Flow: TypeAlias = Generator[Send | Sleep, Outcome | None, Answer]
"""Yields what to do, is sent the outcome of a `Send` and None after a `Sleep`, and returns a success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, encoded."""

    operation: Operation[Any, Any]
    request: Request
    timeout_s: float
    """For everything: attempts, waits, and the answer unless it is streamed."""
    header_prefix: str
    keep_open: Callable[[int, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """How a call is carried; time and chance are given, never taken."""

    retry: RetryPolicy
    breaker: Breaker
    now_s: Callable[[], float]
    """Monotonic."""
    wall_s: Callable[[], float]
    """Seconds since 1970, for Retry-After dates alone."""
    random: Callable[[], float]
    """From 0 to 1, exclusive."""


def call_flow(call: Call, policies: Policies) -> Flow:
    """Attempt, wait and attempt again, until an answer is a success.

    Raises the error of the last attempt; closing the flow early, as cancellation does, counts for nothing.
    """
    deadline_s = policies.now_s() + call.timeout_s
    backoff: Backoff | None = None
    error: DhatuError | None = None
    attempt = 1
    while True:
        ticket = policies.breaker.admit()
        if ticket is None:
            raise error or BreakerOpenError(
                call.operation.key, retry_after_s=policies.breaker.retry_after_s()
            )
        failed: bool | None = None
        try:
            outcome = yield _attempt(call, attempt, deadline_s - policies.now_s())
            assert outcome is not None, "a driver answers Send with an outcome"
            failed = _speaks_of_failure(outcome)
        finally:
            policies.breaker.settle(ticket, failed=failed)
        if isinstance(outcome, Answer) and outcome.status < 300:
            return outcome
        asked_s = retry_after_s(outcome.headers, policies.wall_s()) if isinstance(outcome, Answer) else None
        error = _error(call, outcome, attempt, asked_s)
        body = call.request.body
        repeatable = body is None or body.repeatable
        if not may_repeat(outcome, call.operation.retry, body_repeatable=repeatable):
            raise error
        backoff = backoff or Backoff(policies.retry, policies.random)
        delay_s = backoff.delay_s(asked_s)
        if delay_s is None or delay_s < policies.breaker.retry_after_s():
            raise error
        if policies.now_s() + delay_s >= deadline_s:
            raise error
        yield Sleep(delay_s=delay_s)
        attempt += 1


def _attempt(call: Call, attempt: int, time_left_s: float) -> Send:
    headers: dict[str, str] = {}
    if call.header_prefix:
        headers[call.header_prefix + "attempt"] = str(attempt)
    if call.header_prefix and not call.request.open_ended:
        headers[call.header_prefix + "timeout-ms"] = str(max(1, math.floor(time_left_s * 1000)))
    return Send(
        request=call.request,
        headers=tuple(headers.items()),
        time_left_s=time_left_s,
        idle_s=call.timeout_s,
        keep_open=call.keep_open,
    )


def _speaks_of_failure(outcome: Outcome) -> bool | None:
    """Whether the server failed; None where the outcome says nothing about its health."""
    if isinstance(outcome, Failure):
        return None if outcome.kind == "pool_timeout" else True
    if outcome.status >= 500:
        return True
    return False if outcome.status < 400 else None


def _error(call: Call, outcome: Outcome, attempts: int, asked_s: float | None) -> DhatuError:
    key = call.operation.key
    if isinstance(outcome, Answer):
        return error_class(outcome.status)(
            operation=key,
            status=outcome.status,
            problem=read_problem(outcome.status, outcome.content),
            request_id=outcome.request_id,
            retry_after_s=asked_s,
            attempts=attempts,
            headers=outcome.headers,
        )
    return failure_error(outcome, key, call.timeout_s, attempts)


def failure_error(failure: Failure, operation: str, timeout_s: float, attempts: int = 1) -> DhatuError:
    """The error to raise for a failure of the transport, its cause attached."""
    reason = str(failure.cause) or type(failure.cause).__name__
    match failure.kind:
        case "connect":
            error: DhatuError = ConnectionFailedError(
                f"could not connect: {reason}; check base_url and the network",
                operation=operation,
                attempts=attempts,
            )
        case "connect_timeout":
            error = ConnectTimeoutError(
                "could not connect in time; check base_url and the network",
                operation=operation,
                attempts=attempts,
            )
        case "pool_timeout":
            error = ConnectTimeoutError(
                "no connection became free in time; close streams, or allow more connections",
                operation=operation,
                attempts=attempts,
            )
        case "timeout":
            error = CallTimeoutError(
                f"no complete answer within {timeout_s:g} s; give a larger timeout_s if that is expected",
                operation=operation,
                attempts=attempts,
            )
        case "lost":
            error = ConnectionLostError(
                f"the connection broke: {reason}", operation=operation, attempts=attempts
            )
    error.__cause__ = failure.cause
    return error
