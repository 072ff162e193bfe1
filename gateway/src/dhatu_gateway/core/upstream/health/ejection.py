"""Leaves endpoints out that fail, and takes them back: Envoy's outlier detection, gRPC's A50."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import fsum, inf, sqrt
from typing import Protocol

from dhatu_gateway.core.upstream.health.record import Record
from dhatu_gateway.core.upstream.policy import Ejection

_logger = logging.getLogger("dhatu.upstream")


class Judged(Protocol):
    """An endpoint that may be ejected."""

    @property
    def name(self) -> str: ...

    @property
    def health(self) -> Record: ...


class OutlierDetection:
    """Decides on the given clock; both methods say whether anybody's health has changed.

    There is no timer: an interval is judged at the first use after its end. Where nobody came for a whole
    further one, its counts are too old to judge by, and are dropped.
    """

    __slots__ = ("_judge_at_s", "_policy", "_random", "due_s")

    def __init__(self, policy: Ejection, random: Callable[[], float], now_s: float) -> None:
        self._policy = policy
        self._random = random
        self._judge_at_s = now_s + policy.interval_s
        self.due_s = self._judge_at_s
        """When `turn` has something to do."""

    def turn(self, members: Sequence[Judged], now_s: float) -> bool:
        """What the time alone brings: endpoints come back, and an interval ends."""
        changed = False
        for member in members:
            until_s = member.health.ejected_until_s
            if until_s is not None and until_s <= now_s:
                member.health.restore(until_s)
                _logger.warning("%s gets requests again", member.name)
                changed = True
        if now_s >= self._judge_at_s:
            if now_s < self._judge_at_s + self._policy.interval_s:
                for member in outliers(self._policy, members):
                    rate = 100 * member.health.success_rate
                    changed |= self._eject(
                        members, member, f"only {rate:.0f} % of its calls succeeded", now_s
                    )
            for member in members:
                member.health.forget_interval()
            self._judge_at_s = now_s + self._policy.interval_s
        self._set_due(members)
        return changed

    def count(
        self, members: Sequence[Judged], member: Judged, *, failed: bool, began_s: float, now_s: float
    ) -> bool:
        """Take in how an attempt ended; one from before the endpoint changed its state says nothing."""
        health = member.health
        if health.ejected_until_s is not None or began_s < health.since_s:
            return False
        health.count(failed=failed)
        limit = self._policy.consecutive_failures
        if not failed or limit is None or health.failed_in_a_row < limit:
            return False
        changed = self._eject(members, member, f"{health.failed_in_a_row} failures in a row", now_s)
        self._set_due(members)
        return changed

    def _eject(self, members: Sequence[Judged], member: Judged, reason: str, now_s: float) -> bool:
        """Eject it, unless it is already, or too many are."""
        policy, health = self._policy, member.health
        ejected = sum(other.health.ejected_until_s is not None for other in members)
        allowed = min(len(members) - 1, max(1, int(len(members) * policy.max_ejection_percent / 100)))
        if health.ejected_until_s is not None or ejected >= allowed or member not in members:
            return False
        health.times_ejected = 1 + forgiven(health, policy.interval_s, now_s)
        longest_s = max(policy.base_ejection_s, policy.max_ejection_s)
        for_s = min(policy.base_ejection_s * health.times_ejected, longest_s)
        for_s += policy.jitter_s * self._random()
        health.eject(now_s + for_s, now_s)
        _logger.warning("%s gets no requests for %.0f s: %s", member.name, for_s, reason)
        return True

    def _set_due(self, members: Sequence[Judged]) -> None:
        ends = [until_s for member in members if (until_s := member.health.ejected_until_s) is not None]
        self.due_s = min(self._judge_at_s, min(ends, default=inf))


def forgiven(health: Record, interval_s: float, now_s: float) -> int:
    """How many ejections still count: one less for each interval that it has been healthy since."""
    return max(0, health.times_ejected - int((now_s - health.since_s) / interval_s))


def outliers(policy: Ejection, members: Sequence[Judged]) -> list[Judged]:
    """Whose calls succeeded less than `mean - factor * stdev` of all, the deviation being that of all."""
    factor = policy.success_rate_stdev_factor
    judged = [
        member
        for member in members
        if member.health.ejected_until_s is None
        and 0 < member.health.volume >= policy.success_rate_request_volume
    ]
    if factor is None or not judged or len(judged) < policy.success_rate_minimum_hosts:
        return []
    rates = [member.health.success_rate for member in judged]
    mean = fsum(rates) / len(rates)
    stdev = sqrt(fsum((rate - mean) ** 2 for rate in rates) / len(rates))
    return [member for member, rate in zip(judged, rates, strict=True) if rate < mean - factor * stdev]
