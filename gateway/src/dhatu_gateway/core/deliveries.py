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
from dhatu_gateway.core.upstream.policy import Concurrency, UpstreamPolicy
from dhatu_gateway.core.upstream.policy import Hedge as HedgePolicy

_logger = logging.getLogger("dhatu.upstream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """What all routes of a service share."""

    upstream: Carrier
    """To its endpoints."""
    policy: UpstreamPolicy
    carrier: Carrier
    """The same, through the gate if there is one."""
    budget: RetryBudget
    breaker: Breaker | None
    gate: Gate | None

    def is_like(self, other: Road) -> bool:
        """Whether both lead to the same, past the same."""
        return (
            self.upstream is other.upstream
            and self.budget is other.budget
            and self.breaker is other.breaker
            and self.gate is other.gate
        )


class Changes:
    """Where breakers tell that they have changed their state here."""

    def __init__(self) -> None:
        self.tell: Callable[[Breaker], None] = lambda breaker: None
        """Whoever shares them puts it there."""

    def __call__(self, breaker: Breaker) -> None:
        _logger.warning("the breaker of %s is %s", breaker.name, breaker.state.replace("_", " "))
        self.tell(breaker)


class Deliveries:
    """The roads to all services, and from there to their operations."""

    def __init__(
        self,
        platform: Platform,
        carriers: Mapping[str, Carrier],
        pace: Pace = DEFAULT_PACE,
        before: Deliveries | None = None,
    ) -> None:
        """`carriers` are the upstreams, by service.

        What `before` has found out goes on where nothing else is asked for: of each service by itself, its
        breaker, its budget and its queue; and the breakers of operations.
        """
        self._pace = pace
        self._timeout_field = f"{platform.header_prefix}Timeout-Ms".lower().encode("ascii")
        self._known_breakers = before.breakers if before is not None else {}
        self._known_roads = before.roads if before is not None else {}
        self.changes: Changes = before.changes if before is not None else Changes()
        self.breakers: dict[str, Breaker] = {}
        """Of services and operations, by name."""
        self.roads: dict[str, Road] = {
            service.name: self._road(service.name, carriers[service.name], service.upstream)
            for service in platform.services
            if service.name in carriers
        }
        """By service."""

    def adopt(self, route: Route) -> None:
        """Take over the breaker of a route whose way goes on as it was."""
        self._breaker(route.operation, route.breaker)

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

    def _road(self, service: str, upstream: Carrier, policy: UpstreamPolicy) -> Road:
        known = self._known_roads.get(service)
        if known is not None and known.policy.concurrency == policy.concurrency:
            gate = known.gate
        else:
            gate = self._gate(policy.concurrency)
        if known is not None and known.policy.retry_budget == policy.retry_budget:
            budget = known.budget
        else:
            budget = RetryBudget(policy.retry_budget)
        breaker = self._breaker(service, policy.breaker)
        made = Road(
            upstream=upstream,
            policy=policy,
            carrier=upstream if gate is None else Gated(upstream, gate, self._pace.clock),
            budget=budget,
            breaker=breaker,
            gate=gate,
        )
        return known if known is not None and known.is_like(made) else made

    def _gate(self, concurrency: Concurrency | None) -> Gate | None:
        if concurrency is None:
            return None
        return Gate(limit_for(concurrency), concurrency.max_waiting, concurrency.queue_s, self._pace.clock)

    def _breaker(self, name: str, policy: BreakerPolicy | None) -> Breaker | None:
        if policy is None:
            return None
        known = self._known_breakers.get(name)
        breaker = (
            known if known is not None and known.policy == policy else Breaker(name, policy, self.changes)
        )
        self.breakers[name] = breaker
        return breaker

    def _rule(self, policy: HedgePolicy, budget: RetryBudget) -> HedgeRule:
        latencies = Latencies(policy.percentile or 1.0)
        fixed = policy.after_s is not None
        return HedgeRule(
            after_s=(lambda: policy.after_s) if fixed else latencies.delay_s,
            observe=(lambda latency_s: None) if fixed else latencies.record,
            withdraw=budget.withdraw,
            clock=self._pace.clock,
        )
