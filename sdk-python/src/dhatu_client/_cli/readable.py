"""JSON values for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

_INDENT = "  "
_LONGEST_COLUMN = 48


def readable(value: object, width: int) -> str:
    """A value over as many lines as it needs; `width` is that of the terminal.

    >>> print(readable({"total": 2, "documents": [{"id": "a", "score": 1.5}, {"id": "b", "score": 0.5}]}, 80))
    total: 2
    documents:
      id  score
      a   1.5
      b   0.5
    """
    return "\n".join(line.rstrip() for line in _lines(value, width))


def _lines(value: object, width: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _members(cast("Mapping[str, object]", value), width)
    elif isinstance(value, list):
        yield from _items(cast("list[object]", value), width) if value else ("none",)
    else:
        yield from text_of(value).split("\n")


def _members(members: Mapping[str, object], width: int) -> Iterator[str]:
    for name, value in members.items():
        name = text_of(name)
        flat = _flat(value)
        # A long list is shown one item a line; a long text the terminal breaks better.
        if (
            flat is not None
            and "\n" not in flat
            and (len(name) + len(flat) + 2 <= width or _is_scalar(value))
        ):
            yield f"{name}: {flat}"
        else:
            yield f"{name}:"
            yield from (_INDENT + line for line in _lines(value, width - len(_INDENT)))


def _is_scalar(value: object) -> bool:
    return not isinstance(value, Mapping | list)


def _items(items: list[object], width: int) -> Iterator[str]:
    rows = [cast("Mapping[str, object]", item) for item in items if isinstance(item, Mapping)]
    if rows and len(rows) == len(items):
        table = _table(rows)
        if table and max(map(len, table)) <= width:
            yield from table
            return
    for item in items:
        first, *rest = [*_lines(item, width - len(_INDENT))] or [""]
        yield f"- {first}"
        yield from (_INDENT + line for line in rest)


def _table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Aligned columns; empty where a cell does not fit into one."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) if name in row else "" for name in names] for row in rows]
    if any(cell is None for row in cells for cell in row):
        return []
    lines = [[text_of(name) for name in names], *cast("list[list[str]]", cells)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return ["  ".join(text.ljust(wide) for text, wide in zip(line, widths, strict=True)) for line in lines]


def _cell(value: object) -> str | None:
    flat = _flat(value)
    return None if flat is None or "\n" in flat or len(flat) > _LONGEST_COLUMN else flat


def _flat(value: object) -> str | None:
    """A value in one piece; None for one that has parts of its own."""
    if isinstance(value, Mapping):
        return None if value else "none"
    if isinstance(value, list):
        items = [_flat(item) for item in cast("list[object]", value)]
        if any(item is None or "," in item or "\n" in item for item in items):
            return None
        return ", ".join(item for item in items if item is not None) or "none"
    return text_of(value)


def text_of(value: object) -> str:
    """A scalar as text, without what a terminal would take for a command.

    >>> text_of(True), text_of(None), text_of("a\\x1b[2J")
    ('yes', '-', 'a\\\\x1b[2J')
    """
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case _:
            text = str(value)
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )
