"""Expressions that are written on one line, in as many lines as they need."""

from __future__ import annotations

from typing import Final

from .source import WIDTH

_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}


def laid_out(flat: str, used: int = 0, indent: int = 0) -> str:
    """The expression; where it does not fit, each element of its last bracket on a line of its own.

    `indent` is that of the line it starts on, `used` how many characters stand before it on that line.

    >>> print(laid_out("array(object({ name: string }, { note: union(string, integer) }))", 60))
    array(
      object({ name: string }, { note: union(string, integer) }),
    )
    """
    if used + len(flat) < WIDTH:
        return flat
    begin, end = _last_bracket(flat)
    parts = _elements(flat[begin + 1 : end]) if begin >= 0 else []
    if not parts:
        return flat
    head, tail = flat[: begin + 1], flat[end:]
    if len(parts) == 1 and parts[0].startswith("{"):
        return f"{head}{laid_out(parts[0], used + len(head), indent)}{tail}"
    margin = " " * (indent + 2)
    lines = "".join(f"{margin}{laid_out(part, indent + 2, indent + 2)},\n" for part in parts)
    return f"{head}\n{lines}{' ' * indent}{tail}"


def _last_bracket(flat: str) -> tuple[int, int]:
    """Where the last bracket begins that is in no other one, and where it ends; -1 for none."""
    found, opened = (-1, -1), list[int]()
    for index, char in _outside_texts(flat):
        if char in _PAIRS:
            opened.append(index)
        elif char in _PAIRS.values():
            begin = opened.pop()
            if not opened:
                found = begin, index
    return found


def _elements(flat: str) -> list[str]:
    """What stands between the commas that are in no bracket."""
    parts, depth, begin = list[str](), 0, 0
    for index, char in _outside_texts(flat):
        if char in _PAIRS:
            depth += 1
        elif char in _PAIRS.values():
            depth -= 1
        elif char == "," and not depth:
            parts.append(flat[begin:index].strip())
            begin = index + 1
    last = flat[begin:].strip()
    return [*parts, last] if last else parts


def _outside_texts(flat: str) -> list[tuple[int, str]]:
    """The characters that mean something, those of texts in single quotes left out."""
    found: list[tuple[int, str]] = []
    in_text = escaped = False
    for index, char in enumerate(flat):
        if in_text:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == "'":
                in_text = False
        elif char == "'":
            in_text = True
        elif char in "()[]{},":
            found.append((index, char))
    return found
