"""Which endpoint takes the next request: a pure choice over how busy each one is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Candidate(Protocol):
    """Something that a request can go to."""

    in_flight: int
    """Requests that it is working on now."""


C = TypeVar("C", bound=Candidate)


class Balancer(Protocol):
    """Picks one of the candidates; there is always at least one, in a stable order."""

    def pick(self, candidates: Sequence[C], /) -> C:
        """Choose for one request, in constant time or in one pass over the candidates."""
        ...


class RoundRobin:
    """Each candidate in its turn."""

    __slots__ = ("_turn",)

    def __init__(self) -> None:
        self._turn = 0

    def pick(self, candidates: Sequence[C], /) -> C:
        turn = self._turn % len(candidates)
        self._turn = turn + 1
        return candidates[turn]


class LeastInFlight:
    """The candidate with the fewest requests; equals take turns, so that an idle service is used evenly.

    One pass over all: right up to some dozen endpoints.
    """

    __slots__ = ("_turn",)

    def __init__(self) -> None:
        self._turn = 0

    def pick(self, candidates: Sequence[C], /) -> C:
        count = len(candidates)
        start = self._turn % count
        best = candidates[start]
        chosen = start
        for offset in range(1, count):
            index = (start + offset) % count
            if candidates[index].in_flight < best.in_flight:
                best, chosen = candidates[index], index
        self._turn = chosen + 1
        return best


class TwoRandomChoices:
    """The less busy of two candidates drawn at random (Mitzenmacher 2001; Envoy's LEAST_REQUEST).

    Constant time, and no herd running to the one that looked best to everybody.
    """

    __slots__ = ("_random",)

    def __init__(self, random: Callable[[], float]) -> None:
        """`random` yields floats in [0, 1)."""
        self._random = random

    def pick(self, candidates: Sequence[C], /) -> C:
        count = len(candidates)
        if count == 1:
            return candidates[0]
        first = int(self._random() * count)
        second = int(self._random() * (count - 1))
        if second >= first:
            second += 1
        one, other = candidates[first], candidates[second]
        return other if other.in_flight < one.in_flight else one
