"""Schemas that hold for one value together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from .side import Part

Choice: TypeAlias = tuple[tuple[int, str, str], tuple[Part, ...]]
"""The union (by part and keyword), and its branches."""

ConjunctionKey: TypeAlias = tuple[
    frozenset[tuple[int, str]], frozenset[tuple[int, str, str]], frozenset[tuple[int, str]]
]


@dataclass(frozen=True, kw_only=True)
class Conjunction:
    """Schemas that a value satisfies together, and the unions in them whose branch is among them already."""

    parts: tuple[Part, ...]
    decided: frozenset[tuple[int, str, str]] = frozenset()
    excluded: tuple[Part, ...] = ()
    """Schemas that the value does not satisfy: the other branches of a oneOf."""

    @cached_property
    def key(self) -> ConjunctionKey:
        """Equal for conjunctions of the same schemas in any order."""
        parts, excluded = (frozenset(part.key for part in listed) for listed in (self.parts, self.excluded))
        return (parts, self.decided, excluded)

    def with_parts(self, *parts: Part) -> Conjunction:
        """The conjunction with more schemas in it."""
        return replace(self, parts=(*self.parts, *parts))

    def with_branch(self, choice: Choice, branch: Part) -> Conjunction:
        """The conjunction with one branch of a union decided."""
        identity, branches = choice
        others = tuple(other for other in branches if other is not branch) if identity[2] == "oneOf" else ()
        return Conjunction(
            parts=(*self.parts, branch),
            decided=self.decided | {identity},
            excluded=(*self.excluded, *others),
        )
