"""Which parameters and members of a request's body are arguments of their own, whatever the language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..ir.operation import Parameter, PartEncoding, Payload
from ..ir.schema import AnyValue, Array, Object, Property, Schema, String, Union
from .schemas import Schemas

MAX_VARIANTS: Final = 8
"""Objects that a body may be and whose members are arguments; a body of more variants is passed whole."""
RUNTIME_HEADERS: Final = frozenset({"accept", "content-type", "authorization", "idempotency-key"})
"""Headers that an SDK sends itself: OpenAPI ignores three of them as parameters, options hold the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An argument that becomes a member of a body."""

    argument: str
    name: str
    file: bool
    encoding: PartEncoding | None


def is_flat(payload: Payload) -> bool:
    """Whether a body of this kind may have members."""
    return payload.kind in ("json", "form", "multipart")


def variants(schemas: Schemas, schema: Schema | None) -> tuple[Object, ...]:
    """The objects that a body may be, where each has members that can be arguments; none otherwise."""
    resolved = schemas.resolve(schema) if schema is not None else None
    candidates = resolved.variants if isinstance(resolved, Union) else (resolved,)
    objects = [
        found
        for candidate in candidates
        if candidate is not None and isinstance(found := schemas.resolve(candidate), Object)
    ]
    flat = all(any(not is_read_only(member) for member in found.properties) for found in objects)
    return tuple(objects) if flat and len(objects) == len(candidates) <= MAX_VARIANTS else ()


def is_read_only(member: Property) -> bool:
    """Whether only answers hold it."""
    return member.schema.read_only


def is_file(schemas: Schemas, schema: Schema) -> bool:
    """Raw bytes: `format: binary` in OpenAPI 3.0; since 3.1 a content type alone, or no type at all."""
    match schema:
        case Array(items=items):
            return is_file(schemas, schemas.resolve(items))
        case String(format=written, content_encoding=encoding, content_media_type=media_type):
            return written == "binary" or (bool(media_type) and not encoding)
        case _:
            return isinstance(schema, AnyValue)


def in_order(parameters: tuple[Parameter, ...]) -> Iterator[Parameter]:
    """Path, query, header, cookie: the first of a name keeps it. None that the runtime sends."""
    for location in ("path", "query", "header", "cookie"):
        for parameter in parameters:
            sent = location == "header" and parameter.name.wire.lower() in RUNTIME_HEADERS
            if parameter.location == location and not sent:
                yield parameter
