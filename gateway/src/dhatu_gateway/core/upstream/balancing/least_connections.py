"""The least busy: nginx's least_conn."""

from __future__ import annotations

from collections.abc import Sequence

from dhatu_gateway.core.upstream.balancing.group import C, Group
from dhatu_gateway.core.upstream.balancing.weighted import take_turn


class LeastConnections:
    """The fewest requests under way for its weight; equals take turns: an idle service is used evenly.

    One pass over all: right up to some dozen endpoints. It knows the requests of this process alone.
    """

    __slots__ = ("_turn",)

    def __init__(self) -> None:
        self._turn = 0

    def pick(self, group: Group[C], key: bytes, now_s: float, /) -> C:
        members = group.members
        if group.weighted:
            return _least_for_its_weight(members)
        count = len(members)
        start = self._turn % count
        best = members[start]
        chosen = start
        for offset in range(1, count):
            index = (start + offset) % count
            if members[index].in_flight < best.in_flight:
                best, chosen = members[index], index
        self._turn = chosen + 1
        return best


def _least_for_its_weight(members: Sequence[C]) -> C:
    loads = [member.in_flight / member.weight for member in members]
    least = min(loads)
    idle = [member for member, load in zip(members, loads, strict=True) if load == least]
    return idle[0] if len(idle) == 1 else take_turn(idle, [member.weight for member in idle])
