"""Turns in proportion to the weights, spread evenly: nginx's smooth weighted round robin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .member import Member


class SmoothWeighted:
    """Weights 5, 1, 1 give a a b a c a a, not a a a a a b c.

    At each pick everybody's turn grows by their weight; the largest is picked and pays the sum of them.
    """

    __slots__ = ()

    def pick(self, members: Sequence[Member], now_s: float, random: Callable[[], float]) -> Member:
        return take_turn(members, [member.weight for member in members])


def take_turn(members: Sequence[Member], weights: Sequence[float]) -> Member:
    """The member whose turn it is; the turns of those that are not among them stay as they are."""
    for member, weight in zip(members, weights, strict=True):
        member.turn += weight
    chosen = max(members, key=_turn)
    chosen.turn -= sum(weights)
    return chosen


def _turn(member: Member) -> float:
    return member.turn
