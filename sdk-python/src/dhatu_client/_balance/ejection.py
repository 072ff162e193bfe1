"""Leaves endpoints out that fail, and takes them back: outlier detection as in Envoy and gRPC A50."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt
from typing import TypeAlias

from .._watch.events import EndpointEjected, EndpointRestored
from .._wire import without_user
from .health import Health
from .member import Member
from .policy import EjectionPolicy

HealthEvent: TypeAlias = EndpointEjected | EndpointRestored


class Ejection:
    """Decides on the given clock, whenever the pool is used; kept by the pool's lock.

    There is no timer: an interval is judged at the first use after its end. Where nobody came for a whole
    further one, its counts are too old to judge by, and are dropped.
    """

    __slots__ = ("_due_s", "_policy")

    def __init__(self, policy: EjectionPolicy, now_s: float) -> None:
        self._policy = policy
        self._due_s = now_s + policy.interval_s

    def turn(self, members: Sequence[Member], now_s: float) -> list[HealthEvent]:
        """What the time alone brings: endpoints come back, and an interval ends."""
        events: list[HealthEvent] = []
        for member in members:
            until_s = member.health.ejected_until_s
            if until_s is not None and until_s <= now_s:
                member.health.restore(until_s)
                member.ramp_from_s = until_s
                events.append(EndpointRestored(endpoint=without_user(member.endpoint.url)))
        if now_s >= self._due_s:
            if now_s < self._due_s + self._policy.interval_s:
                events += self._judge(members, now_s)
            for member in members:
                member.health.forget_interval()
            self._due_s = now_s + self._policy.interval_s
        return events

    def count(
        self, members: Sequence[Member], member: Member, *, succeeded: bool, began_s: float, now_s: float
    ) -> list[HealthEvent]:
        """Take in how an attempt ended; one from before the endpoint changed its state says nothing."""
        health = member.health
        if health.ejected_until_s is not None or began_s < health.since_s:
            return []
        health.count(succeeded=succeeded)
        limit = self._policy.consecutive_failures
        if limit is None or health.failed_in_a_row < limit:
            return []
        return self._eject(members, member, f"{health.failed_in_a_row} failures in a row", now_s)

    def _judge(self, members: Sequence[Member], now_s: float) -> list[HealthEvent]:
        events: list[HealthEvent] = []
        for member in failing(self._policy, members):
            rate = 100 * (1 - member.health.success_rate)
            events += self._eject(members, member, f"{rate:.0f} % of its calls failed", now_s)
        for member in outliers(self._policy, members):
            rate = 100 * member.health.success_rate
            events += self._eject(
                members, member, f"{rate:.0f} % of its calls succeeded, far fewer than elsewhere", now_s
            )
        return events

    def _eject(
        self, members: Sequence[Member], member: Member, reason: str, now_s: float
    ) -> list[HealthEvent]:
        """Eject it, unless it is already, or too many are."""
        policy, health = self._policy, member.health
        ejected = sum(other.health.ejected_until_s is not None for other in members)
        allowed = min(len(members) - 1, max(1, int(len(members) * policy.max_ejection_percent / 100)))
        if health.ejected_until_s is not None or ejected >= allowed or member not in members:
            return []
        health.times_ejected = 1 + forgiven(health, policy.interval_s, now_s)
        for_s = min(
            policy.base_ejection_s * health.times_ejected,
            max(policy.base_ejection_s, policy.max_ejection_s),
        )
        health.eject(now_s + for_s, now_s)
        return [EndpointEjected(endpoint=without_user(member.endpoint.url), for_s=for_s, reason=reason)]


def forgiven(health: Health, interval_s: float, now_s: float) -> int:
    """How many ejections still count: one less for each interval that it has been healthy since."""
    return max(0, health.times_ejected - int((now_s - health.since_s) / interval_s))


def failing(policy: EjectionPolicy, members: Sequence[Member]) -> list[Member]:
    """Whose calls failed for the most part in this interval."""
    threshold = policy.failure_percentage_threshold
    judged = _busy(members, policy.failure_percentage_request_volume)
    if threshold is None or len(judged) < policy.failure_percentage_minimum_hosts:
        return []
    return [member for member in judged if 100 * member.health.failures >= threshold * member.health.volume]


def outliers(policy: EjectionPolicy, members: Sequence[Member]) -> list[Member]:
    """Whose calls succeeded less than `mean - factor * stdev` of all, the deviation being that of all."""
    factor = policy.success_rate_stdev_factor
    judged = _busy(members, policy.success_rate_request_volume)
    if factor is None or not judged or len(judged) < policy.success_rate_minimum_hosts:
        return []
    rates = [member.health.success_rate for member in judged]
    mean = fsum(rates) / len(rates)
    stdev = sqrt(fsum((rate - mean) ** 2 for rate in rates) / len(rates))
    return [member for member, rate in zip(judged, rates, strict=True) if rate < mean - factor * stdev]


def _busy(members: Sequence[Member], volume: int) -> list[Member]:
    return [
        member
        for member in members
        if member.health.ejected_until_s is None and 0 < member.health.volume >= volume
    ]
