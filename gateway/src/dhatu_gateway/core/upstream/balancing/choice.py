"""Who may be picked: the healthy, of the own zone, of a subset; settled when something changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import inf
from typing import Final, Generic, Protocol, TypeVar

from dhatu_gateway.core.upstream.balancing.balancer import balancer_for
from dhatu_gateway.core.upstream.balancing.group import Candidate, Group
from dhatu_gateway.core.upstream.balancing.slow_start import ramp
from dhatu_gateway.core.upstream.health.ejection import OutlierDetection
from dhatu_gateway.core.upstream.health.record import Record
from dhatu_gateway.core.upstream.policy import UpstreamPolicy

LOCAL_SHARE: Final = 0.7
"""Of the endpoints in the own zone that have to be healthy: 1 / 1.4, Envoy's overprovisioning factor."""
_RAMP_STEP_S: Final = 0.5


class Electable(Candidate, Protocol):
    """A candidate with a health, and what says where it belongs."""

    ramp_from_s: float | None

    @property
    def health(self) -> Record: ...

    @property
    def zone(self) -> str: ...

    @property
    def tags(self) -> Collection[str]: ...


M = TypeVar("M", bound=Electable)


class Choice(Generic[M]):
    """The endpoints of a service, and which of them takes the next request."""

    __slots__ = (
        "_balancer",
        "_detection",
        "_due_s",
        "_groups",
        "_main",
        "_members",
        "_policy",
        "_ramps_at_s",
        "_zone",
        "learns",
    )

    def __init__(self, policy: UpstreamPolicy, zone: str, random: Callable[[], float], now_s: float) -> None:
        """`zone` is the gateway's own, empty where it has none; `random` yields floats in [0, 1)."""
        self._policy = policy.balance
        self._zone = zone if policy.balance.zone == "prefer" else ""
        self._balancer = balancer_for(policy.balance.algorithm, random)
        self._detection = OutlierDetection(policy.ejection, random, now_s) if policy.ejection else None
        self.learns = self._detection is not None or policy.balance.algorithm == "p2c_ewma"
        """Whether it wants to know how attempts end."""
        self._members: tuple[M, ...] = ()
        self._main: Group[M] = Group(())
        self._groups: dict[str, Group[M]] = {}
        self._ramps_at_s = inf
        self._due_s = inf

    def update(self, members: Sequence[M], now_s: float) -> None:
        """Choose from these now; those that are new beside others start slowly."""
        known = self._members
        if known and self._policy.slow_start_s:
            for member in members:
                if member not in known:
                    member.ramp_from_s = now_s
        self._members = tuple(members)
        self.refresh(now_s)

    def refresh(self, now_s: float) -> None:
        """Settle who may be picked, after the health of a member has changed."""
        self._ramp(now_s)
        self._regroup()
        self._set_due()

    def pick(self, now_s: float, key: bytes = b"", subset: str = "", avoid: Collection[M] = ()) -> M:
        """The endpoint for one attempt, one of `avoid` only where no other is left."""
        if now_s >= self._due_s:
            self._on_time(now_s)
        group = self._groups.get(subset, self._main) if subset else self._main
        if avoid:
            group = group.without(avoid)
        return self._balancer.pick(group, key, now_s)

    def settle(self, member: M, failed: bool | None, began_s: float, now_s: float) -> None:
        """Take in how an attempt ended; `failed` is None where that says nothing about the endpoint."""
        member.latency.observe(now_s - began_s, now_s)
        if self._detection is None or failed is None:
            return
        if self._detection.count(self._members, member, failed=failed, began_s=began_s, now_s=now_s):
            self.refresh(now_s)

    def checked(self, now_s: float, well: Sequence[M]) -> None:
        """The checks have found out something new; those in `well` have become healthy."""
        self._restart(well, now_s)
        self.refresh(now_s)

    def _restart(self, members: Sequence[M], now_s: float) -> None:
        """Who has been away starts slowly."""
        for member in members if self._policy.slow_start_s else ():
            member.ramp_from_s = now_s

    def _on_time(self, now_s: float) -> None:
        """An ejection or an interval ends, or a slow start goes on."""
        if self._detection is not None and now_s >= self._detection.due_s:
            out = [member for member in self._members if member.health.ejected_until_s is not None]
            self._detection.turn(self._members, now_s)
            self._restart([member for member in out if member.health.ejected_until_s is None], now_s)
        self.refresh(now_s)

    def _ramp(self, now_s: float) -> None:
        self._ramps_at_s = inf
        for member in self._members:
            part = 1.0
            if member.ramp_from_s is not None:
                part = ramp(self._policy, now_s - member.ramp_from_s)
                if part == 1.0:
                    member.ramp_from_s = None
                else:
                    self._ramps_at_s = now_s + _RAMP_STEP_S
            member.weight = member.own_weight * part

    def _regroup(self) -> None:
        members = self._members
        tags = {subset.tag for subset in self._policy.subsets}
        untagged = [member for member in members if tags.isdisjoint(member.tags)]
        self._main = Group(self._usable(untagged or members))
        self._groups = {}
        for tag in tags:
            tagged = [member for member in members if tag in member.tags]
            if any(member.health.is_well for member in tagged):
                self._groups[tag] = Group(self._usable(tagged))

    def _usable(self, members: Sequence[M]) -> Sequence[M]:
        well = [member for member in members if member.health.is_well]
        if not well or len(well) < self._policy.panic_threshold * len(members):
            return members
        if self._zone:
            local = [member for member in members if member.zone == self._zone]
            local_well = [member for member in local if member.health.is_well]
            if local_well and len(local_well) >= LOCAL_SHARE * len(local):
                return local_well
        return well

    def _set_due(self) -> None:
        detection_s = self._detection.due_s if self._detection is not None else inf
        self._due_s = min(detection_s, self._ramps_at_s)
