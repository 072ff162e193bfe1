"""Requests and answers of the service, as its document describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from .texts import MAX_CHARACTERS

MAX_POSITIONS: Final = 100
"""Places of one pattern that an answer names."""
MAX_FORMS: Final = 100

PatternKind: TypeAlias = Literal["repeat", "ngram", "dhatu"]
InsightKind: TypeAlias = Literal[
    "vocabulary", "diversity", "entropy", "repetition", "phrase", "roots", "rhythm"
]
PictureFormat: TypeAlias = Literal["svg", "png"]

PATTERN_KINDS: Final[tuple[PatternKind, ...]] = ("repeat", "ngram", "dhatu")

_MAX_TEXTS: Final = 1000


def _documents(value: Any) -> tuple[str, ...]:
    """One text or several; by hand, because a union would name its branches in the error's pointer."""
    several = isinstance(value, list | tuple)
    texts = cast("Sequence[object]", value) if several else (value,)
    if not 1 <= len(texts) <= _MAX_TEXTS:
        raise _texts_error(f"must have 1 to {_MAX_TEXTS} texts")
    documents: list[str] = []
    for number, text in enumerate(texts, start=1):
        which = f"text {number} " if several else ""
        if not isinstance(text, str):
            raise _texts_error(f"{which}must be a string")
        if not text:
            raise _texts_error(f"{which}must not be empty")
        documents.append(text)
    characters = sum(map(len, documents))
    if characters > MAX_CHARACTERS:
        raise _texts_error(f"has {characters} characters; {MAX_CHARACTERS} are allowed in all")
    return tuple(documents)


def _texts_error(detail: str) -> PydanticCustomError:
    return PydanticCustomError("texts", "{detail}", {"detail": detail})


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Documents: TypeAlias = Annotated[tuple[str, ...], PlainValidator(_documents)]
_Integer: TypeAlias = Annotated[int, BeforeValidator(_whole)]  # JSON Schema takes 3.0 for an integer
_Place: TypeAlias = Annotated[_Integer, Field(ge=0, le=MAX_CHARACTERS)]
_Count: TypeAlias = Annotated[_Integer, Field(ge=1, le=MAX_CHARACTERS)]
_Word: TypeAlias = Annotated[str, Field(max_length=MAX_CHARACTERS)]


class _Request(BaseModel):
    # strict: the document says number, so "3" is refused as the gateway refuses it
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class TextSpan(_Part):
    """A place in one of the texts, in Unicode code points."""

    document: Annotated[_Integer, Field(ge=0, le=1000)]
    start: _Place
    end: _Place


_Positions: TypeAlias = Annotated[list[TextSpan], Field(max_length=MAX_POSITIONS)]


class RepeatPattern(_Part):
    """A passage that occurs several times."""

    kind: Literal["repeat"] = "repeat"
    text: _Word
    count: Annotated[_Integer, Field(ge=2, le=MAX_CHARACTERS)]
    covered_characters: _Place
    positions: _Positions


class NgramPattern(_Part):
    """Words that occur together."""

    kind: Literal["ngram"] = "ngram"
    tokens: Annotated[list[_Word], Field(min_length=2, max_length=5)]
    n: Annotated[_Integer, Field(ge=2, le=5)]
    count: _Count
    pmi: float
    log_likelihood: Annotated[float, Field(ge=0)]
    positions: _Positions


class DhatuForm(_Part):
    """One form of a verbal root."""

    form: _Word
    count: _Count
    positions: _Positions


class DhatuPattern(_Part):
    """A verbal root."""

    kind: Literal["dhatu"] = "dhatu"
    dhatu: Annotated[str, Field(max_length=50)]
    gana: Annotated[_Integer, Field(ge=1, le=10)]
    gloss: Annotated[str, Field(max_length=200)]
    count: _Count
    forms: Annotated[list[DhatuForm], Field(max_length=MAX_FORMS)]


Pattern: TypeAlias = Annotated[RepeatPattern | NgramPattern | DhatuPattern, Field(discriminator="kind")]


class PatternQuery(_Request):
    """What to look for, and where."""

    text: Documents
    kinds: Annotated[list[PatternKind], Field(min_length=1, max_length=3)] = list(PATTERN_KINDS)
    min_length: Annotated[_Integer, Field(ge=2, le=1000)] = 4
    min_count: Annotated[_Integer, Field(ge=2, le=100_000)] = 2
    max_words: Annotated[_Integer, Field(ge=2, le=5)] = 3
    limit: Annotated[_Integer, Field(ge=1, le=100)] = 20


class PatternTotals(_Part):
    """How many patterns of each kind there are."""

    repeat: int = 0
    ngram: int = 0
    dhatu: int = 0


class PatternReport(_Part):
    """The patterns of the texts."""

    patterns: list[Pattern]
    documents: int
    characters: int
    tokens: int
    totals: PatternTotals


class PictureQuery(_Request):
    """What to draw."""

    text: Documents | None = None
    patterns: Annotated[list[Pattern], Field(min_length=1, max_length=300)] | None = None
    title: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    format: PictureFormat = "svg"
    limit: Annotated[_Integer, Field(ge=1, le=30)] = 10


class InsightQuery(_Request):
    """What to report on."""

    text: Documents
    kinds: Annotated[list[InsightKind], Field(min_length=1, max_length=7)] | None = None


class InsightEvidence(_Part):
    """A figure behind an insight."""

    label: str
    value: float


class Insight(_Part):
    """Something remarkable about the texts."""

    kind: InsightKind
    title: str
    detail: str
    evidence: list[InsightEvidence]
    score: Annotated[float, Field(ge=0, le=1)]


class InsightReport(_Part):
    """What is remarkable about the texts."""

    summary: str
    insights: list[Insight]
    documents: int
    characters: int
    tokens: int


class InsightFound(_Part):
    """An insight that has just been computed."""

    event: Literal["insight"] = "insight"
    insight: Insight


class InsightsDone(_Part):
    """The end of a stream of insights."""

    event: Literal["summary"] = "summary"
    summary: str
    insights: int
    documents: int
    characters: int
    tokens: int
