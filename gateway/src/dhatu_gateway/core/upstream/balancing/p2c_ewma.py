"""The better of two drawn at random, by peak EWMA latency: Finagle's P2C, made to know weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from dhatu_gateway.core.upstream.balancing.group import C, Group


class PowerOfTwoChoices:
    """Of two distinct candidates, the one where the next request would wait less (Mitzenmacher 2001).

    No herd runs to the one that looks best to everybody, and the slow are avoided without a look at all.

    A weight is the part of the rounds that a candidate takes part in: the first is drawn in proportion to the
    weights, then a bar uniformly between 0 and its weight, and the second from those whose weight reaches the
    bar. So with equal weights each round is Finagle's, in constant time; with equal loads each candidate is
    picked in exact proportion to its weight.
    """

    __slots__ = ("_random",)

    def __init__(self, random: Callable[[], float]) -> None:
        """`random` yields floats in [0, 1)."""
        self._random = random

    def pick(self, group: Group[C], key: bytes, now_s: float, /) -> C:
        members = group.members
        if group.weighted:
            one, other = self._drawn_by_weight(members)
        else:
            count = len(members)
            if count == 1:
                return members[0]
            first = int(self._random() * count)
            second = int(self._random() * (count - 1))
            one, other = members[first], members[second + (second >= first)]
        slower = other.latency.load(other.in_flight, now_s) < one.latency.load(one.in_flight, now_s)
        return other if slower else one

    def _drawn_by_weight(self, members: Sequence[C]) -> tuple[C, C]:
        weights = [member.weight for member in members]
        first = drawn(weights, self._random())
        bar = self._random() * weights[first]
        rivals = [index for index, weight in enumerate(weights) if weight >= bar and index != first]
        if not rivals:
            return members[first], members[first]
        return members[first], members[rivals[int(self._random() * len(rivals))]]


def drawn(weights: Sequence[float], chance: float) -> int:
    """An index, in proportion to the weights; `chance` is from 0 to 1, exclusive.

    >>> [drawn([1.0, 3.0], chance) for chance in (0.0, 0.24, 0.25, 0.99)]
    [0, 0, 1, 1]
    """
    sums = list(accumulate(weights))
    mark = chance * sums[-1]
    return next((index for index, total in enumerate(sums) if mark < total), len(sums) - 1)
