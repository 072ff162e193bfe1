"""What the storages know of an algorithm."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.decision import Decision

MAX_EXACT = 2**53
"""Integers below it are the same in Python and in Lua."""

State: TypeAlias = tuple[int, ...]
"""What an algorithm remembers of one caller; never changed, always replaced."""


class Algorithm(Protocol):
    """One limit, its figures in units that keep the arithmetic whole.

    A clock that goes back counts as standing still.
    """

    @property
    def name(self) -> str:
        """As `x-dhatu` and the scripts call it."""
        ...

    @property
    def fresh(self) -> State:
        """The state of a caller who has never called."""
        ...

    @property
    def figures(self) -> tuple[int, int, int]:
        """What the script needs to know; 0 where it needs less."""
        ...

    @property
    def largest(self) -> int:
        """The most that can be charged at once."""
        ...

    def step(self, state: State, now_us: int, cost: int) -> tuple[State, Decision]:
        """Charge a call of `cost` at `now_us` where the limit allows it; a cost of 0 only looks."""
        ...

    def charge(self, state: State, now_us: int, cost: int) -> State:
        """Charge a call that has been refused, as far as there is something left to take."""
        ...

    def is_fresh(self, state: State, now_us: int) -> bool:
        """Whether the state says no more than `fresh` does."""
        ...


def window_us(limit: RateLimit) -> int:
    """The window in whole microseconds."""
    return round(limit.window_s * 1_000_000)


def refuse(limit: RateLimit, needed: str) -> ValueError:
    """The error that says why a limit cannot be counted."""
    return ValueError(
        f"{limit.algorithm}: a limit of {limit.limit} calls per {limit.window_s:g} s with a burst of "
        f"{limit.burst} and a cost of {limit.cost} cannot be counted: {needed}"
    )
