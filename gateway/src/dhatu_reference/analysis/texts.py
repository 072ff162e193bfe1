"""Several texts looked at together, cut into sentences and words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

MAX_CHARACTERS: Final = 200_000
"""Of all texts together."""

# Python's \w leaves out combining marks, without which decomposed IAST and Indic scripts have no whole words.
_MARKS: Final = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u200c\u200d"
_WORD: Final = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}]|['’](?=[^\W_]))*")
_SENTENCE_END: Final = re.compile(r"[.!?|।॥]|\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word, and where it stands in its document (Unicode code points)."""

    document: int
    start: int
    end: int
    text: str
    """In lower case, NFC."""


@dataclass(frozen=True, kw_only=True)  # without slots, so that the words are cut once
class Texts:
    """One or more documents."""

    documents: tuple[str, ...]

    @cached_property
    def characters(self) -> int:
        return sum(map(len, self.documents))

    @cached_property
    def sentences(self) -> tuple[tuple[Token, ...], ...]:
        """The words of each sentence that has any; a sentence ends at .!?|।॥ and at an empty line."""
        return tuple(
            sentence
            for index, document in enumerate(self.documents)
            for sentence in _sentences(index, document)
        )

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(token for sentence in self.sentences for token in sentence)


def _sentences(index: int, document: str) -> list[tuple[Token, ...]]:
    sentences: list[tuple[Token, ...]] = []
    current: list[Token] = []
    end = 0
    for match in _WORD.finditer(document):
        if current and _SENTENCE_END.search(document, end, match.start()):
            sentences.append(tuple(current))
            current = []
        end = match.end()
        text = unicodedata.normalize("NFC", match.group().lower())
        current.append(Token(document=index, start=match.start(), end=end, text=text))
    if current:
        sentences.append(tuple(current))
    return sentences
