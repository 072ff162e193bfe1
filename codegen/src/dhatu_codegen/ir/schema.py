"""Schemas: a closed union, one class per kind of value that a JSON Schema can describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .name import Name
from .source import SourceRef

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """What every kind of schema may carry."""

    source: SourceRef
    description: str = ""
    default: Json = None
    has_default: bool = False
    """Tells a default of null from no default."""
    examples: tuple[Json, ...] = ()
    deprecated: bool = False
    read_only: bool = False
    write_only: bool = False
    constraints: Mapping[str, Json]
    """Validation keywords that do not choose the kind: minimum, maxLength, pattern, uniqueItems, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyValue(Annotated):
    """Any JSON value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Never(Annotated):
    """No value at all: the schema `false`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Null(Annotated):
    """Only null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(Annotated):
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(Annotated):
    """A whole number of any size."""

    format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Annotated):
    """Any number."""

    format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class String(Annotated):
    """Text; `format` and the content keywords tell dates, uuids, base64 and files apart."""

    format: str = ""
    content_encoding: str = ""
    content_media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enum(Annotated):
    """One of the listed values; a `const` is an enum of one."""

    values: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Array(Annotated):
    """A list: `prefix` by position, then any number of `items`."""

    items: Schema
    prefix: tuple[Schema, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A named member of an object."""

    name: Name
    schema: Schema
    required: bool
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Annotated):
    """An object; `additional` is None where unknown members are refused."""

    properties: tuple[Property, ...]
    additional: Schema | None
    pattern_properties: tuple[tuple[str, Schema], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Discriminator:
    """The property that tells the variants of a union apart, and the component that each value names."""

    property: str
    mapping: tuple[tuple[str, str], ...]
    """(value on the wire, component name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Union(Annotated):
    """At least one (anyOf) or exactly one (oneOf) of the variants; a nullable schema is a union with Null."""

    variants: tuple[Schema, ...]
    mode: Literal["any", "one"]
    discriminator: Discriminator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intersection(Annotated):
    """All of the parts at once (allOf)."""

    parts: tuple[Schema, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref(Annotated):
    """A named component of the document."""

    component: str
    """Its key under `components/schemas`."""


Schema: TypeAlias = (
    AnyValue
    | Never
    | Null
    | Boolean
    | Integer
    | Number
    | String
    | Enum
    | Array
    | Object
    | Union
    | Intersection
    | Ref
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A schema with a name of its own."""

    name: Name
    schema: Schema
    source: SourceRef
