"""Type expressions as the alternatives of a union."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Final

from ...ir.schema import Json
from .source import WIDTH, indented, quoted

OPEN: Final = {"string": "(string & {})", "number": "(number & {})"}
"""How a type is written beside some of its values, so that an editor still offers these."""
_FIRST_OF_VALUE: Final = frozenset("'-0123456789")


def of_values(values: Sequence[Json], *, closed: bool) -> list[str]:
    """The values, and the type that newer ones have, unless there is only one or the list is closed.

    >>> of_values(["a", "b"], closed=False), of_values([1], closed=False), of_values([[]], closed=False)
    (["'a'", "'b'", '(string & {})'], ['1'], ['unknown'])
    """
    found: list[str] = []
    tails: list[str] = []
    for value in values:
        match value:
            case None:
                found.append("null")
            case bool():
                found.append("true" if value else "false")
            case str():
                found.append(quoted(value))
                tails.append(OPEN["string"])
            case int():
                found.append(str(value))
                tails.append(OPEN["number"])
            case float():
                found.append(json.dumps(value) if math.isfinite(value) else "number")
                tails.append(OPEN["number"])
            case _:
                return ["unknown"]
    return united(found if closed or len(values) == 1 else [*found, *tails])


def united(kinds: Iterable[str], *, lists: frozenset[str] = frozenset()) -> list[str]:
    """Each alternative once, null last; beside values, a type is written open.

    `lists` are the types some of whose values are among the alternatives by another name.

    >>> united(["null", "string", "'a'", "string"]), united(["string", "(string & {})"])
    (['(string & {})', "'a'", 'null'], ['string'])
    """
    found = dict.fromkeys(kind for kind in kinds if kind != "never")
    if "unknown" in found:
        return ["unknown"]
    for kind, opened in OPEN.items():
        if kind in found or opened in found:
            values = kind in lists or any(_is_value(one, kind) for one in found)
            wanted, other = (opened, kind) if values else (kind, opened)
            found = dict.fromkeys(wanted if one == other else one for one in found)
    if "null" in found:
        found = dict.fromkeys([*(one for one in found if one != "null"), "null"])
    return [*found] or ["never"]


def joined(kinds: Sequence[str], room: int = WIDTH) -> str:
    """`A | B`; in lines of their own, after a line break, where a line would be longer than the room."""
    flat = " | ".join(kinds)
    if len(kinds) == 1 or max(map(len, flat.split("\n"))) <= room:
        return flat
    return "".join(f"\n  | {indented(kind, 4)}" for kind in kinds)


def grouped(kinds: Sequence[str], room: int = WIDTH) -> str:
    """In parentheses where it is more than one name, as what `[]` or `&` follows."""
    text = joined(kinds, room)
    if len(kinds) == 1 and (" & " not in text or text in OPEN.values()):
        return text
    return f"({text}\n)" if text.startswith("\n") else f"({text})"


def _is_value(kind: str, of: str) -> bool:
    return kind[:1] in _FIRST_OF_VALUE and (kind.startswith("'") == (of == "string"))
