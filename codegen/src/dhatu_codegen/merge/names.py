"""What a component is called that cannot keep its plain name."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[^0-9a-z]+")


def qualified(service: str, name: str) -> str:
    """The name with the service's before it, in the style of the name.

    >>> qualified("corpus", "Page"), qualified("api_keys", "pageSize"), qualified("corpus", "page_size")
    ('CorpusPage', 'apiKeysPageSize', 'corpus_page_size')
    >>> qualified("corpus", "not-found"), qualified("corpus", "health checks")
    ('corpus-not-found', 'corpus health checks')
    """
    words = service.split("_")
    separator = next((mark for mark in "_-. " if mark in name), "")
    if separator:
        joined = separator.join(words)
        return f"{joined[:1].upper() + joined[1:] if name[:1].isupper() else joined}{separator}{name}"
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    if not name[:1].isupper():
        joined = joined[:1].lower() + joined[1:]
    return joined + name[:1].upper() + name[1:]


def fold(name: str) -> str:
    """What is left of a name in every language: names with equal folds would collide in an SDK.

    >>> fold("Api_Keys-Page")
    'apikeyspage'
    """
    return _SEPARATORS.sub("", name.lower()) or name


def free(name: str, taken: set[str]) -> str:
    """The name, with a number where one of equal fold is taken; takes it."""
    number, chosen = 1, name
    while fold(chosen) in taken:
        number += 1
        chosen = f"{name}{number}"
    taken.add(fold(chosen))
    return chosen
