"""The latest latencies of an operation, and the percentile after which an attempt is slow."""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Final

_SAMPLES: Final = 200
_MIN_SAMPLES: Final = 20
_MIN_DELAY_S: Final = 0.001


class Latencies:
    """Of the last 200 answers; as in the SDKs, which hedge by the same rule."""

    __slots__ = ("_delay_s", "_fresh", "_percentile", "_samples")

    def __init__(self, percentile: float) -> None:
        self._percentile = percentile
        self._samples: deque[float] = deque(maxlen=_SAMPLES)
        self._fresh = 0
        self._delay_s: float | None = None

    def record(self, latency_s: float) -> None:
        self._samples.append(latency_s)
        self._fresh += 1

    def delay_s(self) -> float | None:
        """Seconds after which an attempt is slow (nearest rank); None while fewer than 20 are known.

        Sorting is what costs: a tenth of the samples has to be new before it is done again.
        """
        known = len(self._samples)
        if known < _MIN_SAMPLES:
            return None
        if self._delay_s is None or self._fresh * 10 >= known:
            rank = ceil(self._percentile * known) - 1
            self._delay_s = max(sorted(self._samples)[rank], _MIN_DELAY_S)
            self._fresh = 0
        return self._delay_s
