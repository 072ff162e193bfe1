"""How the words of a `Name` are joined; which words a language keeps to itself is its target's affair."""

from __future__ import annotations

from collections.abc import Iterable

from .ir.name import Name


def snake(name: Name) -> str:
    """`next_cursor`; a name without a letter or digit of its own becomes `value`.

    >>> snake(Name.of("X-Dhatu-Algorithm"))
    'x_dhatu_algorithm'
    """
    return "_".join(_words(name))


def screaming(name: Name) -> str:
    """`NEXT_CURSOR`."""
    return snake(name).upper()


def pascal(name: Name) -> str:
    """`NextCursor`.

    >>> pascal(Name.of("api-keys"))
    'ApiKeys'
    """
    return "".join(word[:1].upper() + word[1:] for word in _words(name))


def camel(name: Name) -> str:
    """`nextCursor`."""
    joined = pascal(name)
    return joined[:1].lower() + joined[1:]


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that somebody who wrote `word` probably meant; empty where none is close."""
    from difflib import get_close_matches  # only a run with a mistake needs it

    matches = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""


def _words(name: Name) -> tuple[str, ...]:
    return name.words or ("value",)
