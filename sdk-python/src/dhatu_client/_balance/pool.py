"""The endpoints of a client, and which of them takes the next attempt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from .._wire import Endpoint
from .balancer import BALANCERS
from .ejection import Ejection, HealthEvent
from .member import Member
from .policy import BalancePolicy
from .slow_start import ramp


class Pick:
    """One attempt's hold on an endpoint, until it is settled."""

    __slots__ = ("began_s", "endpoint", "member", "settled")

    def __init__(self, member: Member, began_s: float) -> None:
        self.endpoint = member.endpoint
        self.member = member
        self.began_s = began_s
        self.settled = False


def _always(url: str) -> bool:
    return True


class EndpointPool:
    """Shared by all calls of a client, in threads or tasks; its lock is held for microseconds."""

    __slots__ = (
        "_balancer",
        "_ejection",
        "_lock",
        "_members",
        "_now_s",
        "_observe",
        "_policy",
        "_random",
    )

    def __init__(
        self,
        policy: BalancePolicy,
        *,
        now_s: Callable[[], float],
        random: Callable[[], float],
        observe: Callable[[HealthEvent], None] | None = None,
    ) -> None:
        """`now_s` is monotonic, `random` from 0 to 1, exclusive; `observe` is called outside the lock."""
        self._policy = policy
        self._now_s = now_s
        self._random = random
        self._observe = observe
        self._lock = threading.Lock()
        self._balancer = BALANCERS[policy.algorithm]()
        self._ejection = Ejection(policy.ejection, now_s()) if policy.ejection else None
        self._members: tuple[Member, ...] = ()

    def urls(self) -> tuple[str, ...]:
        """Of all endpoints, ejected or not."""
        return tuple(member.endpoint.url for member in self._members)

    def update(self, endpoints: Sequence[Endpoint]) -> None:
        """Make these the endpoints; those that stay keep their statistics, new ones start slowly.

        The first ones have nobody beside them to take their load meanwhile, and start at once. Of two with
        the same URL the last one counts.
        """
        now_s = self._now_s()
        wanted = {endpoint.url: endpoint for endpoint in endpoints}
        with self._lock:
            known = {member.endpoint.url: member for member in self._members}
            for url in self._shuffled([url for url in wanted if url not in known]):
                known[url] = Member(wanted[url], now_s)
                if self._members:
                    known[url].ramp_from_s = now_s
            for url, endpoint in wanted.items():
                known[url].endpoint = endpoint
            self._members = tuple(member for url, member in known.items() if url in wanted)

    def _shuffled(self, urls: list[str]) -> list[str]:
        """In an order of this client's own: else all that start at once would begin with the same one."""
        for last in range(len(urls) - 1, 0, -1):  # Fisher and Yates
            other = int(self._random() * (last + 1))
            urls[last], urls[other] = urls[other], urls[last]
        return urls

    def pick(self, *, avoid: Collection[str] = (), admits: Callable[[str], bool] = _always) -> Pick | None:
        """An endpoint for one attempt, to be settled once; None where `admits` refuses every one.

        Those in `avoid`, which the call has tried, are used only if no other healthy one is left; ejected
        ones only after those.
        """
        now_s = self._now_s()
        admitted = {url for url in self.urls() if admits(url)}  # outside the lock: it may take another one
        with self._lock:
            events = self._ejection.turn(self._members, now_s) if self._ejection else []
            candidates = self._candidates(avoid, admitted)
            pick = self._picked(candidates, now_s) if candidates else None
        self._tell(events)
        return pick

    def settle(self, pick: Pick, verdict: bool | None) -> None:
        """Say how the attempt ended: whether the endpoint did its part, None where that says nothing of it.

        The time it took counts in any case: the loser of a race was slow, and was cancelled for it.
        """
        now_s = self._now_s()
        with self._lock:
            if pick.settled:
                return
            pick.settled = True
            member, began_s = pick.member, pick.began_s
            member.in_flight -= 1
            member.latency.observe(max(0.0, now_s - began_s), now_s)
            events: list[HealthEvent] = []
            if self._ejection is not None:
                events = self._ejection.turn(self._members, now_s)
                if verdict is not None:
                    events += self._ejection.count(
                        self._members, member, succeeded=verdict, began_s=began_s, now_s=now_s
                    )
        self._tell(events)

    def _candidates(self, avoid: Collection[str], admitted: Collection[str]) -> list[Member]:
        """The best of what is left."""
        open_to_us = [member for member in self._members if member.endpoint.url in admitted]
        healthy = sum(member.health.ejected_until_s is None for member in self._members)
        if healthy < self._policy.panic_threshold * len(self._members):
            fit = open_to_us
        else:
            fit = [member for member in open_to_us if member.health.ejected_until_s is None]
        if not fit:
            fit = open_to_us
        untried = [member for member in fit if member.endpoint.url not in avoid]
        return untried or fit

    def _picked(self, candidates: Sequence[Member], now_s: float) -> Pick:
        for member in candidates:
            if member.ramp_from_s is not None:
                member.ramp = ramp(self._policy, now_s - member.ramp_from_s)
                if member.ramp == 1.0:
                    member.ramp_from_s = None
        if len(candidates) == 1:
            member = candidates[0]
        else:
            member = self._balancer.pick(candidates, now_s, self._random)
        member.in_flight += 1
        return Pick(member, now_s)

    def _tell(self, events: Sequence[HealthEvent]) -> None:
        if self._observe is not None:
            for event in events:
                self._observe(event)
