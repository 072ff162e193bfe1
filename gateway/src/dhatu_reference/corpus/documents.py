"""What a document is, before and after it is collected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LANGUAGE_PATTERN: Final = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
UNDETERMINED: Final = "und"


def canonical_language(tag: str) -> str:
    """A language tag in the case that RFC 5646, section 2.1.1, recommends.

    >>> canonical_language("SA-LATN-in")
    'sa-Latn-IN'
    """
    first, *rest = tag.lower().split("-")
    return "-".join([first, *map(_subtag, rest)])


LanguageTag: TypeAlias = Annotated[
    str, Field(max_length=35, pattern=LANGUAGE_PATTERN), AfterValidator(canonical_language)
]


class DocumentInput(BaseModel):
    """A document to collect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=300)]
    text: Annotated[str, Field(min_length=1, max_length=1_048_576)]
    language: LanguageTag
    source: Annotated[str, Field(min_length=1, max_length=500)] = ""
    """Empty where nobody said."""

    @property
    def id(self) -> str:
        """The same for the same title, text and language, so that collecting twice changes nothing."""
        content = json.dumps([self.title, self.text, self.language]).encode()
        return "doc_" + blake2b(content, digest_size=12).hexdigest()


class CollectRequest(BaseModel):
    """Documents to collect, in one JSON body."""

    model_config = ConfigDict(extra="forbid")

    documents: Annotated[list[DocumentInput], Field(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the corpus."""

    id: str
    title: str
    text: str
    language: str
    source: str
    characters: int
    collected_at: str
    """RFC 3339."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageStats:
    """What the corpus holds in one language."""

    language: str
    documents: int
    characters: int


def _subtag(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.capitalize() if len(subtag) == 4 else subtag
