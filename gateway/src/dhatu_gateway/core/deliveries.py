"""The way of every route to its service: what platform.yaml and x-dhatu ask for, put together at boot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.core.upstream.admission.gate import Gate
from dhatu_gateway.core.upstream.admission.gated import Gated
from dhatu_gateway.core.upstream.admission.limits import limit_for
from dhatu_gateway.core.upstream.breaker.breaker import Breaker
from dhatu_gateway.core.upstream.delivery.attempt import Carrier
from dhatu_gateway.core.upstream.delivery.budget import RetryBudget
from dhatu_gateway.core.upstream.delivery.delivery import DEFAULT_PACE, Delivery, Pace, Plan
from dhatu_gateway.core.upstream.delivery.guards import Guards
from dhatu_gateway.core.upstream.delivery.hedge import Hedge, HedgeRule
from dhatu_gateway.core.upstream.delivery.latencies import Latencies
from dhatu_gateway.core.upstream.policy import Breaker as BreakerPolicy
from dhatu_gateway.core.upstream.policy import Hedge as HedgePolicy
from dhatu_gateway.core.upstream.policy import UpstreamPolicy

_logger = logging.getLogger("dhatu.upstream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """What all routes of a service share."""

    carrier: Carrier
    """To its endpoints, through the gate if there is one."""
    budget: RetryBudget
    breaker: Breaker | None
    gate: Gate | None


class Deliveries:
    """The roads to all services, and from there to their operations."""

    def __init__(
        self, platform: Platform, carriers: Mapping[str, Carrier], pace: Pace = DEFAULT_PACE
    ) -> None:
        """`carriers` are the upstreams, by service."""
        self._pace = pace
        self._timeout_field = f"{platform.header_prefix}Timeout-Ms".lower().encode("ascii")
        self.breakers: dict[str, Breaker] = {}
        """Of services and operations, by name."""
        self.changed: Callable[[Breaker], None] = lambda breaker: None
        """Told of every breaker that changes its state here; whoever shares them puts it there."""
        self.roads = {
            service.name: self._road(service.name, carriers[service.name], service.upstream)
            for service in platform.services
            if service.name in carriers
        }
        """By service."""

    def of(self, route: Route) -> Carrier:
        """The way of a route; the upstream itself where nothing is asked for."""
        road = self.roads[route.service]
        operation = self._breaker(route.operation, route.breaker)
        guards = Guards(road.breaker, operation) if road.breaker or operation else None
        repeatable = route.retry != "never"
        if guards is None and not repeatable:
            return road.carrier
        plan = Plan(
            guards=guards,
            budget=road.budget,
            attempts=route.tries.attempts if repeatable else 1,
            try_s=route.tries.per_try_timeout_s,
            timeout_field=self._timeout_field,
        )
        carrier = road.carrier
        if route.hedge is not None and repeatable:
            carrier = Hedge(carrier, self._rule(route.hedge, road.budget))
        return Delivery(carrier, plan, self._pace)

    def _road(self, service: str, carrier: Carrier, policy: UpstreamPolicy) -> Road:
        gate: Gate | None = None
        concurrency = policy.concurrency
        if concurrency is not None:
            gate = Gate(
                limit_for(concurrency), concurrency.max_waiting, concurrency.queue_s, self._pace.clock
            )
            carrier = Gated(carrier, gate, self._pace.clock)
        return Road(
            carrier=carrier,
            budget=RetryBudget(policy.retry_budget),
            breaker=self._breaker(service, policy.breaker),
            gate=gate,
        )

    def _breaker(self, name: str, policy: BreakerPolicy | None) -> Breaker | None:
        if policy is None:
            return None
        breaker = self.breakers[name] = Breaker(name, policy, self._on_change)
        return breaker

    def _on_change(self, breaker: Breaker) -> None:
        _logger.warning("the breaker of %s is %s", breaker.name, breaker.state.replace("_", " "))
        self.changed(breaker)

    def _rule(self, policy: HedgePolicy, budget: RetryBudget) -> HedgeRule:
        latencies = Latencies(policy.percentile or 1.0)
        fixed = policy.after_s is not None
        return HedgeRule(
            after_s=(lambda: policy.after_s) if fixed else latencies.delay_s,
            observe=(lambda latency_s: None) if fixed else latencies.record,
            withdraw=budget.withdraw,
            clock=self._pace.clock,
        )
