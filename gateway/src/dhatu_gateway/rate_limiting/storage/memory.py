"""Buckets in the memory of one process."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TypeAlias

from dhatu_gateway.rate_limiting.algorithms import FULL, BucketLimit, BucketState, TokenBucket
from dhatu_gateway.rate_limiting.decision import Decision

Take: TypeAlias = Callable[[str, int], Decision]
"""Draws one token from a caller's bucket at a time in microseconds."""

MAX_BUCKETS = 65_536
"""Per limit. A bucket takes some 300 bytes."""


class MemoryStorage:
    """Makes limiters that share nothing with other processes."""

    def __init__(self, *, max_buckets: int = MAX_BUCKETS) -> None:
        self._max_buckets = max_buckets

    def limiter(self, limit: BucketLimit) -> Take:
        """A table of buckets of one kind, made at boot for each route."""
        buckets: dict[str, BucketState] = {}
        step, max_buckets = TokenBucket.step, self._max_buckets

        def take(key: str, now_us: int) -> Decision:
            state = buckets.get(key)
            if state is None:
                if len(buckets) >= max_buckets:
                    _make_room(buckets, now_us, limit)
                state = FULL
            buckets[key], decision = step(state, now_us, 1, limit)
            return decision

        return take


def _make_room(buckets: dict[str, BucketState], now_us: int, limit: BucketLimit) -> None:
    """Drop every bucket that is full again, then the oldest until an eighth of the table is free.

    The sweep is paid for by the eighth of new callers that it makes room for. A caller whose bucket is
    dropped early gets a fresh burst: it takes more callers than the table holds, within one window, to get
    there.
    """
    kept = len(buckets) - max(1, len(buckets) // 8)
    paid_off = [key for key, (debt, at_us) in buckets.items() if debt <= (now_us - at_us) * limit.rate_units]
    for key in paid_off:
        del buckets[key]
    for key in list(islice(buckets, max(0, len(buckets) - kept))):
        del buckets[key]
