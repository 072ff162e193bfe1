"""The gateway's metrics: read from the Prometheus text format, added up, summed up in figures."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from .models import CallTotals, GroupBy, UsageGroup

_CALLS: Final = "dhatu_gateway_requests_total"
_DURATION: Final = "dhatu_gateway_request_duration_seconds"
_UNMATCHED: Final = "unmatched"  # requests that are no operation carry an empty label


class MetricsError(Exception):
    """The text is not what the gateway's metrics look like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """A histogram: how many calls took at most so many seconds."""

    buckets: Mapping[float, float]
    """Cumulative counts by upper bound, sorted; the last bound is infinite."""
    sum_s: float

    @property
    def count(self) -> float:
        return self.buckets.get(math.inf, 0.0)

    def mean_ms(self) -> float | None:
        """None where nothing was measured."""
        return _milliseconds(self.sum_s / self.count) if self.count else None

    def quantile_ms(self, quantile: float) -> float | None:
        """Estimated as by Prometheus's `histogram_quantile`; None where nothing was measured.

        Within a bucket calls count as evenly spread: lower + (upper - lower) * (rank - below) / inside.
        Beyond the last finite bound nothing is known, so that bound is the answer.
        """
        if not self.count:
            return None
        rank = quantile * self.count
        lower = below = 0.0
        for upper, cumulative in self.buckets.items():
            if cumulative >= rank and cumulative > below:
                if upper == math.inf:
                    break
                return _milliseconds(lower + (upper - lower) * (rank - below) / (cumulative - below))
            lower, below = (upper, cumulative) if upper != math.inf else (lower, below)
        return _milliseconds(lower)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCalls:
    """What the gateway counted for one operation."""

    operation: str
    service: str
    statuses: Mapping[int, int]
    durations: Durations


def read_metrics(text: str) -> tuple[OperationCalls, ...]:
    """The calls of every operation; raises `MetricsError`."""
    statuses: dict[str, Counter[int]] = defaultdict(Counter)
    services: dict[str, str] = {}
    buckets: dict[str, dict[float, float]] = defaultdict(dict)
    sums: dict[str, float] = defaultdict(float)
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                operation = sample.labels.get("operation", "")
                if sample.name == _CALLS:
                    services[operation] = sample.labels.get("service", "")
                    statuses[operation][int(sample.labels["status"])] += int(sample.value)
                elif sample.name == f"{_DURATION}_bucket":
                    buckets[operation][float(sample.labels["le"])] = sample.value
                elif sample.name == f"{_DURATION}_sum":
                    sums[operation] = sample.value
    except (ValueError, KeyError) as error:
        raise MetricsError(f"The metrics cannot be read: {error}") from error
    return tuple(
        OperationCalls(
            operation=operation or _UNMATCHED,
            service=services[operation] or _UNMATCHED,
            statuses=counts,
            durations=Durations(buckets=dict(sorted(buckets[operation].items())), sum_s=sums[operation]),
        )
        for operation, counts in sorted(statuses.items())
    )


def totals(calls: Iterable[OperationCalls]) -> CallTotals:
    """All of them together."""
    calls = tuple(calls)
    statuses = _merged_statuses(calls)
    durations = _merged_durations(calls)
    count, errors = _counts(statuses)
    return CallTotals(
        calls=count,
        errors=errors,
        error_rate=_rate(errors, count),
        mean_ms=durations.mean_ms(),
        p95_ms=durations.quantile_ms(0.95),
    )


def groups(calls: Sequence[OperationCalls], group_by: GroupBy) -> list[UsageGroup]:
    """One line per operation, service or status, the most calls first."""
    match group_by:
        case "operation":
            lines = [_group(item.operation, [item], service=item.service) for item in calls]
        case "service":
            names = sorted({item.service for item in calls})
            lines = [_group(name, [item for item in calls if item.service == name]) for name in names]
        case "status":
            lines = [_status_group(status, count) for status, count in _merged_statuses(calls).items()]
    return sorted(lines, key=lambda line: (-line.calls, line.name))


def _group(name: str, calls: Sequence[OperationCalls], *, service: str | None = None) -> UsageGroup:
    count, errors = _counts(_merged_statuses(calls))
    durations = _merged_durations(calls)
    return UsageGroup(
        name=name,
        service=service,
        calls=count,
        errors=errors,
        error_rate=_rate(errors, count),
        mean_ms=durations.mean_ms(),
        p50_ms=durations.quantile_ms(0.5),
        p95_ms=durations.quantile_ms(0.95),
        p99_ms=durations.quantile_ms(0.99),
    )


def _status_group(status: int, count: int) -> UsageGroup:
    errors = count if status >= 400 else 0
    return UsageGroup(name=str(status), calls=count, errors=errors, error_rate=_rate(errors, count))


def _merged_statuses(calls: Iterable[OperationCalls]) -> Counter[int]:
    merged: Counter[int] = Counter()
    for item in calls:
        merged.update(item.statuses)
    return merged


def _merged_durations(calls: Iterable[OperationCalls]) -> Durations:
    """The gateway gives every operation the same bounds, so that histograms can be added."""
    merged: dict[float, float] = defaultdict(float)
    sum_s = 0.0
    for item in calls:
        sum_s += item.durations.sum_s
        for bound, count in item.durations.buckets.items():
            merged[bound] += count
    return Durations(buckets=dict(sorted(merged.items())), sum_s=sum_s)


def _counts(statuses: Mapping[int, int]) -> tuple[int, int]:
    """Calls, and those of them that were answered with 400 or above."""
    return sum(statuses.values()), sum(count for status, count in statuses.items() if status >= 400)


def _rate(errors: int, calls: int) -> float:
    return round(errors / calls, 4) if calls else 0.0


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
