"""Equal turns."""

from __future__ import annotations

from dhatu_gateway.core.upstream.balancing.group import C, Group
from dhatu_gateway.core.upstream.balancing.weighted import take_turn


class RoundRobin:
    """Each candidate in its turn, whatever the weights; only a slow start counts."""

    __slots__ = ("_turn",)

    def __init__(self) -> None:
        self._turn = 0

    def pick(self, group: Group[C], key: bytes, now_s: float, /) -> C:
        members = group.members
        if group.starting:
            return take_turn(members, [member.weight / member.own_weight for member in members])
        turn = self._turn % len(members)
        self._turn = turn + 1
        return members[turn]
