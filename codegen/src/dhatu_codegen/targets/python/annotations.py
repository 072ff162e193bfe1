"""Python annotations of arguments and answers, as text."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import Final, assert_never

from ...ir.operation import Payload
from ...ir.schema import (
    AnyValue,
    Array,
    Boolean,
    Enum,
    Integer,
    Intersection,
    Json,
    Never,
    Null,
    Number,
    Object,
    Ref,
    Schema,
    String,
    Union,
)
from ..schemas import takes_others
from .model_document import ModelDocument

MAPPING: Final = "Mapping[str, object]"
FORMATS: Final = {"date-time": "datetime", "date": "date", "uuid": "UUID"}
"""The types of formats that have one of their own."""
_MAX_DEPTH: Final = 16
"""Nesting of an argument; a value further inside is any object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """An annotation in the async client and in the sync one."""

    asynchronous: str
    synchronous: str

    @classmethod
    def of(cls, text: str) -> Twin:
        """The same in both."""
        return cls(asynchronous=text, synchronous=text)


CONTENT: Final = Twin(asynchronous="Content", synchronous="SyncContent")


def union_of(*kinds: str) -> str:
    """`A | B`, each kind once, the listed values together and None last.

    >>> union_of("None", "int | str", "int"), union_of('Literal["a"]', 'Literal["b"]')
    ('int | str | None', 'Literal["a", "b"]')
    """
    members = [part for kind in kinds for part in alternatives(kind)]
    values = dict.fromkeys(part[8:-1] for part in members if part.startswith("Literal["))
    if len(values) > 1:
        together = f"Literal[{', '.join(values)}]"
        members = [together if part.startswith("Literal[") else part for part in members]
    ordered = [*(part for part in members if part != "None"), *(part for part in members if part == "None")]
    return " | ".join(dict.fromkeys(ordered))


def twin_union(*kinds: Twin) -> Twin:
    """`union_of`, of both."""
    return Twin(
        asynchronous=union_of(*(kind.asynchronous for kind in kinds)),
        synchronous=union_of(*(kind.synchronous for kind in kinds)),
    )


class Annotations:
    """Writes annotations, and asks for the models that they name."""

    def __init__(self, document: ModelDocument) -> None:
        self._document = document
        self._schemas = document.schemas

    def argument(self, schema: Schema, hint: str) -> str:
        """What a caller may pass: an object as its model or as a dict; `hint` names an inline one."""
        return self._argument(schema, hint, ())

    def line(self, payload: Payload, hint: str) -> Twin:
        """What a caller may pass as JSON Lines: items, or content that is in lines already."""
        item = self.argument(payload.schema, f"{hint} line") if payload.schema is not None else "object"
        sync = f"SyncContent | Iterable[{item}]"
        return Twin(asynchronous=f"Content | Iterable[{item}] | AsyncIterable[{item}]", synchronous=sync)

    def answer(self, schema: Schema | None, hint: str) -> str:
        """The type of an answer, in the words of the module of the models; empty for any JSON value."""
        if schema is None:
            return ""
        component = self._schemas.named(schema)
        if component is not None:
            return self._document.mention(component.name.wire, answer=True)
        resolved = self._schemas.resolve(schema)
        match resolved:
            case AnyValue():
                return ""
            case Null():
                return "None"
            case Boolean():
                return "bool"
            case Integer():
                return "int"
            case Number():
                return "float"
            case String(format=written) if written not in FORMATS:
                return "str"
            case Array(items=items, prefix=()) if item := self.answer(items, f"{hint} item"):
                return f"list[{item}]"
            case _:
                return self._document.hoist(resolved, hint, answer=True)

    def _argument(self, schema: Schema, hint: str, around: tuple[str, ...]) -> str:
        """`around` are the components that it is written in, outermost first; empty for what has no name."""
        component = self._schemas.named(schema)
        key = component.name.wire if component is not None else ""
        if key in around and key:
            return f"inputs.{self._document.mention(key, answer=False)}"
        if len(around) > _MAX_DEPTH:
            return "object"
        inside = (*around, key)
        resolved = self._schemas.resolve(schema)
        match resolved:
            case AnyValue() | Never() | Ref() | Intersection():
                return "object"
            case Null():
                return "None"
            case Boolean():
                return "bool"
            case Integer():
                return "int"
            case Number():
                return "float"
            case String(format=written):
                # Text in the same format does as well: it is what travels.
                return union_of(FORMATS[written], "str") if written in FORMATS else "str"
            case Enum(values=values):
                return literal(values)
            case Array(items=items, prefix=prefix):
                kinds = [self._argument(item, f"{hint} item", inside) for item in (*prefix, items)]
                return sequence_of(union_of(*kinds))
            case Object(properties=(_, *_)):
                name = (
                    self._document.mention(key, answer=False)
                    if component is not None
                    else self._document.hoist(resolved, hint, answer=False)
                )
                return _in_both_forms(name) + (f" | {MAPPING}" if takes_others(resolved) else "")
            case Object():
                others = self._schemas.others(resolved)
                places = [
                    f"{hint} value {number}" if number else f"{hint} value" for number in range(len(others))
                ]
                value = union_of(*map(self._argument, others, places, [inside] * len(others)))
                return f"Mapping[str, {value}]" if others else MAPPING
            case Union(discriminator=found) if found is not None and component is not None:
                # By its alias, so that what an answer holds may be passed on, unknown variants included.
                return _in_both_forms(self._document.mention(key, answer=False))
            case Union(variants=variants):
                hints = [f"{hint} {number}" for number in range(1, len(variants) + 1)]
                return union_of(*map(self._argument, variants, hints, [inside] * len(variants)))
            case _:
                assert_never(resolved)


def covers(broad: str, narrow: str) -> bool:
    """Whether an annotation takes everything that another one takes, as far as their text tells.

    >>> covers('str | int', 'Literal["a"]'), covers("int", "str"), covers('Literal["a", "b"]', 'Literal["b"]')
    (True, False, True)
    """
    kinds = alternatives(broad)
    values = {value for kind in kinds if kind.startswith("Literal[") for value in _values(kind)}

    def taken(kind: str) -> bool:
        if kind in kinds or "object" in kinds:
            return True
        if not kind.startswith("Literal["):
            return False
        return all(value in values or ("str" in kinds and value.startswith('"')) for value in _values(kind))

    return all(taken(kind) for kind in alternatives(narrow))


def _values(kind: str) -> list[str]:
    """The source of the values of `Literal[...]`."""
    parsed = ast.parse(kind, mode="eval").body
    assert isinstance(parsed, ast.Subscript), kind
    listed = parsed.slice.elts if isinstance(parsed.slice, ast.Tuple) else [parsed.slice]
    return [ast.get_source_segment(kind, value) or "" for value in listed]


def literal(values: tuple[Json, ...]) -> str:
    """`Literal["auto", "zstd"]`; values that no Literal can hold fall back to their type.

    >>> literal(("a", 1, True)), literal((1.5, 2.5))
    ('Literal["a", 1, True]', 'float')
    """
    if all(isinstance(value, str | int) for value in values):
        return f"Literal[{', '.join(quoted(value) for value in values)}]"
    if all(isinstance(value, int | float) for value in values):
        return "float"
    return "object"


def quoted(value: Json) -> str:
    """A Python literal in double quotes.

    >>> print(quoted('a "b"'), quoted(None))
    "a \\"b\\"" None
    """
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _in_both_forms(name: str) -> str:
    return f"models.{name} | inputs.{name}"


def sequence_of(item: str, *, text: bool = False) -> str:
    """A text is a sequence of texts, but never what is meant by one; `text`: an alias in it means texts."""
    if text or "str" in alternatives(item):
        return f"list[{item}] | tuple[{item}, ...]"
    return f"Sequence[{item}]"


def alternatives(kind: str) -> list[str]:
    """The members of a union, at its top level."""
    parts, depth, begin = list[str](), 0, 0
    in_text = False
    for index, char in enumerate(kind):
        if char == '"' and kind[index - 1] != "\\":
            in_text = not in_text
        elif not in_text and char in "[(":
            depth += 1
        elif not in_text and char in ")]":
            depth -= 1
        elif char == "|" and not depth and not in_text:
            parts.append(kind[begin:index].strip())
            begin = index + 1
    return [*parts, kind[begin:].strip()]


def broken(annotation: str, indent: int) -> str:
    """A union, one alternative a line, that begins in a line of this indent."""
    margin = " " * (indent + 4)
    lines = f"\n{margin}| ".join(alternatives(annotation))
    return f"(\n{margin}{lines}\n{' ' * indent})" if "\n" in lines else annotation
