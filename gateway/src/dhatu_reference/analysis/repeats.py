"""Maximal repeats by suffix array.

A repeat is maximal where it cannot be made longer, to the left or to the right, without losing an occurrence
(Gusfield, Algorithms on Strings, Trees, and Sequences, 1997, section 7.12). Right-maximal repeats are the
intervals of the LCP array (Abouelhoda, Kurtz and Ohlebusch, Journal of Discrete Algorithms 2, 2004); of
these, the left-maximal ones are preceded by at least two different characters. A text of n characters has
fewer than n.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]

_FIRST_SENTINEL: Final = 0x110000  # beyond every code point
_CANDIDATES_PER_REPEAT: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatQuery:
    """Which repeats are wanted."""

    min_length: int = 4
    """In characters."""
    min_count: int = 2
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A passage that occurs several times."""

    text: str
    positions: tuple[tuple[int, int], ...]
    """(document, first character), sorted; occurrences may overlap."""
    covered_characters: int
    """Size of the union of all occurrences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The strongest repeats, and how many maximal repeats there are in all."""

    strongest: tuple[Repeat, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    """The suffixes `first` to `last` of the suffix array share exactly `length` characters."""

    length: int
    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def strength(self) -> tuple[int, int, int]:
        """Characters spared if all occurrences but one were mere references; of equals the longer."""
        return self.length * (self.count - 1), self.length, -self.first


def find_repeats(documents: Sequence[str], query: RepeatQuery) -> Repeats:
    """The maximal repeats within and across documents, ranked by length * (count - 1).

    A repeat that contains a stronger one, or lies in it, is left out unless one of them occurs half as often
    again as the other. Takes O(n log² n) time for n characters.
    """
    index = _Index(documents)
    found = list(index.maximal_repeats(query))
    candidates = heapq.nlargest(query.limit * _CANDIDATES_PER_REPEAT, found, key=lambda item: item.strength)
    chosen: list[tuple[_Interval, str]] = []
    for interval in candidates:
        text = index.text(interval)
        if len(chosen) < query.limit and not any(_alike(interval, text, *other) for other in chosen):
            chosen.append((interval, text))
    return Repeats(strongest=tuple(index.repeat(interval) for interval, _ in chosen), total=len(found))


def _alike(one: _Interval, one_text: str, other: _Interval, other_text: str) -> bool:
    if 2 * max(one.count, other.count) >= 3 * min(one.count, other.count):
        return False
    return one_text in other_text or other_text in one_text


class _Index:
    """The suffix array of all documents, each closed by a sentinel of its own, so that no repeat spans
    two."""

    def __init__(self, documents: Sequence[str]) -> None:
        self._documents = documents
        sizes = np.array([len(document) + 1 for document in documents], dtype=np.int64)
        self._starts: Integers = np.cumsum(sizes) - sizes
        parts = [
            np.append(_code_points(document), _FIRST_SENTINEL + number)
            for number, document in enumerate(documents)
        ]
        self._codes: Integers = np.concatenate(parts)
        self._suffixes = _suffix_array(self._codes)

    def maximal_repeats(self, query: RepeatQuery) -> Iterator[_Interval]:
        changes = self._left_changes()
        for interval in _lcp_intervals(_common_prefixes(self._codes, self._suffixes)):
            if (
                interval.length >= query.min_length
                and interval.count >= query.min_count
                and changes[interval.last] > changes[interval.first]
            ):
                yield interval

    def text(self, interval: _Interval) -> str:
        document, start = self._place(int(self._suffixes[interval.first]))
        return self._documents[document][start : start + interval.length]

    def repeat(self, interval: _Interval) -> Repeat:
        places: Integers = np.sort(self._suffixes[interval.first : interval.last + 1])
        covered = interval.length + int(np.minimum(np.diff(places), interval.length).sum())
        positions = tuple(self._place(place) for place in places.tolist())
        return Repeat(text=self.text(interval), positions=positions, covered_characters=covered)

    def _left_changes(self) -> list[int]:
        """For each suffix, how often the character to the left has changed since the first suffix."""
        left: Integers = self._codes[self._suffixes - 1]
        left[self._suffixes == 0] = -1
        changes: list[int] = np.concatenate(([0], np.cumsum(np.diff(left) != 0))).tolist()
        return changes

    def _place(self, position: int) -> tuple[int, int]:
        document = int(np.searchsorted(self._starts, position, side="right")) - 1
        return document, position - int(self._starts[document])


def _code_points(text: str) -> Integers:
    # surrogatepass: a lone surrogate is no character, but a str may hold one
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)


def _suffix_array(codes: Integers) -> Integers:
    """Prefix doubling (Manber and Myers, SIAM J. Comput. 22, 1993); no two suffixes may be equal."""
    size = len(codes)
    rank: Integers = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    step = 1
    while True:
        key = rank * (size + 1)
        key[: size - step] += rank[step:] + 1
        order: Integers = np.argsort(key, kind="stable")
        rank = np.empty(size, dtype=np.int64)
        rank[order] = np.concatenate(([0], np.cumsum(np.diff(key[order]) != 0)))
        if rank[order[-1]] == size - 1:
            return order
        step *= 2


def _common_prefixes(codes: Integers, suffixes: Integers) -> list[int]:
    """`lcp[k]`: what suffixes k - 1 and k have in common (Kasai et al., CPM 2001); `lcp[0]` is 0."""
    size = len(codes)
    text: list[int] = codes.tolist()
    order: list[int] = suffixes.tolist()
    rank = np.empty(size, dtype=np.int64)
    rank[suffixes] = np.arange(size)
    lcp = [0] * size
    common = 0
    for position, place in enumerate(rank.tolist()):
        if place == 0:
            common = 0
            continue
        other = order[place - 1]
        # The sentinels differ from everything, so this stops before either suffix ends.
        while text[position + common] == text[other + common]:
            common += 1
        lcp[place] = common
        common = max(common - 1, 0)
    return lcp


def _lcp_intervals(lcp: list[int]) -> Iterator[_Interval]:
    """Every interval of suffixes that share more with one another than with their neighbours."""
    open_intervals = [(0, 0)]
    for place, common in enumerate([*lcp[1:], 0], start=1):
        first = place - 1
        while open_intervals[-1][0] > common:
            length, first = open_intervals.pop()
            yield _Interval(length=length, first=first, last=place - 1)
        if open_intervals[-1][0] < common:
            open_intervals.append((common, first))
