"""Hedging: an attempt that takes longer than most gets another beside it, and the first answer counts."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgePolicy:
    """When to send a second attempt: of operations that may be repeated, and within the retry budget."""

    percentile: float = 0.95
    """Of the operation's latest latencies, above 0 and below 1: the wait before the second attempt."""
    min_delay_s: float = 0.001
    min_samples: int = 20
    """Latencies to have seen before the first hedge."""
    samples: int = 200
    """Latencies that count, the latest ones."""


class Latencies:
    """The latest latencies of one operation, and their percentile."""

    def __init__(self, policy: HedgePolicy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._samples: deque[float] = deque(maxlen=policy.samples)
        self._fresh = 0
        self._delay_s: float | None = None

    def record(self, latency_s: float) -> None:
        with self._lock:
            self._samples.append(latency_s)
            self._fresh += 1

    def delay_s(self) -> float | None:
        """Seconds after which an attempt is slow (nearest rank); None while too little is known.

        Sorting is what costs: a tenth of the samples has to be new before it is done again.
        """
        with self._lock:
            known = len(self._samples)
            if known < self._policy.min_samples:
                return None
            if self._delay_s is None or self._fresh * 10 >= known:
                rank = ceil(self._policy.percentile * known) - 1
                self._delay_s = max(sorted(self._samples)[rank], self._policy.min_delay_s)
                self._fresh = 0
            return self._delay_s


class Hedger:
    """The latencies of each operation of a client."""

    def __init__(self, policy: HedgePolicy) -> None:
        self._policy = policy
        self._latencies: dict[str, Latencies] = {}

    def of(self, operation: str) -> Latencies:
        found = self._latencies.get(operation)
        return found or self._latencies.setdefault(operation, Latencies(self._policy))
