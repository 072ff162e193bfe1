"""What a balancer is, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from .least_connections import LeastConnections
from .member import Member
from .p2c_ewma import PowerOfTwoChoices
from .policy import Algorithm
from .round_robin import RoundRobin
from .weighted import SmoothWeighted


class Balancer(Protocol):
    """Picks one of the members; called under the pool's lock, once for each attempt."""

    def pick(self, members: Sequence[Member], now_s: float, random: Callable[[], float]) -> Member:
        """`members` is never empty; which ones it holds may change from call to call."""
        ...


BALANCERS: Final[dict[Algorithm, Callable[[], Balancer]]] = {
    "p2c_ewma": PowerOfTwoChoices,
    "round_robin": RoundRobin,
    "weighted": SmoothWeighted,
    "least_connections": LeastConnections,
}
