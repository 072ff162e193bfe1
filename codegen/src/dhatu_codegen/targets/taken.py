"""Names that are free in a scope, each given out once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, count


class Taken:
    """The names of one scope."""

    def __init__(self, reserved: Iterable[str] = (), *, separator: str = "_", mark: str = "_") -> None:
        self._taken = set(reserved)
        self._separator = separator
        self._mark = mark
        self._reserved = frozenset(self._taken)

    def give(self, wanted: str, *otherwise: str) -> str:
        """The first of the names that is free, else the last one numbered; a reserved one gets a mark.

        >>> names = Taken({"self"})
        >>> names.give("id"), names.give("id", "id_body"), names.give("id", "id_body"), names.give("self")
        ('id', 'id_body', 'id_body_2', 'self_')
        """
        last = (wanted, *otherwise)[-1]
        numbered = (f"{last}{self._separator}{number}" for number in count(2))
        for name in chain((wanted, *otherwise), numbered):
            free = name + self._mark if name in self._reserved else name
            if free not in self._taken:
                self._taken.add(free)
                return free
        raise AssertionError("the numbers do not end")
