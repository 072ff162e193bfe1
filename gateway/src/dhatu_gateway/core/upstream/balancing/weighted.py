"""Turns in proportion to the weights, spread evenly: nginx's smooth weighted round robin."""

from __future__ import annotations

from collections.abc import Sequence

from dhatu_gateway.core.upstream.balancing.group import C, Group


class SmoothWeighted:
    """Weights 5, 1, 1 give a a b a c a a, not a a a a a b c."""

    __slots__ = ()

    def pick(self, group: Group[C], key: bytes, now_s: float, /) -> C:
        return take_turn(group.members, [member.weight for member in group.members])


def take_turn(members: Sequence[C], weights: Sequence[float]) -> C:
    """The member whose turn it is: everybody's grows by their weight, the largest pays the sum of them."""
    chosen = members[0]
    for member, weight in zip(members, weights, strict=True):
        member.turn += weight
        if member.turn > chosen.turn:
            chosen = member
    chosen.turn -= sum(weights)
    return chosen
