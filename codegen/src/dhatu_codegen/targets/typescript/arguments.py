"""The arguments of an operation, and the groups of them that make up each body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ...ir.name import Name
from ...ir.operation import Operation, Parameter, Payload
from ...ir.schema import Array, Boolean, Enum, Integer, Json, Null, Number, Property, Schema, String, Union
from ..bodies import Field, in_order, is_file, is_flat, is_read_only, variants
from ..taken import Taken
from .comments import described
from .components import Components
from .identifiers import argument_name
from .source import literal, quoted
from .types import type_of
from .view import Slot

TYPES: Final = "t."
"""What generated modules call the module of types."""
_INDENT: Final = 2
_MAX_EXAMPLE: Final = 40
_KINDS: Final = (Boolean, Integer, Number, String)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One media type, and the arguments that fill it."""

    payload: Payload
    fields: tuple[Field, ...]
    whole: str
    """Name of the argument that is the whole body, where there are no fields."""
    groups: tuple[tuple[Slot, ...], ...]
    """Arguments that go together: several groups where the body is one of several objects."""


class Arguments:
    """Collects the arguments of one operation under names of their own."""

    def __init__(self, operation: Operation, components: Components) -> None:
        self._operation = operation
        self._components = components
        self._taken = Taken(separator="")
        self._names: dict[tuple[str, str], str] = {}
        self.parameters = tuple((one, self._parameter(one)) for one in in_order(operation.parameters))
        self.bodies = tuple(map(self._body, operation.body.payloads if operation.body is not None else ()))
        self.content_type = self._content_type()
        """The argument that chooses among raw media types."""

    def stream(self) -> Slot:
        """The flag that asks for events: one that is sent under this name as well, if there is one."""
        for body in self.bodies:
            for group in body.groups:
                for slot in group:
                    if slot.key == ("body", "stream") and "boolean" in slot.type:
                        return slot
        for _, slot in self.parameters:
            if slot.key == ("query", "stream") and slot.type.startswith("boolean"):
                return slot
        doc = (
            "True for events as they happen, instead of the whole answer at the end.",
            "",
            "@default false",
        )
        return self._slot(("flag", "stream"), "stream", "boolean", doc=doc)

    def _parameter(self, parameter: Parameter) -> Slot:
        return self._slot(
            (parameter.location, parameter.name.wire),
            argument_name(parameter.name),
            self._type(parameter.schema),
            required=parameter.required,
            doc=self._doc(parameter.schema, parameter.description, deprecated=parameter.deprecated),
            schema=parameter.schema,
            examples=parameter.examples,
        )

    def _body(self, payload: Payload) -> Body:
        found = variants(self._components.schemas, payload.schema) if is_flat(payload) else ()
        if not found:
            whole = self._whole(payload)
            return Body(payload=payload, fields=(), whole=whole.name, groups=((whole,),))
        groups = tuple(
            tuple(self._member(payload, member) for member in variant.properties if not is_read_only(member))
            for variant in found
        )
        slots = {slot.name: slot for group in groups for slot in group}
        encodings = {part.property: part for part in payload.encoding}
        fields = tuple(
            Field(
                argument=slot.name,
                name=slot.key[1],
                file=slot.key[0] == "file",
                encoding=encodings.get(slot.key[1]),
            )
            for slot in slots.values()
        )
        return Body(payload=payload, fields=fields, whole="", groups=groups)

    def _whole(self, payload: Payload) -> Slot:
        """The argument of a body that has no members of its own."""
        schema, required = payload.schema, self._operation.body is not None and self._operation.body.required
        if is_flat(payload):
            kind = self._type(schema) if schema is not None else "unknown"
            doc = self._doc(schema, "") if schema is not None else ()
            return self._slot(
                ("body", ""), "body", kind, required=required, doc=doc or ("The whole body.",), schema=schema
            )
        kind, pieces = "Content", "bytes, text, a Blob or chunks"
        if payload.kind == "jsonl":
            item = self._type(schema) if schema is not None else "unknown"
            kind, pieces = f"Series<{item}> | Content", f"items, one a line; or {pieces}"
        doc = (f"The whole body in {payload.media_type}: {pieces}.",)
        return self._slot(("content", ""), "content", kind, required=required, doc=doc)

    def _member(self, payload: Payload, member: Property) -> Slot:
        wire, schema = member.name.wire, member.schema
        resolved = self._components.schemas.resolve(schema)
        file = payload.kind == "multipart" and is_file(self._components.schemas, resolved)
        kind = (
            ("readonly Content[]" if isinstance(resolved, Array) else "Content")
            if file
            else self._type(schema)
        )
        return self._slot(
            ("file" if file else "body", wire),
            argument_name(member.name),
            kind,
            required=member.required and self._operation.body is not None and self._operation.body.required,
            doc=self._doc(schema, schema.description or resolved.description, deprecated=schema.deprecated),
            schema=None if file else schema,
        )

    def _content_type(self) -> Slot | None:
        """The choice among the media types of raw content; none where another argument has its name."""
        raw = [body.payload.media_type for body in self.bodies if body.whole and body.whole != "body"]
        ranged = any("*" in media_type for media_type in raw)
        if (len(raw) < 2 and not ranged) or "contentType" in self._names.values():
            return None
        kind = "string" if ranged else " | ".join(map(quoted, raw))
        doc = (f"Media type of the content.{'' if ranged else f' @default {quoted(raw[0])}'}",)
        return self._slot(("flag", "contentType"), "contentType", kind, doc=doc)

    def _slot(
        self,
        key: tuple[str, str],
        wanted: str,
        kind: str,
        *,
        required: bool = False,
        doc: tuple[str, ...] = (),
        schema: Schema | None = None,
        examples: tuple[Json, ...] = (),
    ) -> Slot:
        """The argument under a name of its own, which several bodies share."""
        if key not in self._names:
            other = argument_name(Name.of(f"{wanted} {_SUFFIXES.get(key[0], key[0])}"))
            self._names[key] = self._taken.give(wanted, other)
        resolved = self._components.schemas.resolve(schema) if schema is not None else None
        return Slot(
            key=key,
            name=self._names[key],
            type=kind,
            required=required,
            doc=doc,
            example=_example(resolved, schema, examples)
            if resolved is not None and schema is not None
            else "",
            scalar=resolved is not None and _is_scalar(resolved),
        )

    def _type(self, schema: Schema) -> str:
        return type_of(self._components, schema, "input", TYPES)

    def _doc(self, schema: Schema, description: str, *, deprecated: bool = False) -> tuple[str, ...]:
        lines = described(replace(schema, deprecated=deprecated), description or schema.description, _INDENT)
        return tuple(lines)


_SUFFIXES: Final = {"content": "bytes", "flag": "option"}


def _is_scalar(schema: Schema) -> bool:
    """Whether no value is an object."""
    match schema:
        case Enum(values=values):
            return not any(isinstance(value, dict) for value in values)
        case Union(variants=found):
            return all(_is_scalar(one) for one in found)
        case _:
            return isinstance(schema, (*_KINDS, Array, Null))


def _example(resolved: Schema, schema: Schema, examples: tuple[Json, ...]) -> str:
    """What could be passed, as short as can be."""
    for value in (*examples, *schema.examples, *resolved.examples):
        if len(shown := literal(value)) <= _MAX_EXAMPLE:
            return shown
    match resolved:
        case Enum(values=(first, *_)):
            return literal(first)
        case String():
            return "'...'"
        case Integer() | Number():
            return literal(resolved.constraints.get("minimum", 1))
        case Boolean():
            return "true"
        case Array():
            return "[]"
        case _:
            return ""
