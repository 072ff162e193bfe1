"""How far an input can be compressed, measured piece by piece."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from math import log2
from time import perf_counter
from typing import Final, final

from .encoders import ALGORITHMS, DEFAULT_LEVELS, Algorithm, new_encoder

_INLINE_BYTES: Final = 4096
"""Pieces up to this size are measured faster than a thread would start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one algorithm makes of the input."""

    algorithm: Algorithm
    level: int
    compressed_bytes: int
    ratio: float
    elapsed_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """All measurements; the smallest estimate first."""

    bytes: int
    distinct_bytes: int
    entropy_bits_per_byte: float
    recommended: Algorithm
    estimates: tuple[Estimate, ...]


@final
class Measurement:
    """Takes the input piece by piece, so that its size does not matter."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._trials = tuple(_Trial(algorithm) for algorithm in ALGORITHMS)

    async def add(self, data: bytes) -> None:
        if len(data) <= _INLINE_BYTES:
            self._counts.update(data)
            for trial in self._trials:
                trial.encode(data)
        else:
            await asyncio.gather(
                asyncio.to_thread(self._counts.update, data),
                *(asyncio.to_thread(trial.encode, data) for trial in self._trials),
            )

    async def finish(self) -> Analysis:
        await asyncio.gather(*(asyncio.to_thread(trial.finish) for trial in self._trials))
        size_bytes = self._counts.total()
        estimates = sorted(
            (trial.estimate(size_bytes) for trial in self._trials),
            key=lambda estimate: estimate.compressed_bytes,
        )
        return Analysis(
            bytes=size_bytes,
            distinct_bytes=len(self._counts),
            entropy_bits_per_byte=round(_entropy_bits(self._counts), 4),
            recommended=estimates[0].algorithm,
            estimates=tuple(estimates),
        )


def ratio(original_bytes: int, compressed_bytes: int) -> float:
    """Above 1 where compression gained something, to three places.

    >>> ratio(51, 36)
    1.417
    """
    return round(original_bytes / compressed_bytes, 3)


@final
class _Trial:
    def __init__(self, algorithm: Algorithm) -> None:
        self._algorithm: Algorithm = algorithm
        self._level = DEFAULT_LEVELS[algorithm]
        self._encoder = new_encoder(algorithm, self._level)
        self._compressed_bytes = 0
        self._elapsed_s = 0.0

    def encode(self, data: bytes) -> None:
        started_s = perf_counter()
        self._compressed_bytes += len(self._encoder.encode(data))
        self._elapsed_s += perf_counter() - started_s

    def finish(self) -> None:
        started_s = perf_counter()
        self._compressed_bytes += len(self._encoder.finish())
        self._elapsed_s += perf_counter() - started_s

    def estimate(self, size_bytes: int) -> Estimate:
        return Estimate(
            algorithm=self._algorithm,
            level=self._level,
            compressed_bytes=self._compressed_bytes,
            ratio=ratio(size_bytes, self._compressed_bytes),
            elapsed_ms=round(self._elapsed_s * 1000, 3),
        )


def _entropy_bits(counts: Counter[int]) -> float:
    """Shannon entropy of order 0: sum(p * log2(1 / p)), in bits per byte."""
    total = counts.total()
    return sum(count / total * log2(total / count) for count in counts.values())
