"""OpenAPI 3.0 to 3.1, object by object.

Schemas of 3.0 are an old JSON Schema with words of its own (OpenAPI 3.0.4, section 4.7.24); those of 3.1 are
JSON Schema 2020-12. Every transform keeps the set of values that a schema accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..document import Map, Places, Seq
from ..ir.schema import Json
from ..ir.source import SourceRef
from .rewriter import Rewriter, Transform, rename

_ANNOTATIONS: Final = frozenset(
    {
        *("title", "summary", "description", "default", "example", "examples", "deprecated"),
        *("readOnly", "writeOnly", "externalDocs", "xml"),
    }
)
_NOTES: Final = frozenset({"title", "summary", "description", "example", "externalDocs"})
"""Annotations that change nothing but the documentation."""
_COMPOSED: Final = frozenset({"allOf", "anyOf", "oneOf", "not"})
_ENCODINGS: Final = {"byte": "base64", "base64": "base64", "base64url": "base64url"}
_BINARY: Final = "application/octet-stream"


def reference_alone(value: Map, rewriter: Rewriter) -> None:
    """3.0 ignores what stands beside `$ref`, where 3.1 would read it (4.7.23, Reference Object)."""
    if not isinstance(value.get("$ref"), str):
        return
    for key in [key for key in value if key != "$ref"]:
        code = "DH061" if key in _NOTES or key.startswith("x-") else "DH060"
        hint = "put the reference into an allOf, and this beside it"
        message = f"OpenAPI 3.0 ignores {key!r} beside $ref"
        rewriter.diagnostics.add(code, message, value.places[key][0], hint=hint)
        del value[key]


def leftovers(schema: Map, rewriter: Rewriter) -> None:
    """Types that 3.0 does not have: `file` of Swagger 2.0, and null where a name belongs."""
    kind = schema.get("type")
    if isinstance(kind, Seq) and None in kind:
        schema.put("type", _with_names(kind), schema.places["type"])
    elif kind == "file":
        _left_over(
            schema, rewriter, "the type `file` is of Swagger 2.0", "write type: string, format: binary"
        )
        schema.put("type", "string", schema.places["type"])
        if "format" not in schema:
            schema.put("format", "binary", schema.places["type"])
    elif kind is None and "type" in schema:
        _left_over(
            schema, rewriter, "`type` is empty, so any value is accepted", "name the type, or leave it out"
        )
        del schema["type"]


def exclusive_bounds(schema: Map, rewriter: Rewriter) -> None:
    """`exclusiveMinimum: true` makes `minimum` exclusive; in 3.1 it is the bound itself."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = schema.get(exclusive)
        if not isinstance(flag, bool):
            continue
        if flag and bound in schema:
            schema.put(exclusive, schema[bound], schema.places[bound])
            del schema[bound]
            continue
        if flag:
            message = f"`{exclusive}` means nothing without `{bound}`"
            rewriter.diagnostics.add("DH063", message, schema.places[exclusive][0], hint=f"add `{bound}`")
        del schema[exclusive]


def content_formats(schema: Map, rewriter: Rewriter) -> None:
    """`format: byte` and `binary` became content keywords (3.1.1, section 4.4.2)."""
    written = schema.get("format")
    if schema.get("type") != "string" or not isinstance(written, str):
        return
    if written in _ENCODINGS and "contentEncoding" not in schema:
        schema.put("format", _ENCODINGS[written], schema.places["format"])
        rename(schema, "format", "contentEncoding")
    elif written == "binary" and "contentMediaType" not in schema:
        schema.put("format", _BINARY, schema.places["format"])
        rename(schema, "format", "contentMediaType")


def example_of_schema(schema: Map, rewriter: Rewriter) -> None:
    """A schema's `example` is deprecated in 3.1: `examples` of JSON Schema is an array."""
    if "example" not in schema or isinstance(schema.get("examples"), Map):
        return
    key, place = schema.places["example"]
    listed = Seq(place)
    listed.put(schema["example"], place)
    known = schema.get("examples")
    if isinstance(known, Seq):
        for value, where in zip(known, known.places, strict=True):
            listed.put(value, where)
        del schema["examples"]
    schema.put("example", listed, (key, place))
    rename(schema, "example", "examples")


def nullable(schema: Map, rewriter: Rewriter) -> None:
    """`nullable: true` becomes the type `null`, so that null passes this schema whatever else it says.

    That is how 3.0.0 to 3.0.2 describe it and how it is used. 3.0.3 narrowed it to schemas with a `type`,
    whose `enum` or `allOf` may still refuse null; where the two readings part, a note says so.
    """
    if "nullable" not in schema:
        return
    wanted, place = schema["nullable"], schema.places["nullable"]
    del schema["nullable"]
    if wanted is not True:
        return
    if schema.keys() & _COMPOSED:
        _parted(rewriter, place, f"beside {', '.join(sorted(schema.keys() & _COMPOSED))}")
        _null_or_else(schema, place)
        return
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "null":
        types = Seq(schema.places["type"][1])
        types.put(kind, schema.places["type"][1])
        types.put("null", place[0])
        schema.put("type", types, schema.places["type"])
    elif isinstance(kind, Seq) and "null" not in kind:
        schema.put("type", _appended(kind, "null", place[0]), schema.places["type"])
    values = schema.get("enum")
    if isinstance(values, Seq) and None not in values:
        _parted(rewriter, place, "beside an enum without null")
        schema.put("enum", _appended(values, None, place[0]), schema.places["enum"])


def webhooks(document: Map, rewriter: Rewriter) -> None:
    """`x-webhooks` was what one wrote before 3.1 had `webhooks`."""
    if "x-webhooks" in document and "webhooks" not in document:
        rename(document, "x-webhooks", "webhooks")


def _left_over(schema: Map, rewriter: Rewriter, message: str, hint: str) -> None:
    rewriter.diagnostics.add("DH063", message, schema.places["type"][1], hint=hint)


def _parted(rewriter: Rewriter, place: Places, where: str) -> None:
    hint = "say it in the words of 3.1 to be sure: a type of [..., 'null']"
    message = f"`nullable` {where}: null is taken to be allowed, which OpenAPI 3.0.3 leaves to the rest"
    rewriter.diagnostics.add("DH062", message, place[0], hint=hint)


def _null_or_else(schema: Map, place: Places) -> None:
    """`anyOf` of what the schema says and null; annotations stay where they are."""
    inner = Map(schema.source)
    for key in [key for key in schema if key not in _ANNOTATIONS and not key.startswith("x-")]:
        inner.take(schema, key)
        del schema[key]
    null = Map(place[0])
    null.put("type", "null", place)
    wrapped = inner.get("allOf")
    only = wrapped[0] if isinstance(wrapped, Seq) and len(wrapped) == len(inner) == 1 else inner
    listed = inner.get("anyOf") if len(inner) == 1 else None
    variants = Seq(place[1])
    if isinstance(listed, Seq):
        for variant, where in zip(listed, listed.places, strict=True):
            variants.put(variant, where)
    else:
        variants.put(only, only.source if isinstance(only, Map) else schema.source)
    variants.put(null, place[0])
    schema.put("anyOf", variants, place)


def _appended(values: Seq, value: Json, place: SourceRef) -> Seq:
    longer = Seq(values.source)
    for known, where in zip(values, values.places, strict=True):
        longer.put(known, where)
    longer.put(value, place)
    return longer


def _with_names(kinds: Seq) -> Seq:
    named = Seq(kinds.source)
    for kind, place in zip(kinds, kinds.places, strict=True):
        named.put("null" if kind is None else kind, place)
    return named


_SCHEMA: Final[tuple[Transform, ...]] = (
    reference_alone,
    leftovers,
    exclusive_bounds,
    content_formats,
    example_of_schema,
    nullable,
)
_REFERABLE: Final = (
    *("response", "parameter", "example", "requestBody", "header", "securityScheme", "link", "callback"),
)

TRANSFORMS: Final[Mapping[str, tuple[Transform, ...]]] = {
    "document": (webhooks,),
    "schema": _SCHEMA,
    **dict.fromkeys(_REFERABLE, (reference_alone,)),
}
"""What each kind of object goes through, in this order."""
