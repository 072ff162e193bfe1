"""Docstrings of methods, as an editor shows them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from ...ir.operation import Operation
from ..told import needs, own_errors
from .arguments import Argument

_WIDTH: Final = 100
# Lists, tables, quotes, headings, fences and indented code keep their line breaks.
_KEEPS_LINES = re.compile(r"^(\s{2,}|[-*+|>#]|\d+[.)]|```)", re.MULTILINE)


def docstring(operation: Operation, arguments: tuple[Argument, ...], note: str = "") -> tuple[str, ...]:
    """Summary, description, note, route, arguments, result, errors, each line safe inside triple quotes."""
    lines = list(_lines(operation, arguments, note))
    while lines and not lines[-1]:
        lines.pop()
    return tuple(in_docstring(line) for line in lines)


def in_docstring(line: str) -> str:
    """A line that is safe inside triple quotes, even right before the closing ones.

    >>> print(in_docstring('a "quote"'))
    a "quote\\"
    """
    safe = line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'{safe[:-1]}\\"' if safe.endswith('"') and not safe.endswith('\\"') else safe


def paragraphs(text: str, width: int = _WIDTH) -> Iterator[str]:
    """Markdown, each plain paragraph filled anew."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ""
        if _KEEPS_LINES.search(paragraph):
            yield from (line.rstrip() for line in paragraph.splitlines())
        else:
            yield from textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)


def _lines(operation: Operation, arguments: tuple[Argument, ...], note: str) -> Iterator[str]:
    summary = " ".join(operation.summary.split()) or f"{operation.method} {operation.path}"
    yield summary if summary.endswith((".", "!", "?")) else f"{summary}."
    yield ""
    if operation.description.strip():
        yield from paragraphs(operation.description)
        yield ""
    if note:
        yield from (note, "")
    route = f"`{operation.method} {operation.path}`{needs(operation)}{_raises(operation)}."
    yield from textwrap.wrap(route, _WIDTH, break_long_words=False, break_on_hyphens=False)
    if arguments:
        yield from ("", "Args:")
        for argument in arguments:
            yield from _item(f"{argument.name}: {' '.join(argument.description.split())}")
    successes = [response for response in operation.responses if response.status.startswith("2")]
    if any(response.payloads for response in successes):
        told = " ".join(" ".join(response.description.split()) for response in successes)
        yield ""
        yield from textwrap.wrap(
            f"Returns: {told}".removesuffix(": "),
            _WIDTH,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _item(text: str) -> list[str]:
    return textwrap.wrap(
        text.strip().removesuffix(":"),
        _WIDTH,
        initial_indent="    ",
        subsequent_indent="        ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _raises(operation: Operation) -> str:
    own = own_errors(operation)
    return f"; may raise {', '.join(own)}" if own else ""
