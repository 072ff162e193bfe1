"""The better of two drawn at random, by peak EWMA latency: Finagle's P2C, made to know weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from .member import Member


class PowerOfTwoChoices:
    """Of two distinct members, the one where the next attempt would wait less (Mitzenmacher 2001).

    No herd runs to the one that looks best to everybody, and the slow are avoided without a look at all.

    A weight is the part of the rounds that a member takes part in: the first is drawn in proportion to the
    weights, then a bar uniformly between 0 and its weight, and the second from those whose weight reaches the
    bar. So with equal weights each round is Finagle's; with equal loads each member is picked in exact
    proportion to its weight; and a weight of 3 beside 1 still loses its half of the rounds when it is slow.
    """

    __slots__ = ()

    def pick(self, members: Sequence[Member], now_s: float, random: Callable[[], float]) -> Member:
        weights = [member.weight for member in members]
        first = _drawn(weights, random())
        bar = random() * weights[first]
        rivals = [index for index, weight in enumerate(weights) if weight >= bar and index != first]
        if not rivals:
            return members[first]
        one, other = members[first], members[rivals[int(random() * len(rivals))]]
        return other if _load(other, now_s) < _load(one, now_s) else one


def _drawn(weights: Sequence[float], chance: float) -> int:
    """An index, in proportion to the weights; `chance` is from 0 to 1, exclusive.

    >>> [_drawn([1.0, 3.0], chance) for chance in (0.0, 0.24, 0.25, 0.99)]
    [0, 0, 1, 1]
    """
    sums = list(accumulate(weights))
    mark = chance * sums[-1]
    return next((index for index, total in enumerate(sums) if mark < total), len(sums) - 1)


def _load(member: Member, now_s: float) -> float:
    return member.latency.load(member.in_flight, now_s)
