"""What the ways to the services have found out goes on where a new table asks for the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from dhatu_gateway.core.deliveries import Deliveries
from dhatu_gateway.core.types import Platform, Route, Service
from dhatu_gateway.core.upstream.breaker.breaker import Breaker as BreakerState
from dhatu_gateway.core.upstream.delivery.delivery import Delivery
from dhatu_gateway.core.upstream.policy import Balance, Breaker, Concurrency, RetryBudget, UpstreamPolicy
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.support import PLATFORM, make_route

POLICY = UpstreamPolicy(breaker=Breaker(consecutive=1), concurrency=Concurrency(max=5))
ROUTE = make_route(service="echo", breaker=Breaker(consecutive=2))


@dataclass(eq=False)
class Carrier:
    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        raise AssertionError("nothing is sent here")


ECHO, OTHER = Carrier(), Carrier()


def platform(policy: UpstreamPolicy = POLICY) -> Platform:
    services = tuple(
        Service(name=name, url_variable=f"{name.upper()}_SERVICE_URL", default_url="", upstream=each)
        for name, each in (("echo", policy), ("other", POLICY))
    )
    return replace(PLATFORM, services=services)


def made(
    policy: UpstreamPolicy = POLICY, other: Carrier = OTHER, before: Deliveries | None = None
) -> Deliveries:
    return Deliveries(platform(policy), {"echo": ECHO, "other": other}, before=before)


def opened(breaker: BreakerState | None) -> BreakerState:
    assert breaker is not None
    for _ in range(2):
        breaker.settle(breaker.admit(0.0), True, 0.0)
    assert breaker.state == "open"
    return breaker


def test_a_service_goes_on_as_it_was_while_another_changes() -> None:
    before = made()
    before.of(ROUTE)
    after = made(other=Carrier(), before=before)
    after.adopt(ROUTE)
    assert after.roads["echo"] is before.roads["echo"]
    assert after.roads["other"] is not before.roads["other"]
    assert after.breakers.keys() == before.breakers.keys()
    assert all(after.breakers[name] is before.breakers[name] for name in before.breakers)


def test_a_service_that_has_moved_keeps_what_is_known_of_it() -> None:
    before = made()
    breaker = opened(before.roads["other"].breaker)
    road = made(other=Carrier(), before=before).roads["other"]
    assert road.breaker is breaker
    assert (road.budget, road.gate) == (before.roads["other"].budget, before.roads["other"].gate)
    assert road.carrier is not before.roads["other"].carrier


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        (replace(POLICY, breaker=Breaker(consecutive=3)), {"budget", "gate"}),
        (replace(POLICY, breaker=None), {"budget", "gate"}),
        (replace(POLICY, retry_budget=RetryBudget(ratio=0.5)), {"breaker", "gate"}),
        (replace(POLICY, concurrency=Concurrency(max=6)), {"breaker", "budget"}),
        (replace(POLICY, concurrency=None), {"breaker", "budget"}),
        (replace(POLICY, balance=Balance(slow_start_s=1.0)), {"breaker", "budget", "gate"}),
    ],
)
def test_only_what_is_asked_for_in_another_way_begins_anew(changed: UpstreamPolicy, kept: set[str]) -> None:
    before = made()
    road, former = made(changed, before=before).roads["echo"], before.roads["echo"]
    same = {name for name in ("breaker", "budget", "gate") if getattr(road, name) is getattr(former, name)}
    assert same == kept
    assert road.policy.concurrency == changed.concurrency


def test_the_breaker_of_an_operation_goes_on_though_its_route_is_composed_anew() -> None:
    before = made()
    before.of(ROUTE)
    breaker = opened(before.breakers[ROUTE.operation])
    after = made(before=before)
    assert isinstance(after.of(replace(ROUTE, timeout_s=9.0)), Delivery)
    assert after.breakers[ROUTE.operation] is breaker
    other: Route = replace(ROUTE, breaker=Breaker(consecutive=9))
    assert made(before=before).of(other)
    later = made(before=before)
    later.of(other)
    assert later.breakers[ROUTE.operation].state == "closed"


def test_whoever_shares_breakers_hears_of_those_that_went_on() -> None:
    before = made()
    after = made(before=made(before=before))
    told: list[BreakerState] = []
    after.changes.tell = told.append
    breaker = opened(before.roads["echo"].breaker)
    assert told == [breaker]
