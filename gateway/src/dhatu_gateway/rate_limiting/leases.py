"""Calls that a process has taken from the shared store ahead, and spends without asking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.rules import Rule

Callers: TypeAlias = tuple[str | None, ...]
"""The key of a call for each of its limits."""

LONGEST_US = 1_000_000
MAX_LEASES = 65_536


class Lease:
    """What is left of the calls that were taken at once."""

    __slots__ = ("decisions", "ends_us", "left")

    def __init__(self, left: int, ends_us: int, decisions: Sequence[Decision | None]) -> None:
        self.left = left
        self.ends_us = ends_us
        self.decisions = decisions


class Leases:
    """The leases of one route, by its callers.

    A call that is spent was charged at most `longest_us` earlier. So a trailing window of W holds at most
    what the limits allow in one of `W + longest_us`, however many processes there are: of a bucket
    `burst + rate * (W + 1 s)`. What is not spent in time is lost to the caller.
    """

    def __init__(self, rules: Sequence[Rule], *, max_leases: int = MAX_LEASES) -> None:
        exact = any(rule.watched or rule.charge_refused for rule in rules)
        possible = [min(rule.policy.lease, rule.algorithm.largest // rule.cost) for rule in rules]
        self.batch = 1 if exact else min(possible)
        """How many calls to take at once; 1 where the limits are not leased."""
        self.longest_us = min(LONGEST_US, *(round(rule.policy.window_s * 1_000_000) for rule in rules))
        self._costs = [rule.cost for rule in rules]
        self._leases: dict[Callers, Lease] = {}
        self._max_leases = max_leases

    def spend(self, callers: Callers, now_us: int) -> Sequence[Decision | None] | None:
        """Spend a call that was taken before; None where there is none."""
        lease = self._leases.get(callers)
        if lease is None:
            return None
        if not lease.left or now_us >= lease.ends_us:
            del self._leases[callers]
            return None
        lease.left -= 1
        return self._with(lease.left, lease.decisions)

    def put(self, callers: Callers, asked_us: int, calls: int, decisions: Sequence[Decision | None]) -> None:
        """Keep calls that were charged at `asked_us` or later; others may have taken some meanwhile."""
        known = self._leases.get(callers)
        ends_us = asked_us + self.longest_us
        if known is not None and asked_us < known.ends_us:
            calls, ends_us = calls + known.left, min(ends_us, known.ends_us)
        elif known is None and len(self._leases) >= self._max_leases:
            self._make_room(asked_us)
        self._leases[callers] = Lease(calls, ends_us, decisions)

    def told(self, callers: Callers, decisions: Sequence[Decision | None]) -> Sequence[Decision | None]:
        """What limits say of a call for which some were taken: those can still be made."""
        lease = self._leases.get(callers)
        return self._with(lease.left if lease is not None else 0, decisions)

    def _with(self, left: int, decisions: Sequence[Decision | None]) -> Sequence[Decision | None]:
        return [
            decision and Decision(0, decision.remaining + left * cost, decision.reset_us)
            for decision, cost in zip(decisions, self._costs, strict=True)
        ]

    def _make_room(self, now_us: int) -> None:
        """Drop what has ended, or everything: it was charged, so nobody gains by it."""
        self._leases = {key: lease for key, lease in self._leases.items() if now_us < lease.ends_us}
        if len(self._leases) >= self._max_leases:
            self._leases.clear()
