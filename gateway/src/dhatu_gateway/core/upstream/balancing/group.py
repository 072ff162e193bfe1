"""The endpoints that may be picked at one moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Generic, Protocol, TypeVar

from dhatu_gateway.core.upstream.balancing.latency import PeakEwma


class Candidate(Protocol):
    """Something that a request can go to."""

    in_flight: int
    """Requests that it is working on now."""
    weight: float
    """Its share now, above 0; less than its own while it starts slowly."""
    own_weight: float
    turn: float
    """How much its turn is due (nginx's `current_weight`); the balancers' own."""
    latency: PeakEwma

    @property
    def name(self) -> str:
        """The same in every process: what a hash is made of."""
        ...


C = TypeVar("C", bound=Candidate)


class Group(Generic[C]):
    """Candidates in a stable order, at least one; made when something changes, not when one is picked."""

    __slots__ = ("members", "origin", "ring", "starting", "weighted")

    def __init__(self, members: Sequence[C], origin: Group[C] | None = None) -> None:
        self.members = tuple(members)
        self.origin = origin
        """The group that these are a part of, for this one request."""
        self.weighted = len({member.weight for member in self.members}) > 1
        """Whether their weights differ."""
        self.starting = any(member.weight != member.own_weight for member in self.members)
        """Whether one of them starts slowly."""
        self.ring: Any = None
        """What the consistent hash has made of it."""

    def without(self, avoided: Collection[C]) -> Group[C]:
        """The others, for one pick; all where none is left."""
        rest = [member for member in self.members if member not in avoided]
        return Group(rest, self) if rest and len(rest) < len(self.members) else self
