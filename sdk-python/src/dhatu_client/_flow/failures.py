"""Failures and refusals as the errors that a caller meets."""

from __future__ import annotations

from .._errors import (
    CallTimeoutError,
    ConnectionFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    DhatuError,
    error_class,
)
from .._problem import read_problem
from .._wire import Answer, Failure


def failure_error(
    failure: Failure, operation: str, timeout_s: float, attempts: int = 1, *, overdue: bool = False
) -> DhatuError:
    """The error to raise, its cause attached; `overdue` where the time for the whole call ran out.

    A cause that is an error of this package speaks for itself.
    """
    if isinstance(failure.cause, DhatuError):
        return failure.cause
    error = _error(failure, operation, timeout_s, attempts, overdue=overdue)
    error.__cause__ = failure.cause
    return error


def _error(failure: Failure, operation: str, timeout_s: float, attempts: int, *, overdue: bool) -> DhatuError:
    reason = str(failure.cause) or type(failure.cause).__name__
    match failure.kind:
        case "connect":
            return ConnectionFailedError(
                f"could not connect: {reason}; check base_url and the network",
                operation=operation,
                attempts=attempts,
            )
        case "connect_timeout":
            return ConnectTimeoutError(
                "could not connect in time; check base_url and the network",
                operation=operation,
                attempts=attempts,
            )
        case "pool_timeout":
            return ConnectTimeoutError(
                "no connection became free in time; close streams, or allow more connections",
                operation=operation,
                attempts=attempts,
            )
        case "timeout":
            kind = DeadlineExceededError if overdue else CallTimeoutError
            return kind(
                f"no complete answer within {timeout_s:g} s; give a larger timeout_s if that is expected",
                operation=operation,
                attempts=attempts,
            )
        case "lost":
            return ConnectionLostError(
                f"the connection broke: {reason}", operation=operation, attempts=attempts
            )


def refusal_error(answer: Answer, operation: str, asked_s: float | None, attempts: int) -> DhatuError:
    """The error to raise for an answer that is no success; `asked_s` is the wait that it asks for."""
    return error_class(answer.status)(
        operation=operation,
        status=answer.status,
        problem=read_problem(answer.status, answer.content),
        request_id=answer.request_id,
        retry_after_s=asked_s,
        attempts=attempts,
        headers=answer.headers,
    )
