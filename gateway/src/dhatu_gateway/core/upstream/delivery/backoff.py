"""Whether an attempt that failed may be repeated, and after how long: pure functions of what happened."""

from __future__ import annotations

from typing import Final

from dhatu_gateway.core.upstream.errors import (
    UpstreamClosed,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dhatu_gateway.core.upstream.types import Headers

REPEATABLE_STATUSES: Final = frozenset({502, 503, 504})
BASE_S: Final = 0.025
CAP_S: Final = 0.25
RETRY_AFTER_CAP_S: Final = 1.0
"""A service that asks for a longer wait is not asked again: what it says is the caller's to wait."""


def may_repeat(error: UpstreamError) -> bool:
    """Whether another attempt could help: nobody was there, or the connection ended before an answer.

    A malformed answer would come again, a queue that is full would grow, and after the caller's deadline
    there is nobody to answer.
    """
    match error:
        case UpstreamOverloaded():
            return False
        case UpstreamTimeout():
            return error.phase in ("connect", "first_byte")
        case _:
            return isinstance(error, (UpstreamUnavailable, UpstreamClosed))


def delay_s(retry: int, chance: float) -> float:
    """Seconds before retry `retry` (1 = first): `chance * min(0.25, 0.025 * 2**(retry - 1))`, full jitter.

    >>> [delay_s(retry, 1.0) for retry in (1, 2, 3, 9)]
    [0.025, 0.05, 0.1, 0.25]
    """
    longest: float = min(CAP_S, BASE_S * 2.0 ** (retry - 1))
    return chance * longest


def asked_s(headers: Headers) -> float:
    """Seconds that `Retry-After` asks to wait; more than any cap where it holds a date or cannot be read.

    >>> asked_s([(b"retry-after", b"1")]), asked_s([])
    (1.0, 0.0)
    """
    for name, value in headers:
        if name == b"retry-after":
            return float(value) if value.isdigit() and len(value) < 10 else float("inf")
    return 0.0
