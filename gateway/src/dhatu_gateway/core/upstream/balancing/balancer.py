"""What a balancer is, and which there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dhatu_gateway.core.upstream.balancing.group import C, Group
from dhatu_gateway.core.upstream.balancing.least_connections import LeastConnections
from dhatu_gateway.core.upstream.balancing.p2c_ewma import PowerOfTwoChoices
from dhatu_gateway.core.upstream.balancing.ring_hash import RingHash
from dhatu_gateway.core.upstream.balancing.round_robin import RoundRobin
from dhatu_gateway.core.upstream.balancing.weighted import SmoothWeighted
from dhatu_gateway.core.upstream.policy import Algorithm


class Balancer(Protocol):
    """Picks one candidate of a group."""

    def pick(self, group: Group[C], key: bytes, now_s: float, /) -> C:
        """Choose for one request, in constant time or in one pass; `key` is what a hash goes by."""
        ...


def balancer_for(algorithm: Algorithm, random: Callable[[], float]) -> Balancer:
    """The balancer of that name; `random` yields floats in [0, 1)."""
    match algorithm:
        case "least_connections":
            return LeastConnections()
        case "round_robin":
            return RoundRobin()
        case "weighted":
            return SmoothWeighted()
        case "p2c_ewma":
            return PowerOfTwoChoices(random)
        case "hash":
            return RingHash()
