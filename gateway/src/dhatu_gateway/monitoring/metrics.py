"""Metrics, counted in plain integers and turned into Prometheus families when somebody scrapes.

prometheus_client takes a lock for every increment; the event loop is one thread and needs none. Each worker
process counts its own requests and answers a scrape with its own figures, so several workers behind one port
are scraped by turns.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from dhatu_gateway.core.types import Route

BOUNDS_S: tuple[float, ...] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the duration histogram, from a request that stays in the gateway to the default timeout."""

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Recorder:
    """The figures of one operation."""

    __slots__ = ("buckets", "operation", "service", "statuses", "sum_s")

    def __init__(self, operation: str, service: str) -> None:
        self.operation = operation
        self.service = service
        self.statuses: dict[int, int] = {}
        """Answers by status."""
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        """Answers by duration: how many took at most each bound and more than the one before."""
        self.sum_s = 0.0

    def record(self, status: int, duration_s: float) -> None:
        """Count one answer; called once per request."""
        statuses = self.statuses
        statuses[status] = statuses.get(status, 0) + 1
        self.buckets[bisect_left(BOUNDS_S, duration_s)] += 1
        self.sum_s += duration_s


class EdgeCounts:
    """What one edge counts itself; while one takes another's place, there are two of them."""

    def __init__(self, metrics: Metrics) -> None:
        self.in_flight = 0
        """Requests being answered; the edge counts it up and down."""
        self.unmatched = metrics.unmatched
        self.refuse = metrics.refuse


class Metrics(Collector):
    """All figures of this process."""

    def __init__(self, routes: Iterable[Route] = (), *, process: bool = True) -> None:
        """`process` adds what the operating system and Python's garbage collector know."""
        self._edges: list[EdgeCounts] = []
        self.unmatched = Recorder("", "")
        """Requests that no route matches, or that cannot be parsed."""
        self.refusals: dict[str, int] = {}
        """Requests answered with a problem, by its kind."""
        self.watched_limits: dict[tuple[str, str], int] = {}
        """Calls that a limit in shadow mode would have refused, by operation and limit."""
        self.mirrored: dict[tuple[str, str], int] = {}
        """Copies of requests, by service and outcome."""
        self.findings: dict[tuple[str, str, str], int] = {}
        """Messages that validation did not find in order, by operation, message and outcome."""
        self.provider_fetches: Callable[[], Mapping[tuple[str, str, str], int]] = dict
        """How often providers of identities were asked, by name, what for, and outcome; asked at a scrape."""
        self.certificates: Mapping[str, Callable[[], float | None]] = {}
        """When certificates end, in seconds since the epoch, by whom they are shown to."""
        self._recorders = {route.operation: Recorder(route.operation, route.service) for route in routes}
        self._exchanged: Collector | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)
        if process:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
            GCCollector(registry=self._registry)

    def exchange(self, collector: Collector) -> None:
        """Scrape this as well, in the place of what was given before."""
        if self._exchanged is not None:
            self._registry.unregister(self._exchanged)
        self._registry.register(collector)
        self._exchanged = collector

    def recorder(self, route: Route) -> Recorder:
        """The figures of a route, looked up at boot; they go on where the route was there before."""
        known = self._recorders.get(route.operation)
        if known is None or known.service != route.service:
            known = self._recorders[route.operation] = Recorder(route.operation, route.service)
        return known

    def keep(self, routes: Iterable[Route]) -> None:
        """Forget the figures of all other routes: they are not served any more."""
        kept = {route.operation for route in routes}
        self._recorders = {name: found for name, found in self._recorders.items() if name in kept}

    def edge(self) -> EdgeCounts:
        """What a new edge counts with; `forget` it when the edge is not used any more."""
        counts = EdgeCounts(self)
        self._edges.append(counts)
        return counts

    def forget(self, counts: EdgeCounts) -> None:
        self._edges.remove(counts)

    @property
    def in_flight(self) -> int:
        """Requests being answered."""
        return sum(counts.in_flight for counts in self._edges)

    def refuse(self, kind: str) -> None:
        """Count a request that was answered with a problem of this kind."""
        self.refusals[kind] = self.refusals.get(kind, 0) + 1

    def watch_limit(self, operation: str, limit: str) -> None:
        """Count a call that a limit in shadow mode would have refused."""
        at = operation, limit
        self.watched_limits[at] = self.watched_limits.get(at, 0) + 1

    def mirror_counter(self, service: str) -> Callable[[str], None]:
        """Counts copies of a service's requests, by what became of each: answered, failed or dropped."""

        def count(outcome: str) -> None:
            at = service, outcome
            self.mirrored[at] = self.mirrored.get(at, 0) + 1

        return count

    def find(self, operation: str, message: str, outcome: str) -> None:
        """Count a request or an answer that is not as the document says, or could not be looked at."""
        key = (operation, message, outcome)
        self.findings[key] = self.findings.get(key, 0) + 1

    def exposition(self) -> bytes:
        """Everything in the Prometheus text format 0.0.4."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry for each scrape."""
        recorders = (*self._recorders.values(), self.unmatched)
        yield _requests(recorders)
        yield _durations(recorders)
        yield GaugeMetricFamily(
            "dhatu_gateway_requests_in_flight", "Requests being answered now.", value=self.in_flight
        )
        refusals = CounterMetricFamily(
            "dhatu_gateway_refused", "Requests answered with a problem, by its kind.", labels=["kind"]
        )
        for kind, count in sorted(self.refusals.items()):
            refusals.add_metric([kind], count)
        yield refusals
        yield _watched(self.watched_limits)
        yield _mirrored(self.mirrored)
        findings = CounterMetricFamily(
            "dhatu_gateway_validation",
            "Messages that are not as described, or that were not looked at, by what was done with them.",
            labels=["operation", "message", "outcome"],
        )
        for key, count in sorted(self.findings.items()):
            findings.add_metric(key, count)
        yield findings
        fetches = CounterMetricFamily(
            "dhatu_gateway_provider_fetches",
            "Questions to providers of identities, by what was asked for and the outcome.",
            labels=["provider", "what", "outcome"],
        )
        for key, count in sorted(self.provider_fetches().items()):
            fetches.add_metric(key, count)
        yield fetches
        ends = {name: end() for name, end in self.certificates.items()}
        if any(end is not None for end in ends.values()):
            yield _certificates(ends)


def _certificates(ends: Mapping[str, float | None]) -> Metric:
    family = GaugeMetricFamily(
        "dhatu_gateway_certificate_not_after_seconds",
        "When a certificate that the gateway shows ends, in seconds since the epoch.",
        labels=["shown_to"],
    )
    for name, end in ends.items():
        if end is not None:
            family.add_metric([name], end)
    return family


def _requests(recorders: Sequence[Recorder]) -> Metric:
    family = CounterMetricFamily(
        "dhatu_gateway_requests", "Requests answered.", labels=["operation", "service", "status"]
    )
    for recorder in recorders:
        for status, count in sorted(recorder.statuses.items()):
            family.add_metric([recorder.operation, recorder.service, str(status)], count)
    return family


def _watched(limits: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(
        "dhatu_gateway_limit_shadow_refused",
        "Calls that a limit in shadow mode would have refused.",
        labels=["operation", "limit"],
    )
    for (operation, limit), count in sorted(limits.items()):
        family.add_metric([operation, limit], count)
    return family


def _mirrored(copies: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(
        "dhatu_gateway_mirrored", "Copies of requests for mirrors.", labels=["service", "outcome"]
    )
    for key, count in sorted(copies.items()):
        family.add_metric(key, count)
    return family


def _durations(recorders: Sequence[Recorder]) -> Metric:
    family = HistogramMetricFamily(
        "dhatu_gateway_request_duration_seconds",
        "Time from the head of a request to the end of its answer.",
        labels=["operation"],
    )
    bounds = (*map(str, BOUNDS_S), "+Inf")
    for recorder in recorders:
        if any(recorder.buckets):
            cumulative = list(zip(bounds, accumulate(recorder.buckets), strict=True))
            family.add_metric([recorder.operation], buckets=cumulative, sum_value=recorder.sum_s)
    return family
