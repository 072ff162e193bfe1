"""What the rule of a keyword may ask of the routine that calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from .conjunction import Conjunction
from .difference import Difference
from .facts import Facts
from .side import Part


class Engine(Protocol):
    """Containment, as its own rules see it."""

    def contains(self, wide: Part, narrow: Conjunction) -> tuple[Difference, ...]:
        """Why a value of `narrow` may not be one of `wide`; empty where all are."""
        ...

    def facts(self, conjunction: Conjunction) -> Facts:
        """The facts of a conjunction, computed once."""
        ...

    def empty(self, conjunction: Conjunction) -> bool:
        """Whether no value satisfies a conjunction for certain."""
        ...

    def apart(self, part: Part, facts: Facts) -> bool:
        """Whether no value of the facts satisfies `part` for certain."""
        ...


Rule: TypeAlias = Callable[[Engine, Part, Facts], list[Difference]]
"""(engine, wider schema, facts of the narrower) to what one keyword of the wider one demands in vain."""
