"""`shapes.ts`: what the components that answers hold are checked against."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

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
from ..base import HEADER
from ..circles import circles_of
from ..schemas import joined, simplified, spread, takes_others, without_null
from .components import MAX_CIRCLE, Components, is_left_out
from .discriminators import values_of
from .interfaces import Interface, contradictions, interfaces_of
from .layout import laid_out
from .source import literal, pair

RUNTIME: Final = "../runtime/answers/shapes.js"
"""The runtime's module of shapes, as `shapes.ts` imports it."""
_HEAD: Final = "/** What answers are checked against. */\n"
_ANYTHING: Final = "anything"
_TEXT: Final = re.compile(r"'(?:[^'\\]|\\.)*'")
_FACTORY: Final = re.compile(
    r"\b(all|anything|array|boolean|integer|lazy|nothing|nullable|number|object|oneOf|record|string|tagged"
    r"|union)\b(?!:)"
)
_ANY_OBJECT: Final = "/*#__PURE__*/ record(anything)"
_NULLABLE: Final = "/*#__PURE__*/ nullable("


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeExpression:
    """The shape of a schema."""

    text: str
    factories: frozenset[str]
    """What it needs of the runtime's module of shapes: `array`, `string`."""


def shape_of(components: Components, schema: Schema, prefix: str = "") -> ShapeExpression:
    """A schema as a shape: `array(shapes.Document)` with the prefix `shapes.`.

    It is on one line, for `laid_out`; calls are annotated as pure. `anything` says that nothing is checked.
    """
    text = _Shapes(components, prefix).shape(schema)
    return ShapeExpression(text=text, factories=frozenset(_used(text)))


def render_shapes(components: Components) -> str:
    """The text of `shapes.ts`: each constant after those that it mentions, or mentioning them lazily."""
    writer = _Shapes(components)
    interfaces = interfaces_of(components)
    keys = sorted(components.answered, key=components.name)
    graph = {key: tuple(sorted(components.mentions[key], key=components.name)) for key in keys}
    body: list[str] = []
    for circle in circles_of(graph):
        writer.later |= {*circle}
        for key in sorted(circle, key=components.name):
            text = writer.declared(key, interfaces.get(key))
            writer.later.discard(key)
            if text:
                head = f"export const {components.name(key)}: Shape = "
                body.append(f"{head}{laid_out(text, len(head))};\n")
    if not body:
        return f"// {HEADER}\n{_HEAD}\nexport {{}};\n"
    text = "".join(body)
    imports = laid_out(f"import {{ {', '.join(_used(text))}, type Shape }} from '{RUNTIME}';")
    return f"// {HEADER}\n{_HEAD}{imports}\n\n{text}"


class _Shapes:
    """Writes shapes, each on one line."""

    def __init__(self, components: Components, prefix: str = "") -> None:
        self._components = components
        self._schemas = components.schemas
        self._prefix = prefix
        self.later: set[str] = set()
        """The components whose constants are not there yet."""

    def declared(self, key: str, interface: Interface | None) -> str:
        """The shape of a component; empty for one that is written where it is mentioned."""
        schema = self._schemas.components[key].schema
        component = self._schemas.named(schema)
        if (component is not None and key not in self._components.circles) or self._word(schema):
            return ""
        if interface is None:
            around = frozenset({key}) if key in self._components.circles else frozenset[str]()
            return self._shape(schema, around) or _ANYTHING
        own = self._object(interface.own, self._components.tags.get(key, {}))
        bases = [self._mention(base) for base in interface.bases]
        if bases and not interface.own.properties:
            return bases[0] if len(bases) == 1 else self._call("all", bases)
        return self._call("all", [*bases, own]) if bases else own

    def shape(self, schema: Schema) -> str:
        """The shape of a schema."""
        return self._shape(schema, frozenset()) or _ANYTHING

    def _shape(self, schema: Schema, around: frozenset[str]) -> str:
        """`around` are the components that this is an alternative of, as in types; empty for these alone."""
        simple = simplified(schema)
        match simple:
            case AnyValue() | Never():
                return _ANYTHING
            case Null():
                return "nothing"
            case Boolean():
                return "boolean"
            case Integer():
                return "integer"
            case Number():
                return "number"
            case String():
                return "string"
            case Enum(values=values):
                return self._one_of(values)
            case Array(items=items, prefix=prefix):
                return self._call("array", [self.shape(item) for item in (items, *prefix)])
            case Object():
                return self._object(simple, {})
            case Ref(component=component):
                return self._named(component, around)
            case Union():
                return self._union(simple, around)
            case Intersection():
                return self._intersection([*spread(simple)], around)
            case _:
                assert_never(simple)

    def _call(self, factory: str, arguments: list[str]) -> str:
        return f"/*#__PURE__*/ {factory}({', '.join(arguments)})"

    def _named(self, wire: str, around: frozenset[str]) -> str:
        circles = self._components.circles
        if around and circles.get(wire) == circles[min(around)]:
            if wire in around:
                return ""
            if len(around) > MAX_CIRCLE:
                return _ANYTHING
            return self._shape(self._schemas.components[wire].schema, around | {wire})
        schema = self._schemas.components[wire].schema
        if word := self._word(schema):
            return word
        component = self._schemas.named(schema) if wire not in circles else None
        return self._mention(component.name.wire if component is not None else wire)

    def _mention(self, wire: str) -> str:
        name = f"{self._prefix}{self._components.name(wire)}"
        return self._call("lazy", [f"() => {name}"]) if wire in self.later else name

    def _word(self, schema: Schema) -> str:
        """What has no constant of its own, since the runtime has it."""
        match self._schemas.resolve(schema):
            case AnyValue() | Never():
                return _ANYTHING
            case Null():
                return "nothing"
            case Boolean():
                return "boolean"
            case Integer():
                return "integer"
            case Number():
                return "number"
            case String():
                return "string"
            case _:
                return ""

    def _one_of(self, values: Iterable[Json]) -> str:
        listed = [*values]
        if any(isinstance(value, list | dict) for value in listed):
            return _ANYTHING
        return self._call("oneOf", [literal(value) for value in listed])

    def _object(self, schema: Object, tags: Mapping[str, tuple[Json, ...]]) -> str:
        others = self._schemas.others(schema) if takes_others(schema) or not schema.properties else ()
        rest = self._any_of(others, frozenset()) if others else _ANYTHING
        if not schema.properties:
            return self._call("record", [rest if rest != _ANYTHING else _ANYTHING])
        required: list[str] = []
        optional: list[str] = []
        for member in schema.properties:
            if is_left_out(member, "answer"):
                continue
            wire = member.name.wire
            shape = self._one_of(tags[wire]) if wire in tags else self.shape(member.schema)
            if member.required:
                required.append(pair(wire, shape))
            elif shape != _ANYTHING or rest != _ANYTHING:
                optional.append(pair(wire, shape))
        arguments = [_members(required)]
        if optional or rest != _ANYTHING:
            arguments.append(_members(optional))
        return self._call("object", [*arguments, rest] if rest != _ANYTHING else arguments)

    def _union(self, union: Union, around: frozenset[str]) -> str:
        found, nullable = without_null(union)
        values = values_of(self._schemas, found, self._components.tags) if not around else None
        if values is not None:
            tag, variants = values
            pairs = [pair(str(value), self._mention(wire)) for wire, listed in variants for value in listed]
            shape = self._call("tagged", [literal(tag), _members(pairs)])
        else:
            shape = self._any_of(found.variants, around)
        if not shape or shape == _ANYTHING or not nullable:
            return shape or ("nothing" if nullable and not around else "")
        return shape if shape.startswith(_NULLABLE) else self._call("nullable", [shape])

    def _intersection(self, parts: list[Schema], around: frozenset[str]) -> str:
        """All parts; not those that are contradicted by what stands beside them."""
        inline = [part for part in parts if isinstance(part, Object)]
        whole = joined(inline) if inline else None
        kept: list[Schema] = [part for part in parts if not isinstance(part, Object)]
        if whole is not None:
            kept = [part for part in kept if not self._is_contradicted(part, whole)]
            if whole.properties or not kept:
                kept.append(whole)
        shapes = [*dict.fromkeys(shape for part in kept if (shape := self._shape(part, around)))]
        telling = [shape for shape in shapes if shape != _ANYTHING]
        if whole is not None and whole.properties:
            telling = [shape for shape in telling if shape != _ANY_OBJECT]
        if len(telling) > 1:
            return self._call("all", telling)
        return telling[0] if telling else "" if around else _ANYTHING

    def _is_contradicted(self, part: Schema, beside: Object) -> bool:
        return isinstance(part, Ref) and bool(contradictions(self._components, part, beside))

    def _any_of(self, variants: Iterable[Schema], around: frozenset[str]) -> str:
        shapes = [*dict.fromkeys(shape for one in variants if (shape := self._shape(one, around)))]
        if _ANYTHING in shapes:
            return _ANYTHING
        return self._call("union", shapes) if len(shapes) > 1 else shapes[0] if shapes else ""


def _used(text: str) -> list[str]:
    """What shapes need of the runtime, sorted: a name that is no text and no member."""
    return sorted({*_FACTORY.findall(_TEXT.sub("''", text))}, key=lambda name: (name.lower(), name))


def _members(pairs: list[str]) -> str:
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
