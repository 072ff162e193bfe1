"""The least busy: nginx's least_conn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .member import Member
from .weighted import SmoothWeighted


class LeastConnections:
    """The fewest attempts under way for its weight; equals take turns by weight.

    One pass over all, which is right for the dozens of endpoints that a client has. It knows the attempts of
    this client alone.
    """

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = SmoothWeighted()

    def pick(self, members: Sequence[Member], now_s: float, random: Callable[[], float]) -> Member:
        busy = [member.in_flight / member.weight for member in members]
        least = min(busy)
        idle = [member for member, load in zip(members, busy, strict=True) if load == least]
        return idle[0] if len(idle) == 1 else self._turns.pick(idle, now_s, random)
