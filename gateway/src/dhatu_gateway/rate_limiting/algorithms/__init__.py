"""The arithmetic of limits: pure functions of a state, a time and a cost.

Everything is an integer below 2**53, so that Python's integers and the doubles of Lua give the same answer to
the last digit. Each algorithm stands here beside the script of its name in `lua/`, which does the same on the
clock of the server, and states its bound: the most calls that any trailing window can hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms.concurrency import Concurrency
from dhatu_gateway.rate_limiting.algorithms.gcra import Gcra
from dhatu_gateway.rate_limiting.algorithms.interface import Algorithm
from dhatu_gateway.rate_limiting.algorithms.quota import Quota
from dhatu_gateway.rate_limiting.algorithms.sliding_log import SlidingLog
from dhatu_gateway.rate_limiting.algorithms.sliding_window import SlidingWindow
from dhatu_gateway.rate_limiting.algorithms.token_bucket import TokenBucket

ALGORITHMS: Mapping[str, Callable[[RateLimit], Algorithm]] = {
    "token_bucket": TokenBucket.of,
    "gcra": Gcra.of,
    "sliding_log": SlidingLog.of,
    "sliding_window": SlidingWindow.of,
    "quota": Quota.of,
    "concurrency": Concurrency.of,
}


def algorithm(limit: RateLimit) -> Algorithm:
    """Convert a policy; raises `ValueError` where it cannot be counted exactly or never allows a call."""
    return ALGORITHMS[limit.algorithm](limit)
