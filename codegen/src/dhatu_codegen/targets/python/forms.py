"""How a person types the value of an argument: what the `command` that an SDK brings reads it as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from ...ir.schema import Array, Boolean, Enum, Integer, Null, Number, Schema, String, Union
from ...ir.source import SourceRef
from ..schemas import Schemas

FormKind: TypeAlias = Literal[
    "text", "base64", "integer", "number", "boolean", "json", "any", "file", "content"
]
"""base64: bytes as text. any: JSON where it reads as JSON, else text. file: part of a body, by its path.
content: a whole body."""

_SCALAR: Final = frozenset({"text", "integer", "number", "boolean"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The kind of one value, and whether several may be given."""

    kind: FormKind
    choices: tuple[str, ...] = ()
    """The only texts that are taken; empty for any."""
    many: bool = False


def form_of(schema: Schema | None, schemas: Schemas) -> Form:
    """The form of a value that a schema describes."""
    return _form(schema, schemas, frozenset())


def _form(schema: Schema | None, schemas: Schemas, around: frozenset[SourceRef]) -> Form:
    """`around` are the lists and unions that it is written in: one that holds itself is JSON inside."""
    resolved = schemas.resolve(schema) if schema is not None else None
    if resolved is not None and resolved.source in around:
        return Form(kind="json")
    match resolved:
        case Integer():
            return Form(kind="integer")
        case Number():
            return Form(kind="number")
        case Boolean():
            return Form(kind="boolean")
        case String(content_encoding="base64") | String(format="byte"):
            return Form(kind="base64")
        case String():
            return Form(kind="text")
        case Enum(values=values):
            return _enumerated(values)
        case Array(items=items, prefix=()):
            item = _form(items, schemas, around | {resolved.source})
            return replace(item, many=True) if item.kind in _SCALAR and not item.many else Form(kind="json")
        case Union(variants=variants):
            return _united(variants, schemas, around | {resolved.source})
        case _:
            return Form(kind="any" if resolved is None else "json")


def common(one: Form, other: Form) -> Form:
    """The form of an argument that two bodies take, each in its own."""
    return one if one == other else Form(kind="any")


def _enumerated(values: tuple[object, ...]) -> Form:
    texts = tuple(value for value in values if isinstance(value, str))
    if texts and all(isinstance(value, str) or value is None for value in values):
        return Form(kind="text", choices=texts)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return Form(kind="integer", choices=tuple(map(str, values)))
    return Form(kind="any")


def _united(variants: tuple[Schema, ...], schemas: Schemas, around: frozenset[SourceRef]) -> Form:
    """Of a nullable value that of the value; texts of any kind are text; the rest is told by its looks."""
    forms = [
        _form(variant, schemas, around)
        for variant in variants
        if not isinstance(schemas.resolve(variant), Null)
    ]
    if len(forms) == 1:
        return forms[0]
    if all(form.kind == "text" and not form.many for form in forms):
        closed = all(form.choices for form in forms)
        return Form(
            kind="text", choices=tuple(text for form in forms for text in form.choices) if closed else ()
        )
    return Form(kind="any")
