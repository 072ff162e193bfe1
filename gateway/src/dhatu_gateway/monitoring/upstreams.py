"""Metrics of the way to the services: endpoints, breakers, retries, queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dhatu_gateway.core.deliveries import Deliveries
from dhatu_gateway.core.upstream.service import Upstream

_STATES: Final = {"closed": 0, "half_open": 1, "open": 2}


class UpstreamFigures(Collector):
    """What a scrape finds in the upstreams and before them; nothing is counted here."""

    def __init__(self, upstreams: Mapping[str, Upstream], deliveries: Deliveries) -> None:
        self._upstreams = upstreams
        self._deliveries = deliveries

    def collect(self) -> Iterator[Metric]:
        """Called by the registry for each scrape."""
        yield from self._endpoints()
        yield from self._breakers()
        yield from self._roads()

    def _endpoints(self) -> Iterator[Metric]:
        healthy = GaugeMetricFamily(
            "dhatu_gateway_endpoint_healthy",
            "1 where an endpoint may get requests, 0 where its checks failed or it is ejected.",
            labels=["service", "endpoint"],
        )
        in_flight = GaugeMetricFamily(
            "dhatu_gateway_endpoint_requests_in_flight",
            "Requests that an endpoint is working on.",
            labels=["service", "endpoint"],
        )
        for service, upstream in self._upstreams.items():
            for member in upstream.members():
                healthy.add_metric([service, member.name], int(member.health.is_well))
                in_flight.add_metric([service, member.name], member.in_flight)
        yield healthy
        yield in_flight

    def _breakers(self) -> Iterator[Metric]:
        states = GaugeMetricFamily(
            "dhatu_gateway_breaker_state", "0 closed, 1 half open, 2 open.", labels=["breaker"]
        )
        openings = CounterMetricFamily(
            "dhatu_gateway_breaker_opened", "How often a breaker has opened.", labels=["breaker"]
        )
        for name, breaker in sorted(self._deliveries.breakers.items()):
            states.add_metric([name], _STATES[breaker.state])
            openings.add_metric([name], breaker.openings)
        yield states
        yield openings

    def _roads(self) -> Iterator[Metric]:
        roads = self._deliveries.roads
        repeats = CounterMetricFamily(
            "dhatu_gateway_repeats",
            "Attempts after the first, the gateway's own and those of SDKs, and those without leave.",
            labels=["service", "outcome"],
        )
        for service, road in roads.items():
            repeats.add_metric([service, "made"], road.budget.made)
            repeats.add_metric([service, "refused"], road.budget.refused)
        yield repeats
        waiting = GaugeMetricFamily(
            "dhatu_gateway_queue_waiting", "Requests that wait for room at a service.", labels=["service"]
        )
        most = GaugeMetricFamily(
            "dhatu_gateway_concurrency_limit",
            "How many requests a service may work on at once.",
            labels=["service"],
        )
        for service, road in roads.items():
            if road.gate is not None:
                waiting.add_metric([service], road.gate.waiting)
                most.add_metric([service], road.gate.most)
        yield waiting
        yield most
