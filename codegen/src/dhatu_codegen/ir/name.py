"""A name as the document spells it, and its words; each target joins the words in its own style."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A wire name and its words.

    >>> Name.of("listAPIKeys").words
    ('list', 'api', 'keys')
    >>> Name.of("next_cursor").words
    ('next', 'cursor')
    """

    wire: str
    words: tuple[str, ...]
    """Lower case; never empty for a wire name that holds a letter or a digit."""

    @classmethod
    def of(cls, wire: str) -> Name:
        return cls(wire=wire, words=tuple(word.lower() for word in _WORD.findall(wire)))
