"""What people type, as a query that FTS5 understands."""

from __future__ import annotations

import re
from typing import Final

_TERM: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def match_expression(query: str) -> str:
    """The FTS5 expression that asks for every word and phrase of `query`; empty where it names none.

    Each word becomes an FTS5 string, so that nothing in it can be taken for an operator.

    >>> match_expression('verbal "dhātu pāṭha" pan* AND NEAR(')
    '"verbal" AND "dhātu pāṭha" AND "pan" * AND "AND" AND "NEAR("'
    """
    terms: dict[str, None] = {}
    for phrase, word in _TERM.findall(_CONTROL.sub(" ", query)):
        text = phrase or word
        if any(character.isalnum() for character in text):
            terms[f'"{word[:-1]}" *' if word.endswith("*") else f'"{text}"'] = None
    return " AND ".join(terms)
