"""From texts to the patterns that an answer holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from .dhatus import Occurrences, find_dhatus
from .models import (
    MAX_FORMS,
    MAX_POSITIONS,
    DhatuForm,
    DhatuPattern,
    NgramPattern,
    Pattern,
    PatternQuery,
    PatternReport,
    PatternTotals,
    RepeatPattern,
    TextSpan,
)
from .ngrams import Phrase, PhraseQuery, find_phrases
from .repeats import Repeat, RepeatQuery, find_repeats
from .texts import Texts, Token


def detect(texts: Texts, query: PatternQuery) -> PatternReport:
    """Every kind of pattern that is asked for, the strongest of each first."""
    patterns: list[Pattern] = []
    totals = {"repeat": 0, "ngram": 0, "dhatu": 0}
    if "repeat" in query.kinds:
        wanted = RepeatQuery(min_length=query.min_length, min_count=query.min_count, limit=query.limit)
        repeats = find_repeats(texts.documents, wanted)
        patterns += map(_repeat_pattern, repeats.strongest)
        totals["repeat"] = repeats.total
    if "ngram" in query.kinds:
        phrases = find_phrases(
            texts.sentences,
            PhraseQuery(max_words=query.max_words, min_count=query.min_count, limit=query.limit),
        )
        patterns += map(_ngram_pattern, phrases.strongest)
        totals["ngram"] = phrases.total
    if "dhatu" in query.kinds:
        dhatus = find_dhatus(texts.tokens)
        patterns += map(_dhatu_pattern, dhatus[: query.limit])
        totals["dhatu"] = len(dhatus)
    return PatternReport(
        patterns=patterns,
        documents=len(texts.documents),
        characters=texts.characters,
        tokens=len(texts.tokens),
        totals=PatternTotals(**totals),
    )


def _repeat_pattern(repeat: Repeat) -> RepeatPattern:
    size = len(repeat.text)
    return RepeatPattern(
        text=repeat.text,
        count=len(repeat.positions),
        covered_characters=repeat.covered_characters,
        positions=[
            TextSpan(document=document, start=start, end=start + size)
            for document, start in repeat.positions[:MAX_POSITIONS]
        ],
    )


def _ngram_pattern(phrase: Phrase) -> NgramPattern:
    return NgramPattern(
        tokens=list(phrase.tokens),
        n=len(phrase.tokens),
        count=phrase.count,
        pmi=round(phrase.pmi, 3),
        log_likelihood=round(phrase.log_likelihood, 3),
        positions=_spans(phrase.places),
    )


def _dhatu_pattern(occurrences: Occurrences) -> DhatuPattern:
    dhatu = occurrences.dhatu
    return DhatuPattern(
        dhatu=dhatu.root,
        gana=dhatu.gana,
        gloss=dhatu.gloss,
        count=occurrences.count,
        forms=[_form(word, tokens) for word, tokens in islice(occurrences.forms.items(), MAX_FORMS)],
    )


def _form(word: str, tokens: Sequence[Token]) -> DhatuForm:
    return DhatuForm(form=word, count=len(tokens), positions=_spans((token, token) for token in tokens))


def _spans(places: Iterable[tuple[Token, Token]]) -> list[TextSpan]:
    return [
        TextSpan(document=first.document, start=first.start, end=last.end)
        for first, last in islice(places, MAX_POSITIONS)
    ]
