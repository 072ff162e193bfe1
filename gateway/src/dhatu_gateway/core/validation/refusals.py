"""What is said of a message that does not fit: to its caller, or to the log and the metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import Route

MAX_ERRORS = 32
QUIET_S = 1.0
"""After a line in the log, further findings of the same route are only counted for so long."""

Outcome: TypeAlias = Literal["refused", "logged", "skipped", "stripped"]
"""Of a message that was looked at and not found in order; skipped: it was too large, or encoded."""
Message: TypeAlias = Literal["request", "answer"]

Watch: TypeAlias = Callable[[Exchange, ProblemError], None]
"""Takes note of what is wrong with a request that goes on all the same."""

_logger = logging.getLogger("dhatu.validation")


class Findings(Protocol):
    """Counts what validation finds."""

    def find(self, operation: str, message: Message, outcome: Outcome, /) -> None: ...


def refusal(errors: Sequence[FieldError]) -> ProblemError:
    """Refuse a request for all of its errors at once."""
    count = "1 part of the request was" if len(errors) == 1 else f"{len(errors)} parts of the request were"
    return ProblemError("invalid-request", f"{count} refused; see errors.", errors=errors[:MAX_ERRORS])


def build_watch(route: Route, findings: Findings) -> Watch:
    """Count what would have been refused, and log it."""
    log = RouteLog(route.operation)

    def watch(exchange: Exchange, error: ProblemError) -> None:
        findings.find(route.operation, "request", "logged")
        log.write(exchange, "would be refused", error.problem.errors or error.problem.detail)

    return watch


class RouteLog:
    """Writes what is wrong with the messages of one route, without their values, and not too often."""

    __slots__ = ("_operation", "_silent_until_s", "_unsaid")

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._silent_until_s = float("-inf")
        self._unsaid = 0

    def write(self, exchange: Exchange, what: str, errors: Sequence[FieldError] | str) -> None:
        now_s = exchange.started_at_s
        if now_s < self._silent_until_s:
            self._unsaid += 1
            return
        # Names come from the other side and are escaped: they shall not write lines of their own.
        told = (
            errors
            if isinstance(errors, str)
            else "; ".join(f"{e.location} {ascii(e.name)[1:-1]}: {e.detail}" for e in errors)
        )
        more = f" ({self._unsaid} more like it since the last line)" if self._unsaid else ""
        _logger.warning("%s: %s: %s: %s%s", exchange.request_id, self._operation, what, told, more)
        self._unsaid = 0
        self._silent_until_s = now_s + QUIET_S


def pointer_token(part: str | int) -> str:
    """Write one step of a JSON Pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
