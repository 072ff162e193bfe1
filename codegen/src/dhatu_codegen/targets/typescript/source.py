"""Values and comments as TypeScript source."""

from __future__ import annotations

import json
import re
from typing import Final

from ...ir.schema import Json

WIDTH: Final = 110
IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
"""What needs no quotes as a member of an object."""
_LINE_ENDS: Final = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x7f": "\\x7f", "\ufeff": "\\ufeff"}


def quoted(text: str) -> str:
    r"""A literal in single quotes.

    >>> print(quoted("it's"), quoted('a "b"'), quoted("\n"))
    'it\'s' 'a "b"' '\n'
    """
    inner = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    for char, escape in _LINE_ENDS.items():
        inner = inner.replace(char, escape)
    return f"'{_paired(inner)}'"


def pair(name: str, value: str) -> str:
    """A member of an object literal, where a plain `__proto__` would be something else.

    >>> pair("in", "1"), pair("a b", "1"), pair("__proto__", "1")
    ('in: 1', "'a b': 1", "['__proto__']: 1")
    """
    if name == "__proto__":
        return f"[{quoted(name)}]: {value}"
    return f"{name}: {value}" if IDENTIFIER.fullmatch(name) else f"{quoted(name)}: {value}"


def literal(value: Json) -> str:
    """A JSON value as an expression.

    >>> print(literal(["a", 1.5, True, None]), literal({"in": {}, "a b": 1}))
    ['a', 1.5, true, null] { in: {}, 'a b': 1 }
    """
    match value:
        case str():
            return quoted(value)
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case dict():
            inner = ", ".join(pair(name, literal(member)) for name, member in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case _:
            return json.dumps(value)


def indented(text: str, spaces: int = 2) -> str:
    """Every line but the first one further in."""
    return text.replace("\n", f"\n{' ' * spaces}")


def _paired(text: str) -> str:
    """Halves of surrogate pairs are no text that a file could hold."""
    return "".join(f"\\u{ord(char):04x}" if "\ud800" <= char <= "\udfff" else char for char in text)
