"""What is said of a request that does not fit, to its caller or to the log."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import Route

MAX_ERRORS = 32

_logger = logging.getLogger("dhatu.validation")


def refusal(errors: Sequence[FieldError]) -> ProblemError:
    """Refuse a request for all of its errors at once."""
    count = "1 part of the request was" if len(errors) == 1 else f"{len(errors)} parts of the request were"
    return ProblemError("invalid-request", f"{count} refused; see errors.", errors=errors[:MAX_ERRORS])


def log_refusal(route: Route, error: ProblemError) -> None:
    """Note what would have been refused, without the values; names come from the caller and are escaped."""
    parts = "; ".join(f"{e.location} {ascii(e.name)[1:-1]}: {e.detail}" for e in error.problem.errors)
    _logger.warning("%s: would be refused: %s", route.operation, parts or error.problem.detail)


def pointer_token(part: str | int) -> str:
    """Write one step of a JSON Pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
