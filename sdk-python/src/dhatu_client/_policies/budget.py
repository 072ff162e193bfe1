"""The retry budget: what repeating may add to the load, so that callers do not make an outage worse."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """What retries and hedges may cost, all together."""

    per_call: float = 0.1
    """Tokens that each call pays in, from 0 to 1; a retry or a hedge takes one."""
    per_s: float = 0.1
    """Tokens that come with time, so that a client which calls rarely can still retry."""
    reserve: float = 10.0
    """Tokens at the start, and the most that are kept (gRPC proposal A6 keeps 10)."""


class RetryBudget:
    """A bucket of tokens, shared by all calls of a client.

    Over any stretch of `n` calls in `t` seconds at most `reserve + per_call * n + per_s * t` attempts are
    added: in an outage, 1,000 calls in ten seconds make at most 1,111 attempts. A token is taken when a retry
    is queued, not when it is sent (envoy#30205): what waits would otherwise come all at once.
    """

    def __init__(self, policy: BudgetPolicy, now_s: Callable[[], float]) -> None:
        self._policy = policy
        self._now_s = now_s
        self._lock = threading.Lock()
        self._tokens = policy.reserve
        self._at_s = now_s()

    def deposit(self) -> None:
        """A call begins."""
        with self._lock:
            self._tokens = min(self._tokens + self._policy.per_call, self._policy.reserve)

    def withdraw(self) -> bool:
        """Take a token for one more attempt; False where none is left."""
        with self._lock:
            now_s = self._now_s()
            grown = self._tokens + (now_s - self._at_s) * self._policy.per_s
            self._tokens = min(grown, self._policy.reserve)
            self._at_s = now_s
            # Ten tenths are not quite 1 in binary.
            if self._tokens < 1 - 1e-9:
                return False
            self._tokens -= 1
            return True
