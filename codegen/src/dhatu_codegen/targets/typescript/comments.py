"""JSDoc, as an editor shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from ...ir.schema import Json, Null, Ref, Schema, String, Union
from .source import WIDTH, literal

_MAX_EXAMPLE: Final = 60
"""Characters of a default or an example; a longer one is left out."""
# Lists, tables, quotes, headings, fences and indented code keep their line breaks.
_KEEPS_LINES = re.compile(r"^(\s{2,}|[-*+|>#]|\d+[.)]|```)", re.MULTILINE)
_BREAK = re.compile(r"\n\s*\n")
_TAG = re.compile(r"^(\s*)@", re.MULTILINE)
_BOUNDS: Final = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "more than"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "less than"),
    ("multipleOf", "a multiple of"),
)
_SIZES: Final = (
    ("Length", "minLength", "maxLength"),
    ("Items", "minItems", "maxItems"),
    ("Members", "minProperties", "maxProperties"),
)


def comment(lines: Iterable[str], indent: int = 0) -> str:
    """A comment that ends in a line break; empty for no lines.

    >>> print(comment(["One."]), comment(["One.", "", "Two */ three."], 2), sep="")
    /** One. */
      /**
       * One.
       *
       * Two *\\/ three.
       */
    <BLANKLINE>
    """
    margin = " " * indent
    safe = [line.replace("*/", "*\\/").rstrip() for line in lines]
    if not safe:
        return ""
    if len(safe) == 1 and indent + len(safe[0]) + 7 <= WIDTH:
        return f"{margin}/** {safe[0]} */\n"
    body = "".join(f"{margin} * {line}\n" if line else f"{margin} *\n" for line in safe)
    return f"{margin}/**\n{body}{margin} */\n"


def on_one_line(text: str) -> str:
    """Prose for a comment that is written out elsewhere.

    >>> print(on_one_line("One */\\n two."))
    One *\\/ two.
    """
    return " ".join(text.replace("*/", "*\\/").split())


def paragraphs(text: str, width: int = WIDTH) -> Iterator[str]:
    """Markdown, each plain paragraph filled anew; what JSDoc would take for a tag is none."""
    text = _TAG.sub(r"\1\\@", text.strip())
    for number, paragraph in enumerate(_BREAK.split(text) if text else ()):
        if number:
            yield ""
        if _KEEPS_LINES.search(paragraph):
            yield from (line.rstrip() for line in paragraph.splitlines())
        else:
            yield from filled(paragraph, width)


def filled(text: str, width: int) -> Iterator[str]:
    """Words on as few lines as they fit; a longer word stands alone. None becomes a tag by where it stands.

    >>> list(filled("@a two three @b", 7))
    ['@a two', 'three', '\\\\@b']
    """
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = f"\\{word}" if word.startswith("@") else word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield line


def described(schema: Schema, description: str, indent: int = 0) -> list[str]:
    """The lines about a value: its description, its limits in words, its default, an example, deprecation."""
    width = WIDTH - indent - 3
    lines = [*paragraphs(description, width)]
    limits = " ".join(_limits(schema))
    if limits:
        lines = (
            [*lines, "", *filled(limits, width)]
            if lines[1:]
            else [*filled(" ".join([*lines, limits]), width)]
        )
    tags = [*_tags(schema)]
    return [*lines, *([""] if lines and tags else []), *tags]


def _tags(schema: Schema) -> Iterator[str]:
    told = schema if schema.has_default else telling(schema)
    if told.has_default and (default := _short(told.default)):
        yield f"@default {default}"
    for example in (schema.examples or told.examples)[:1]:
        if shown := _short(example):
            yield f"@example {shown}"
    if schema.deprecated:
        yield "@deprecated"


def _short(value: Json) -> str:
    shown = literal(value)
    return shown if len(shown) <= _MAX_EXAMPLE else ""


def telling(schema: Schema) -> Schema:
    """What is written about a value that may be null, where it is not null; the schema itself otherwise."""
    if isinstance(schema, Union):
        variants = [variant for variant in schema.variants if not isinstance(variant, Null)]
        if len(variants) == 1 and not isinstance(variants[0], Ref):
            return variants[0]
    return schema


def _limits(schema: Schema) -> Iterator[str]:
    """In words; of a value that may be null, what holds where it is not."""
    told = telling(schema)
    found = {**schema.constraints, **told.constraints}
    low, high = found.get("minimum"), found.get("maximum")
    if _is_number(low) and _is_number(high):
        yield f"Range: {json.dumps(low)} to {json.dumps(high)}."
        found = {key: value for key, value in found.items() if key not in ("minimum", "maximum")}
    bounds = [f"{words} {json.dumps(found[key])}" for key, words in _BOUNDS if _is_number(found.get(key))]
    if bounds:
        yield f"Range: {', '.join(bounds)}."
    for words, least, most in _SIZES:
        low, high = found.get(least), found.get(most)
        if _is_number(low) and _is_number(high):
            yield f"{words}: {low} to {high}." if low != high else f"{words}: {low}."
        elif _is_number(low) and low:
            yield f"{words}: at least {low}."
        elif _is_number(high):
            yield f"{words}: at most {high}."
    if found.get("uniqueItems") is True:
        yield "No item twice."
    if isinstance(pattern := found.get("pattern"), str) and "`" not in pattern:
        yield f"Pattern: `{pattern}`."
    if isinstance(told, String):
        if told.format:
            yield f"Format: {told.format}."
        if told.content_encoding:
            yield f"Encoding: {told.content_encoding}."


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
