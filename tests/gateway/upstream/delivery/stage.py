"""A service of scripted outcomes on a virtual clock, and a delivery in front of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dhatu_gateway.core.upstream.balancing.latency import PeakEwma
from dhatu_gateway.core.upstream.breaker.breaker import Breaker
from dhatu_gateway.core.upstream.delivery.budget import RetryBudget
from dhatu_gateway.core.upstream.delivery.delivery import Delivery, Pace, Plan
from dhatu_gateway.core.upstream.delivery.guards import Guards
from dhatu_gateway.core.upstream.errors import UpstreamClosed, UpstreamTimeout, UpstreamUnavailable
from dhatu_gateway.core.upstream.policy import Breaker as BreakerPolicy
from dhatu_gateway.core.upstream.policy import RetryBudget as BudgetPolicy
from dhatu_gateway.core.upstream.types import Headers, ResponseSink, UpstreamRequest
from gateway.upstream.scripted import RecordingSink

Outcome: TypeAlias = int | BaseException | tuple[int, Headers]
"""A status, a status with headers, or what is raised."""

REFUSED = UpstreamUnavailable("refused")
CLOSED = UpstreamClosed("closed", endpoint="a", stale=False)
SLOW = UpstreamTimeout("slow", phase="first_byte")
OVERDUE = UpstreamTimeout("overdue", phase="total")


@dataclass
class Clock:
    now_s: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        self.now_s += delay_s


@dataclass
class Service:
    """Answers one attempt after another as told, the last outcome again and again."""

    outcomes: Sequence[Outcome]
    clock: Clock
    takes_s: float = 0.0
    seen: list[Headers] = field(default_factory=list)
    avoided: list[int] = field(default_factory=list)

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        outcome = self.outcomes[min(len(self.seen), len(self.outcomes) - 1)]
        self.seen.append(list(request.headers))
        self.avoided.append(len(request.avoid))
        request.member = Endpoint()  # type: ignore[assignment]  # only its identity counts here
        self.clock.now_s += self.takes_s
        if isinstance(outcome, BaseException):
            raise outcome
        status, headers = outcome if isinstance(outcome, tuple) else (outcome, [])
        sink.start(status, headers)
        await sink.body(b"%d" % status, False)


class Endpoint:
    """Stands for a member."""

    latency = PeakEwma(10.0, 0.0)


@dataclass
class Stage:
    """Everything of one route."""

    service: Service
    clock: Clock
    budget: RetryBudget
    delivery: Delivery
    breakers: dict[str, Breaker]

    async def call(self, **changes: Any) -> RecordingSink:
        """One call, which may be repeated and has ten seconds; raises what the delivery raises."""
        request = UpstreamRequest(
            b"GET", b"/", [(b"x-dhatu-timeout-ms", b"10000")], b"", self.clock.now_s + 10.0
        )
        request.repeatable = True
        for name, value in changes.items():
            setattr(request, name, value)
        sink = RecordingSink()
        await self.delivery.forward(request, sink)
        return sink


def stage(
    *outcomes: Outcome,
    attempts: int = 2,
    chance: float = 1.0,
    service: BreakerPolicy | None = None,
    operation: BreakerPolicy | None = None,
    budget: BudgetPolicy | None = None,
) -> Stage:
    clock = Clock()
    found = Service(outcomes, clock)
    breakers = {
        name: Breaker(name, policy, lambda breaker: None)
        for name, policy in (("service", service), ("operation", operation))
        if policy is not None
    }
    spent = RetryBudget(budget or BudgetPolicy())
    plan = Plan(
        guards=Guards(breakers.get("service"), breakers.get("operation")) if breakers else None,
        budget=spent,
        attempts=attempts,
        timeout_field=b"x-dhatu-timeout-ms",
    )
    pace = Pace(clock=clock, random=lambda: chance, sleep=clock.sleep)
    return Stage(found, clock, spent, Delivery(found, plan, pace), breakers)
