"""Phrases: sequences of words that occur together more often than chance would have it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .texts import Token

Gram: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseQuery:
    """Which phrases are wanted."""

    max_words: int = 3
    min_count: int = 2
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words that occur together, in this order."""

    tokens: Gram
    count: int
    pmi: float
    """In bits: log2(p(w1 ... wn) / (p(w1) * ... * p(wn))) (Church and Hanks, Computational Linguistics 16,
    1990); for n > 2 the specific correlation of Van de Cruys (DiSCo 2011)."""
    log_likelihood: float
    """The least `log_likelihood_ratio` over the places where the phrase can be cut in two."""
    places: tuple[tuple[Token, Token], ...]
    """First and last token of each occurrence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The strongest phrases, and how many there are in all."""

    strongest: tuple[Phrase, ...]
    total: int


def find_phrases(sentences: Sequence[Sequence[Token]], query: PhraseQuery) -> Phrases:
    """Phrases of two to `max_words` words within a sentence, by log-likelihood.

    A phrase counts where every joint between its words is tighter than chance. One that only ever occurs
    within a longer phrase is left out.
    """
    counts = _count(sentences, query.max_words)
    words = sum(count for gram, count in counts.items() if len(gram) == 1)
    strengths: dict[Gram, float] = {}
    for gram, count in counts.items():
        if len(gram) > 1 and count >= query.min_count:
            strength = _weakest_joint(gram, counts, words)
            if strength > 0:
                strengths[gram] = strength
    kept = _without_parts(strengths, counts)
    best = sorted(kept, key=lambda gram: (-strengths[gram], -counts[gram], -len(gram), gram))[: query.limit]
    places = _places(sentences, best)
    windows = {n: sum(max(0, len(s) - n + 1) for s in sentences) for n in range(2, query.max_words + 1)}
    phrases = tuple(
        Phrase(
            tokens=gram,
            count=counts[gram],
            pmi=_pmi(gram, counts, words, windows[len(gram)]),
            log_likelihood=strengths[gram],
            places=tuple(places[gram]),
        )
        for gram in best
    )
    return Phrases(strongest=phrases, total=len(kept))


def log_likelihood_ratio(both: int, left: int, right: int, total: int) -> float:
    """G² = 2 * sum(observed * ln(observed / expected)) over the 2x2 table (Dunning, CL 19, 1993).

    Of `total` places, `left` hold the first part, `right` the second, `both` one after the other. Negative
    where they occur together less often than by chance; 0 where exactly as often. 10.83 is the 0.1 % point of
    chi-square with one degree of freedom.
    """
    cells = (
        (both, left * right),
        (left - both, left * (total - right)),
        (right - both, (total - left) * right),
        (total - left - right + both, (total - left) * (total - right)),
    )
    ratio = 2 * sum(
        observed * math.log(observed * total / product)
        for observed, product in cells
        if observed > 0 and product > 0
    )
    return math.copysign(max(ratio, 0.0), both * total - left * right)


def _count(sentences: Sequence[Sequence[Token]], max_words: int) -> Counter[Gram]:
    counts: Counter[Gram] = Counter()
    for sentence in sentences:
        words = [token.text for token in sentence]
        for n in range(1, min(max_words, len(words)) + 1):
            counts.update(zip(*(words[offset:] for offset in range(n)), strict=False))
    return counts


def _weakest_joint(gram: Gram, counts: Mapping[Gram, int], words: int) -> float:
    return min(
        log_likelihood_ratio(counts[gram], counts[gram[:cut]], counts[gram[cut:]], words)
        for cut in range(1, len(gram))
    )


def _without_parts(strengths: Mapping[Gram, float], counts: Mapping[Gram, int]) -> list[Gram]:
    """Leaves out what occurs exactly as often as a phrase that is one word longer."""
    parts = {part for gram in strengths for part in (gram[1:], gram[:-1]) if counts[part] == counts[gram]}
    return [gram for gram in strengths if gram not in parts]


def _places(
    sentences: Sequence[Sequence[Token]], grams: Sequence[Gram]
) -> Mapping[Gram, list[tuple[Token, Token]]]:
    places: dict[Gram, list[tuple[Token, Token]]] = defaultdict(list)
    wanted = set(grams)
    lengths = sorted({len(gram) for gram in grams})
    for sentence in sentences:
        words = [token.text for token in sentence]
        for n in lengths:
            for start in range(len(words) - n + 1):
                gram = tuple(words[start : start + n])
                if gram in wanted:
                    places[gram].append((sentence[start], sentence[start + n - 1]))
    return places


def _pmi(gram: Gram, counts: Mapping[Gram, int], words: int, windows: int) -> float:
    chance = sum(math.log2(counts[(word,)] / words) for word in gram)
    return math.log2(counts[gram] / windows) - chance
