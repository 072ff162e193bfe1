"""Templates by their segments, so that a template is held against those few that it could meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class RouteTree(Generic[T]):
    """What was added, by the segments before: literal ones, and ones with holes, which may meet any."""

    literal: dict[tuple[str, ...], RouteTree[T]] = field(
        default_factory=dict[tuple[str, ...], "RouteTree[T]"]
    )
    holed: dict[tuple[str, ...], RouteTree[T]] = field(default_factory=dict[tuple[str, ...], "RouteTree[T]"])
    ends: list[T] = field(default_factory=list[T])

    def add(self, segments: tuple[tuple[str, ...], ...], value: T) -> None:
        """Add a value; in a segment, the empty string is a hole."""
        node = self
        for segment in segments:
            branches = node.holed if "" in segment else node.literal
            node = branches.setdefault(segment, RouteTree())
        node.ends.append(value)

    def near(self, segments: tuple[tuple[str, ...], ...]) -> list[T]:
        """All values whose segments are as many, and equal to these where neither has a hole."""
        nodes = [self]
        for segment in segments:
            further = [child for node in nodes for child in node.holed.values()]
            if "" in segment:
                further += [child for node in nodes for child in node.literal.values()]
            else:
                further += [node.literal[segment] for node in nodes if segment in node.literal]
            nodes = further
        return [value for node in nodes for value in node.ends]
