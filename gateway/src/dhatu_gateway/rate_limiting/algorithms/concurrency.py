"""How many calls may be under way at once: what is taken here is given back when a call is over."""

from __future__ import annotations

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.algorithms.interface import State, refuse
from dhatu_gateway.rate_limiting.decision import Decision

MAX_SLOTS = 100_000
"""A shared limit is a set of all who hold a slot, of some 100 bytes each."""
MAX_COST = 100
"""Each slot that a call holds is an entry of that set."""
RETRY_US = 1_000_000
"""Nobody knows when a call that is under way will be over."""


class Concurrency:
    """At most `limit` slots are held at any moment; a call of cost n holds n of them until it is over.

    The state is how many are held. Time plays no part here. It does in the script of this name, where the
    slots of a process that has died must not be held for ever: there each has an end, which its process puts
    off as long as the call is under way.
    """

    __slots__ = ("limit",)

    name = "concurrency"
    fresh: State = (0,)

    def __init__(self, limit: int) -> None:
        self.limit = limit

    @classmethod
    def of(cls, limit: RateLimit) -> Concurrency:
        if not 0 < limit.cost <= min(limit.limit, MAX_COST) or limit.limit > MAX_SLOTS:
            needed = f"cost at most {MAX_COST} and the limit, limit at most {MAX_SLOTS:,}"
            raise refuse(limit, needed)
        if limit.lease > 1 or limit.charge_refused:
            raise refuse(limit, "slots are neither taken ahead nor held by calls that were refused")
        return cls(limit.limit)

    @property
    def figures(self) -> tuple[int, int, int]:
        return self.limit, 0, 0

    @property
    def largest(self) -> int:
        return self.limit

    def step(self, state: State, now_us: int, cost: int) -> tuple[State, Decision]:
        held = state[0]
        if cost and held + cost > self.limit:
            return state, Decision(RETRY_US, max(0, self.limit - held), 0)
        return (held + cost,), Decision(0, max(0, self.limit - held - cost), 0)

    def charge(self, state: State, now_us: int, cost: int) -> State:
        """A call that was refused is over, and holds nothing."""
        return state

    def give_back(self, state: State, cost: int) -> State:
        """What is held when a call of `cost` is over."""
        return (state[0] - cost,)

    def is_fresh(self, state: State, now_us: int) -> bool:
        return not state[0]
