"""Routes that one path could match both of.

OpenAPI picks the path before the method, and a router the most specific path. So two templates may overlap
only where one is strictly more specific: all that it matches, the other matches too. What is left is refused
here with a path that both would match, since which of them won would be an accident.

A segment is a word over literal characters and holes; a hole stands for one or more characters.
"""

from __future__ import annotations

import itertools
import re
from typing import Final, TypeAlias

from ..diagnostics import Diagnostics, Related
from ..ir.api import Api
from ..ir.operation import Operation
from .route_tree import RouteTree

Segment: TypeAlias = tuple[str, ...]
"""Literal characters one by one, and HOLE."""

HOLE: Final = ""
_TEMPLATE: Final = re.compile(r"\{[^{}]*\}|.", re.DOTALL)
_ANY: Final = "any"
_LOOP: Final = "loop"
_FILLER: Final = "x"
_FRESH: Final = "\0"
"""A character that no literal can match: it stands for whatever a hole may hold."""


def overlapping_routes(api: Api, diagnostics: Diagnostics) -> None:
    """DH034: no path is matched by two templates of which neither is strictly more specific."""
    first_of: dict[str, Operation] = {}
    for operation in api.operations:
        first_of.setdefault(operation.path, operation)
    earlier: RouteTree[Operation] = RouteTree()
    for path, operation in first_of.items():
        segments = split(path)
        for other in earlier.near(segments):
            witness = overlap(segments, split(other.path))
            if witness:
                diagnostics.add(
                    "DH034",
                    f"{witness} would match both {operation.path} and {other.path}",
                    operation.source,
                    related=[Related(message=f"{other.path} stands here", source=other.source)],
                    hint="make one of them strictly more specific, or change its shape",
                )
        earlier.add(segments, operation)


def split(path: str) -> tuple[Segment, ...]:
    """The segments of a path template.

    >>> split("/a/{id}.txt")
    (('a',), ('', '.', 't', 'x', 't'))
    """
    return tuple(
        tuple(
            HOLE if token.startswith("{") and len(token) > 1 else token
            for token in _TEMPLATE.findall(segment)
        )
        for segment in path.split("/")[1:]
    )


def overlap(first: tuple[Segment, ...], second: tuple[Segment, ...]) -> str:
    """A path that both match where neither is strictly more specific; empty where all is well."""
    if len(first) != len(second):
        return ""
    shared: list[str] = []
    for one, other in zip(first, second, strict=True):
        text = common_text(one, other)
        if text is None:
            return ""
        shared.append(text)
    narrower = all(_within(one, other) for one, other in zip(first, second, strict=True))
    wider = all(_within(other, one) for one, other in zip(first, second, strict=True))
    return "" if narrower != wider else "/" + "/".join(shared)


def common_text(first: Segment, second: Segment) -> str | None:
    """The shortest text that both segments match; None where there is none.

    >>> common_text(split("/{name}.json")[0], split("/report.{kind}")[0])
    'report.json'
    """
    if HOLE not in first and HOLE not in second:
        return "".join(first) if first == second else None
    one, other = _states(first), _states(second)
    alphabet = sorted({*first, *second, _FILLER} - {HOLE})
    reached = {(0, 0): ""}
    queue = [(0, 0)]
    for places in queue:
        text = reached[places]
        if len(one) in _reach(one, places[0]) and len(other) in _reach(other, places[1]):
            return text
        for char in alphabet:
            for ahead in itertools.product(_steps(one, places[0], char), _steps(other, places[1], char)):
                if ahead not in reached:
                    reached[ahead] = text + char
                    queue.append(ahead)
    return None


def _within(narrow: Segment, wide: Segment) -> bool:
    """Whether `wide` matches all that `narrow` does: the same literals, and holes where that has holes."""
    marked = tuple(_FRESH if token == HOLE else token for token in narrow)
    return common_text(marked, wide) is not None


def _states(segment: Segment) -> list[str]:
    """A hole is one character of any kind, then a loop over more of them."""
    return [state for token in segment for state in ((_ANY, _LOOP) if token == HOLE else (token,))]


def _reach(states: list[str], place: int) -> list[int]:
    """The places reached without a character: a loop may be left at any time."""
    places = [place]
    while places[-1] < len(states) and states[places[-1]] == _LOOP:
        places.append(places[-1] + 1)
    return places


def _steps(states: list[str], place: int, char: str) -> list[int]:
    found: list[int] = []
    for here in _reach(states, place):
        state = states[here] if here < len(states) else ""
        if state == _LOOP:
            found.append(here)
        elif state in (_ANY, char):
            found.append(here + 1)
    return found
