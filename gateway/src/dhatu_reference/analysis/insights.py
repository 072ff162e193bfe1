"""What is remarkable about texts, in words and figures.

Each measure says with `score`, from 0 to 1, how far the texts are from having nothing to tell about it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from .dhatus import find_dhatus
from .models import Insight, InsightEvidence, InsightKind
from .ngrams import PhraseQuery, find_phrases
from .repeats import RepeatQuery, find_repeats
from .texts import Texts

Measure: TypeAlias = Callable[[Texts], Insight | None]

_SHOWN: Final = 5
_DIVERSITY_WINDOW_WORDS: Final = 100
_REPEAT_CHARACTERS: Final = 8
_REPEATS: Final = 100


def insights(texts: Texts, kinds: Collection[InsightKind] | None = None) -> Iterator[Insight]:
    """Insights of the given kinds, all when None, each computed when it is asked for.

    A measure that has nothing to go by, such as the rhythm of a single sentence, gives none.
    """
    for kind, measure in MEASURES.items():
        if kinds is None or kind in kinds:
            insight = measure(texts)
            if insight is not None:
                yield insight


def by_score(found: Iterable[Insight]) -> list[Insight]:
    """The most remarkable first."""
    return sorted(found, key=lambda insight: -insight.score)


def summary(texts: Texts, found: Iterable[Insight]) -> str:
    """The size of the texts and the titles of the three most remarkable insights."""
    size = f"{_number(len(texts.tokens), 'word')} in {_number(len(texts.documents), 'text')}."
    titles = [insight.title for insight in by_score(found)[:3]]
    return f"{size} Most remarkable: {'; '.join(titles)}." if titles else size


def vocabulary(texts: Texts) -> Insight | None:
    """The commonest words and those that occur once. Score: the share of the commonest word."""
    counts = Counter(token.text for token in texts.tokens)
    if not counts:
        return None
    total = counts.total()
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    once = sum(1 for count in counts.values() if count == 1)
    share = sum(count for _, count in common) / total
    word, count = common[0]
    return Insight(
        kind="vocabulary",
        title=f"the commonest word is {word} ({_number(count, 'time')})",
        detail=f"The {_number(len(common), 'commonest word')} make up {_percent(share)} of the text; "
        f"{_number(once, 'word')} occur only once.",
        evidence=[*_evidence(dict(common)), InsightEvidence(label="words that occur once", value=once)],
        score=_score(count / total),
    )


def diversity(texts: Texts) -> Insight | None:
    """How varied the words are. Score: 1 - ratio.

    The ratio is the moving-average type-token ratio (Covington and McFall, Journal of Quantitative
    Linguistics 17, 2010), which does not fall with the length of the text.
    """
    words = [token.text for token in texts.tokens]
    if not words:
        return None
    window = min(_DIVERSITY_WINDOW_WORDS, len(words))
    ratio = _moving_type_token_ratio(words, window)
    different = len(set(words))
    return Insight(
        kind="diversity",
        title=f"{different} different words among {len(words)}",
        detail=f"Of {window} words in a row, {ratio * window:.1f} are different on average "
        f"(moving-average type-token ratio {ratio:.3f}).",
        evidence=_evidence({"words": len(words), "different words": different, "type-token ratio": ratio}),
        score=_score(1 - ratio),
    )


def entropy(texts: Texts) -> Insight | None:
    """How predictable the characters are. Score: the redundancy 1 - H(X) / log2(different characters).

    H(X | previous), the entropy of a character when the one before it is known, is too low in short texts.
    """
    singles = Counter(character for document in texts.documents for character in document)
    pairs = Counter(pair for document in texts.documents for pair in pairwise(document))
    if not pairs or len(singles) == 1:
        return None
    previous: Counter[str] = Counter()
    for (first, _), count in pairs.items():
        previous[first] += count
    alone = _entropy(singles.values())
    after_one = max(_entropy(pairs.values()) - _entropy(previous.values()), 0.0)
    return Insight(
        kind="entropy",
        title=f"{alone:.2f} bits per character",
        detail=f"{len(singles)} different characters occur. Knowing the one before leaves "
        f"{after_one:.2f} bits to learn about a character, {_percent(1 - after_one / alone)} less.",
        evidence=_evidence(
            {
                "bits per character": alone,
                "bits after one character": after_one,
                "different characters": len(singles),
            }
        ),
        score=_score(1 - alone / math.log2(len(singles))),
    )


def repetition(texts: Texts) -> Insight | None:
    """How much of the text repeats. Score: the share of characters in passages that occur more than once."""
    query = RepeatQuery(min_length=_REPEAT_CHARACTERS, limit=_REPEATS)
    strongest = find_repeats(texts.documents, query).strongest
    if not strongest:
        return None
    spans = ((place, len(repeat.text)) for repeat in strongest for place in repeat.positions)
    share = _covered(spans) / texts.characters
    first = strongest[0]
    shown = {f"“{_short(repeat.text)}”": len(repeat.positions) for repeat in strongest[:_SHOWN]}
    return Insight(
        kind="repetition",
        title=f"{_percent(share)} of the text lies in repeated passages",
        detail=f"Passages of {_REPEAT_CHARACTERS} or more characters that occur more than once; the "
        f"strongest is “{_short(first.text)}”, {_number(len(first.positions), 'time')}.",
        evidence=[InsightEvidence(label="share of the text", value=_rounded(share)), *_evidence(shown)],
        score=_score(share),
    )


def phrase(texts: Texts) -> Insight | None:
    """The words that belong together most.

    Score: normalised pointwise mutual information of the strongest phrase (Bouma, GSCL 2009), divided by the
    number of its joints.
    """
    found = find_phrases(texts.sentences, PhraseQuery(limit=_SHOWN)).strongest
    if not found:
        return None
    first = found[0]
    surprise = math.log2(len(texts.tokens) / first.count) * (len(first.tokens) - 1)
    return Insight(
        kind="phrase",
        title=f"“{' '.join(first.tokens)}” belongs together",
        detail=f"It occurs {_number(first.count, 'time')}, {2**first.pmi:,.1f} times as often as its words "
        f"would meet by chance (log-likelihood {first.log_likelihood:.1f}).",
        evidence=_evidence({" ".join(item.tokens): item.log_likelihood for item in found}),
        score=_score(first.pmi / surprise if surprise else 0.0),
    )


def roots(texts: Texts) -> Insight | None:
    """The verbal roots that carry the text. Score: the share of words that are forms of a known root."""
    found = find_dhatus(texts.tokens)
    if not found:
        return None
    share = sum(item.count for item in found) / len(texts.tokens)
    named = ", ".join(f"{item.dhatu.root} ({item.dhatu.gloss})" for item in found[:3])
    return Insight(
        kind="roots",
        title=f"verbal roots: {named}",
        detail=f"{_percent(share)} of the words are forms of {_number(len(found), 'known verbal root')}.",
        evidence=_evidence({item.dhatu.root: item.count for item in found[:_SHOWN]}),
        score=_score(share),
    )


def rhythm(texts: Texts) -> Insight | None:
    """How long the sentences are. Score: cv / (1 + cv), where cv is the coefficient of variation."""
    lengths = [len(sentence) for sentence in texts.sentences]
    if len(lengths) < 2:
        return None
    mean = sum(lengths) / len(lengths)
    deviation = math.sqrt(sum((length - mean) ** 2 for length in lengths) / len(lengths))
    variation = deviation / mean
    manner = "even" if variation < 0.3 else "varied" if variation < 0.7 else "very uneven"
    return Insight(
        kind="rhythm",
        title=f"{mean:.1f} words per sentence, {manner}",
        detail=f"{len(lengths)} sentences of {min(lengths)} to {max(lengths)} words, {deviation:.1f} words "
        "around the mean (standard deviation).",
        evidence=_evidence({"sentences": len(lengths), "mean words": mean, "standard deviation": deviation}),
        score=_score(variation / (1 + variation)),
    )


MEASURES: Final[Mapping[InsightKind, Measure]] = {
    "vocabulary": vocabulary,
    "diversity": diversity,
    "rhythm": rhythm,
    "entropy": entropy,
    "roots": roots,
    "phrase": phrase,
    "repetition": repetition,
}
"""The cheap ones first, so that a stream begins at once."""


def _moving_type_token_ratio(words: Sequence[str], window: int) -> float:
    counts = Counter(words[:window])
    total = len(counts)
    for leaving, entering in zip(words, words[window:], strict=False):
        counts[entering] += 1
        counts[leaving] -= 1
        if not counts[leaving]:
            del counts[leaving]
        total += len(counts)
    return total / (window * (len(words) - window + 1))


def _entropy(counts: Collection[int]) -> float:
    """Shannon entropy in bits: -sum(p * log2(p))."""
    total = sum(counts)
    return -sum(count / total * math.log2(count / total) for count in counts)


def _covered(spans: Iterable[tuple[tuple[int, int], int]]) -> int:
    covered = 0
    reached = (0, 0)  # document, and the end of what has been counted there
    for (document, start), size in sorted(spans):
        begin = max(start, reached[1]) if document == reached[0] else start
        end = start + size
        covered += max(end - begin, 0)
        reached = (document, max(end, begin))
    return covered


def _evidence(figures: Mapping[str, float]) -> list[InsightEvidence]:
    return [InsightEvidence(label=label, value=_rounded(value)) for label, value in figures.items()]


def _rounded(value: float) -> float:
    return round(value, 3)


def _score(value: float) -> float:
    return _rounded(min(max(value, 0.0), 1.0))


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _short(text: str, characters: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= characters else text[: characters - 1] + "…"
