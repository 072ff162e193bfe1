"""Consistent hashing: equal keys go to the same endpoint, in every process and after every restart."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Generic

from dhatu_gateway.core.upstream.balancing.group import C, Candidate, Group

POINTS: Final = 160
"""On the ring for a weight of 1, as in libketama: shares of equals differ by some 8 %."""
MAX_POINTS: Final = 1_600


class RingHash:
    """Each candidate owns points on a ring; a key belongs to the owner of the first point after its hash.

    Where one leaves, only its own keys move (Karger 1997). The order of the candidates does not matter, nor
    does Python's seed of hashes. A slow start changes nothing here: the keys of an endpoint are its own.
    """

    __slots__ = ()

    def pick(self, group: Group[C], key: bytes, now_s: float, /) -> C:
        origin = group.origin or group
        ring: Ring[C] | None = origin.ring
        if ring is None:
            ring = origin.ring = Ring(origin.members)
        return ring.owner(key) if origin is group else ring.owner_among(key, group.members)


class Ring(Generic[C]):
    """The points of some candidates, in their order around the ring."""

    __slots__ = ("_owners", "_points")

    def __init__(self, members: Sequence[C]) -> None:
        pairs = [
            (point, index)
            for index, member in enumerate(members)
            for point in points_of(member.name, share_of(member))
        ]
        pairs.sort(key=lambda pair: (pair[0], members[pair[1]].name))
        self._points = [point for point, _ in pairs]
        self._owners = [members[index] for _, index in pairs]

    def owner(self, key: bytes) -> C:
        at = bisect_right(self._points, hashed(key))
        return self._owners[at] if at < len(self._owners) else self._owners[0]

    def owner_among(self, key: bytes, members: Sequence[C]) -> C:
        """The first owner from there on that is one of the members."""
        at = bisect_right(self._points, hashed(key))
        for owner in (*self._owners[at:], *self._owners[:at]):
            if owner in members:
                return owner
        return members[0]


def share_of(member: Candidate) -> int:
    """How many points a candidate gets: 160 for each unit of the weight that it has of its own."""
    return min(MAX_POINTS, max(1, round(POINTS * member.own_weight)))


@lru_cache(maxsize=1_024)
def points_of(name: str, count: int) -> tuple[int, ...]:
    """Where a candidate's points are, in order; remembered, for groups change more often than endpoints."""
    return tuple(sorted(hashed(f"{name}#{number}".encode()) for number in range(count)))


def hashed(key: bytes) -> int:
    """64 bits that depend on the key alone."""
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")
