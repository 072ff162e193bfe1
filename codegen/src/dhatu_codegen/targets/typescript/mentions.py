"""What a piece of TypeScript mentions, and so has to be imported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_TOKEN: Final = re.compile(
    r"'(?:[^'\\]|\\.)*'|/\*.*?\*/|(?<![\w$.])([^\W\d]|\$)[\w$]*(?![\w$]|\??:)", re.DOTALL
)
"""Texts and comments are skipped; names of members (`a:`, `a?:`, `.a`) are no mention."""


def mentioned(texts: Iterable[str]) -> frozenset[str]:
    """The names that expressions and types are made of; of `t.Word` only the `t`.

    >>> sorted(mentioned(["Page<t.Words> | 'Job'", "{ Content?: Series<X>; /* s.Y */ }"]))
    ['Page', 'Series', 'X', 't']
    """
    return frozenset(found[0] for text in texts for found in _TOKEN.finditer(text) if found[1])
