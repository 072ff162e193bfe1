"""The arguments of a method, and the groups of them that make up each body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ...ir.operation import Operation, Parameter, Payload
from ...ir.schema import Array, Property, Schema
from ..bodies import Field, in_order, is_file, is_flat, is_read_only, variants
from ..schemas import Schemas
from ..taken import Taken
from .annotations import CONTENT, Annotations, Twin, literal, twin_union
from .forms import Form, common, form_of
from .identifiers import RESERVED_ARGUMENTS, value_name

Key: TypeAlias = "tuple[str, str]"
"""Where an argument goes (a parameter's location, body, file, content), and its name there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a method."""

    key: Key
    name: str
    annotation: Twin
    """Without Omit."""
    required: bool
    description: str
    form: Form
    """As typed by a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One media type, and the arguments that fill it."""

    payload: Payload
    fields: tuple[Field, ...]
    whole: str
    """Name of the argument that is the whole body, where there are no fields."""
    groups: tuple[tuple[Argument, ...], ...]
    """Arguments that go together: several groups where the body is one of several objects."""


class ArgumentList:
    """Collects the arguments of one operation under names of their own."""

    def __init__(self, operation: Operation, annotations: Annotations, schemas: Schemas, hint: str) -> None:
        self._operation = operation
        self._annotations = annotations
        self._schemas = schemas
        self._hint = hint
        self._taken = Taken(RESERVED_ARGUMENTS)
        self._found: dict[Key, Argument] = {}
        self.parameters = tuple(
            (parameter, self._parameter(parameter)) for parameter in in_order(operation.parameters)
        )
        payloads = operation.body.payloads if operation.body is not None else ()
        self.bodies = tuple(self._body(payload) for payload in payloads)
        self.content_type = self._content_type()
        """The argument that chooses among raw media types."""

    @property
    def all(self) -> tuple[Argument, ...]:
        """Every argument once, annotated with all that it may be; required only where every group has it."""
        return tuple(self._found.values())

    def flag(self, name: str, description: str) -> Argument:
        """An argument that chooses the answer: one that is sent under this name as well, if there is one."""
        for location in ("body", "query"):
            own = self._found.get((location, name))
            if own is not None and "bool" in own.annotation.asynchronous.split(" | "):
                return own
        return self._add(
            Argument(
                key=("flag", name),
                name=name,
                annotation=Twin.of("bool"),
                required=False,
                description=description,
                form=Form(kind="boolean"),
            )
        )

    def _parameter(self, parameter: Parameter) -> Argument:
        wire = parameter.name.wire
        annotation = self._annotations.argument(parameter.schema, f"{self._hint} {wire}")
        return self._add(
            Argument(
                key=(parameter.location, wire),
                name=value_name(parameter.name),
                annotation=Twin.of(annotation),
                required=parameter.required,
                description=_explained(
                    parameter.description or parameter.schema.description, parameter.schema
                ),
                form=form_of(parameter.schema, self._schemas),
            )
        )

    def _body(self, payload: Payload) -> Body:
        whole = self._whole(payload)
        if whole is not None:
            return Body(payload=payload, fields=(), whole=whole.name, groups=((whole,),))
        groups = tuple(
            tuple(self._member(payload, member) for member in variant.properties if not is_read_only(member))
            for variant in variants(self._schemas, payload.schema)
        )
        arguments = {argument.name: argument for group in groups for argument in group}
        encodings = {part.property: part for part in payload.encoding}
        fields = tuple(
            Field(
                argument=argument.name,
                name=argument.key[1],
                file=argument.key[0] == "file",
                encoding=encodings.get(argument.key[1]),
            )
            for argument in arguments.values()
        )
        return Body(payload=payload, fields=fields, whole="", groups=groups)

    def _whole(self, payload: Payload) -> Argument | None:
        """The argument of a body that has no members to flatten; None for one that has."""
        kind, required = payload.kind, self._operation.body is not None and self._operation.body.required
        if is_flat(payload):
            if variants(self._schemas, payload.schema):
                return None
            schema = payload.schema
            return self._add(
                Argument(
                    key=("body", ""),
                    name="body",
                    annotation=Twin.of(
                        self._annotations.argument(schema, f"{self._hint} body") if schema else "object"
                    ),
                    required=required,
                    description=self._described(payload, "The whole body."),
                    form=form_of(schema, self._schemas),
                )
            )
        annotation = self._annotations.line(payload, self._hint) if kind == "jsonl" else CONTENT
        pieces = "bytes, text, a path, a file or chunks"
        pieces = f"items, one a line; or {pieces}" if kind == "jsonl" else pieces
        description = self._described(payload, f"The whole body in {payload.media_type}: {pieces}.")
        return self._add(
            Argument(
                key=("content", ""),
                name="content",
                annotation=annotation,
                required=required,
                description=description,
                form=Form(kind="content"),
            )
        )

    def _described(self, payload: Payload, otherwise: str) -> str:
        own = payload.schema.description if payload.schema is not None and payload.kind != "jsonl" else ""
        return own or otherwise

    def _member(self, payload: Payload, member: Property) -> Argument:
        wire = member.name.wire
        resolved = self._schemas.resolve(member.schema)
        file = payload.kind == "multipart" and is_file(self._schemas, resolved)
        if file:
            form = Form(kind="file", many=isinstance(resolved, Array))
            annotation = _many(CONTENT) if form.many else CONTENT
        else:
            form = form_of(member.schema, self._schemas)
            annotation = Twin.of(self._annotations.argument(member.schema, f"{self._hint} {wire}"))
        body_required = self._operation.body is not None and self._operation.body.required
        return self._add(
            Argument(
                key=("file" if file else "body", wire),
                name=value_name(member.name),
                annotation=annotation,
                required=member.required and body_required,
                description=_explained(member.schema.description or resolved.description, member.schema),
                form=form,
            )
        )

    def _content_type(self) -> Argument | None:
        """The choice among the media types of raw content; none where another argument has its name."""
        raw = [body.payload.media_type for body in self.bodies if body.whole and body.whole != "body"]
        ranged = any("*" in media_type for media_type in raw)
        taken = any(argument.name == "content_type" for argument in self._found.values())
        if (len(raw) < 2 and not ranged) or taken:
            return None
        otherwise = "by the file's name" if "*" in raw[0] else raw[0]
        return self._add(
            Argument(
                key=("flag", "content_type"),
                name="content_type",
                annotation=Twin.of("str" if ranged else literal((*raw,))),
                required=False,
                description=f"Media type of the content; {otherwise} when absent.",
                form=Form(kind="text", choices=() if ranged else (*raw,)),
            )
        )

    def _add(self, own: Argument) -> Argument:
        """The argument under its own name; one that several bodies share may be what any of them takes."""
        known = self._found.get(own.key)
        if known is None:
            suffix = _SUFFIXES.get(own.key[0], own.key[0])
            known = replace(own, name=self._taken.give(own.name, f"{own.name.rstrip('_')}_{suffix}"))
        else:
            told = dict.fromkeys(filter(None, (*known.description.split(_OR), own.description)))
            known = replace(
                known,
                annotation=twin_union(known.annotation, own.annotation),
                description=_OR.join(told),
                form=common(known.form, own.form),
            )
        self._found[own.key] = known
        return replace(known, annotation=own.annotation, required=own.required)


_OR: Final = " Or: "
_SUFFIXES: Final = {"content": "bytes", "flag": "option"}


def _many(kind: Twin) -> Twin:
    def of(item: str) -> str:
        return f"list[{item}] | tuple[{item}, ...]"

    return Twin(asynchronous=of(kind.asynchronous), synchronous=of(kind.synchronous))


def _explained(description: str, schema: Schema) -> str:
    """The description, and the default that the server fills in."""
    if not schema.has_default or isinstance(schema.default, dict | list):
        return description
    return f"{description.rstrip()} Default: {schema.default if schema.default != '' else 'empty'}.".strip()
