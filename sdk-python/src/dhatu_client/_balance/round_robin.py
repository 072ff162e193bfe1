"""Equal turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .member import Member
from .weighted import take_turn


class RoundRobin:
    """Each member in its turn; weights count for nothing, but a slow start does."""

    __slots__ = ()

    def pick(self, members: Sequence[Member], now_s: float, random: Callable[[], float]) -> Member:
        return take_turn(members, [member.ramp for member in members])
