"""Values as Python source, laid out the way a formatter would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, TypeAlias

_WIDTH: Final = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A constructor call with keyword arguments."""

    name: str
    fields: tuple[tuple[str, Literal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """An expression that is written as it is."""

    text: str


Literal: TypeAlias = "str | int | float | bool | Call | Verbatim | tuple[Literal, ...] | None"


def source(value: Literal, *, indent: int = 0, used: int = 0, filled: bool = False) -> str:
    """The source of a value: on one line where it fits, else one element per line.

    `indent` is that of the line it starts on, `used` how many characters stand beside it on that line.
    `filled` puts as many elements on a line as it holds.

    >>> source(("a", 1.5, None)), source(("a",)), source(())
    ('("a", 1.5, None)', '("a",)', '()')
    """
    flat = _flat(value)
    if indent + used + len(flat) <= _WIDTH or not isinstance(value, (Call, tuple)) or not flat.strip("()"):
        return flat
    inner = indent + 4
    if isinstance(value, Call):
        opening = f"{value.name}("
        parts = [
            f"{name}={source(field, indent=inner, used=len(name) + 2, filled=filled)},"
            for name, field in value.fields
        ]
    else:
        opening = "("
        parts = [f"{source(element, indent=inner, used=1, filled=filled)}," for element in value]
    lines = filled_lines(parts, _WIDTH - inner) if filled else parts
    body = "".join(f"{' ' * inner}{line}\n" for line in lines)
    return f"{opening}\n{body}{' ' * indent})"


def filled_lines(parts: list[str], width: int) -> list[str]:
    """The parts on as few lines as they fit; one that has several lines stands alone."""
    lines: list[str] = []
    open_ended = False
    for part in parts:
        short = "\n" not in part
        if short and open_ended and len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] = f"{lines[-1]} {part}"
        else:
            lines.append(part)
        open_ended = short
    return lines


def names(value: Literal) -> frozenset[str]:
    """Every constructor that a value calls."""
    if isinstance(value, Call):
        return frozenset({value.name}).union(*(names(field) for _, field in value.fields))
    if isinstance(value, tuple):
        return frozenset[str]().union(*(names(element) for element in value))
    return frozenset()


def _flat(value: Literal) -> str:
    if isinstance(value, str):
        # JSON's escapes are Python's too; DEL is the one control character that JSON leaves alone.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, Call):
        return f"{value.name}({', '.join(f'{name}={_flat(field)}' for name, field in value.fields)})"
    if isinstance(value, tuple):
        return f"({_flat(value[0])},)" if len(value) == 1 else f"({', '.join(_flat(part) for part in value)})"
    return repr(value)
