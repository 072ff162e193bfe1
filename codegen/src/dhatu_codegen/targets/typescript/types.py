"""`types.ts`: an interface for each component that is an object, an alias for any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    Property,
    Ref,
    Schema,
    String,
    Union,
)
from ..base import HEADER
from ..schemas import joined as objects_joined
from ..schemas import simplified, spread, takes_others
from .alternatives import grouped, joined, of_values, united
from .comments import comment, described, telling
from .components import MAX_CIRCLE, Components, Side, is_left_out
from .discriminators import stamps_of
from .identifiers import member_name
from .interfaces import Interface, contradictions, interfaces_of, requiring
from .source import WIDTH, indented, quoted

_HEAD: Final = "/** What the operations answer, and what they take. */\n"
_MAX_OTHERS: Final = 8
"""Alternatives of members without a name; with more, they are anything."""
_ANY_OBJECT: Final = "{ [name: string]: unknown }"
_NOTHING: Final[frozenset[str]] = frozenset()


def type_of(components: Components, schema: Schema, side: Side, prefix: str = "") -> str:
    """A schema as a type expression: `types.Document[] | null` with the prefix `types.`.

    It may have several lines, which are not indented, and is to be put in parentheses before `[]`.
    """
    return " | ".join(_Types(components, side, prefix).kinds(schema))


def render_types(components: Components) -> str:
    """The text of `types.ts`."""
    interfaces = interfaces_of(components)
    written: dict[str, str] = {}
    sides: tuple[Side, ...] = ("answer", "input")
    for side in sides:
        writer = _Types(components, side)
        for key in components.schemas.components if side == "answer" else components.two_sided:
            name = components.name(key, side)
            written[name] = writer.declaration(key, name, interfaces.get(key))
    body = "\n".join(text for _, text in sorted(written.items()))
    return f"// {HEADER}\n{_HEAD}\n{body}" if body else f"// {HEADER}\n{_HEAD}\nexport {{}};\n"


class _Types:
    """Writes types of one side."""

    def __init__(self, components: Components, side: Side, prefix: str = "") -> None:
        self._components = components
        self._schemas = components.schemas
        self._side: Side = side
        self._prefix = prefix

    def declaration(self, key: str, name: str, interface: Interface | None) -> str:
        """`export interface X { ... }` or `export type X = ...;`, with what is said about it."""
        schema = self._schemas.components[key].schema
        said = comment(described(schema, schema.description))
        if interface is None:
            # A named component again is what it stands for: only what is nothing but itself is anything.
            kinds = (
                self._kinds(schema, frozenset({key}))
                if key in self._components.circles
                else self.kinds(schema)
            )
            return (
                f"{said}export type {name} ={_after(joined(kinds or ['unknown'], WIDTH - len(name) - 16))};\n"
            )
        bases = ", ".join(self._name(base) for base in interface.bases)
        head = f"export interface {name}{f' extends {bases}' if bases else ''}"
        if len(head) > WIDTH - 2:
            lines = "".join(f"\n    {self._name(base)}," for base in interface.bases)
            head = f"export interface {name}\n  extends{lines[:-1]}"
        tags = self._components.tags.get(key, {})
        body = "".join(self._members(interface.own, tags))
        return f"{said}{head} {{\n{body}}}\n" if body else f"{said}{head} {{}}\n"

    def kinds(self, schema: Schema) -> list[str]:
        """The alternatives of a schema."""
        return self._kinds(schema, _NOTHING)

    def _kinds(self, schema: Schema, around: frozenset[str]) -> list[str]:
        """`around` are the components that this is an alternative of, where one of them may be one of this.

        Empty where nothing is left but these.
        """
        simple = simplified(schema)
        match simple:
            case AnyValue():
                return ["unknown"]
            case Never():
                return ["never"]
            case Null():
                return ["null"]
            case Boolean():
                return ["boolean"]
            case Integer() | Number():
                return ["number"]
            case String():
                return ["string"]
            case Enum(values=values):
                return of_values(values, closed=False)
            case Array():
                return [self._array(simple)]
            case Object():
                return [self._object(simple)]
            case Ref(component=key):
                return self._named(key, around)
            case Union():
                return self._union(simple, around)
            case Intersection():
                return self._intersection(simple, around)
            case _:
                assert_never(simple)

    def _name(self, key: str) -> str:
        return f"{self._prefix}{self._components.name(key, self._side)}"

    def _named(self, key: str, around: frozenset[str]) -> list[str]:
        """The component's name; in a circle of aliases what it stands for, without what is around it."""
        circles = self._components.circles
        if not around or circles.get(key) != circles[min(around)]:
            return [self._name(key)]
        if len(around) > MAX_CIRCLE:
            return ["unknown"]
        return [] if key in around else self._kinds(self._schemas.components[key].schema, around | {key})

    def _array(self, schema: Array) -> str:
        items = self.kinds(schema.items)
        if not schema.prefix:
            return f"{grouped(items, WIDTH - 20)}[]"
        least, most = schema.constraints.get("minItems"), schema.constraints.get("maxItems")
        required = least if isinstance(least, int) else len(schema.prefix)
        written = [
            grouped(self.kinds(item)) + ("" if number < required else "?")
            for number, item in enumerate(schema.prefix)
        ]
        if items != ["never"] and not (isinstance(most, int) and most <= len(schema.prefix)):
            written.append(f"...{grouped(items)}[]")
        return f"[{', '.join(written)}]"

    def _object(self, schema: Object, tags: Mapping[str, tuple[Json, ...]] | None = None) -> str:
        if not schema.properties:
            closed = schema.additional is None and not schema.pattern_properties
            if closed:
                return "{ [name: string]: never }"
            return f"{{ [name: string]: {indented(joined(self._others(schema), WIDTH - 30), 2)} }}"
        members = [*self._members(schema, tags or {})]
        text = "".join(members)
        if not members:
            return "{}"
        short = len(text) <= 80 and "/**" not in text and text.count("\n") == len(members)
        if short:
            return f"{{ {' '.join(member.strip() for member in members).removesuffix(';')} }}"
        return f"{{\n{text}}}"

    def _members(self, schema: Object, tags: Mapping[str, tuple[Json, ...]]) -> Iterator[str]:
        """A line or more for each member of this side, and one for those without a name."""
        kinds: list[str] = []
        for member in schema.properties:
            if is_left_out(member, self._side):
                continue
            wire = member.name.wire
            own = of_values(tags[wire], closed=True) if wire in tags else self.kinds(member.schema)
            kinds += own if member.required else [*own, "undefined"]
            name = f"{member_name(wire)}{'' if member.required else '?'}"
            text = joined(own, WIDTH - len(name) - 5)
            yield f"{self._comment(member)}  {name}:{_after(indented(text))};\n"
        if takes_others(schema):
            others = self._others(schema)
            # An index signature has to allow what the members with a name are.
            allowed = united([*others, *kinds])
            if len(allowed) > _MAX_OTHERS or any("\n" in kind for kind in allowed):
                allowed = ["unknown"]
            if allowed != others:
                yield comment([f"Any other member: `{' | '.join(others)}`."], 2) if _is_short(others) else ""
            yield f"  [name: string]:{_after(indented(joined(allowed, WIDTH - 22)))};\n"

    def _comment(self, member: Property) -> str:
        schema = member.schema
        description = schema.description or telling(schema).description
        if not description and isinstance(schema, Intersection) and self._schemas.named(schema) is None:
            description = self._schemas.resolve(schema).description
        return comment(described(schema, description, 2), 2)

    def _others(self, schema: Object) -> list[str]:
        """What members may be that have no name."""
        others = self._schemas.others(schema)
        return united(kind for one in others for kind in self.kinds(one)) if others else ["unknown"]

    def _union(self, union: Union, around: frozenset[str]) -> list[str]:
        stamps = stamps_of(self._schemas, union, self._components.tags)
        found: list[str] = []
        for variant in union.variants:
            kinds = self._kinds(variant, around)
            component = self._schemas.named(variant)
            stamp = stamps.get(component.name.wire) if component is not None else None
            if stamp and union.discriminator is not None and kinds:
                told = " | ".join(of_values(stamp, closed=True))
                kinds = [f"({grouped(kinds)} & {{ {member_name(union.discriminator.property)}: {told} }})"]
            found += kinds
        lists = frozenset(kind for variant in union.variants for kind in self._lists(variant))
        return united(found, lists=lists) if found else []

    def _lists(self, variant: Schema) -> Iterator[str]:
        """The types of the values that a component lists, which is an alternative."""
        if self._schemas.named(variant) is not None:
            seen: set[str] = set()
            waiting = [variant]
            while waiting:
                one = simplified(waiting.pop())
                match one:
                    case Ref(component=key) if key not in seen and len(seen) < MAX_CIRCLE:
                        seen.add(key)
                        waiting.append(self._schemas.components[key].schema)
                    case Union(variants=variants):
                        waiting += variants
                    case Enum(values=values):
                        yield "string" if isinstance(values[0], str) else "number"
                    case _:
                        pass

    def _intersection(self, schema: Intersection, around: frozenset[str]) -> list[str]:
        parts = [*spread(schema)]
        inline = [part for part in parts if isinstance(part, Object)]
        whole = objects_joined(inline) if inline else None
        found: list[list[str]] = []
        for part in parts:
            kinds = [] if isinstance(part, Object) else self._kinds(part, around)
            if not kinds or kinds == ["unknown"]:
                continue
            if whole is not None and isinstance(part, Ref):
                names = contradictions(self._components, part, whole)
                if names:
                    kinds = [f"Omit<{kinds[0]}, {' | '.join(map(quoted, sorted(names)))}>"]
                    whole = requiring(whole, {name for name, required in names.items() if required})
            found.append(kinds)
        if whole is not None and whole.properties:
            found = [kinds for kinds in found if kinds != [_ANY_OBJECT]]
        if whole is not None and (whole.properties or not found):
            found.append([self._object(whole)])
        if len(found) < 2:
            return found[0] if found else ["unknown"] if not around else []
        return [" & ".join(dict.fromkeys(map(grouped, found)))]


def _after(text: str) -> str:
    """A type after a colon or an equals sign: a space, unless it begins with a line break."""
    return text if text.startswith("\n") else f" {text}"


def _is_short(kinds: Iterable[str]) -> bool:
    text = " | ".join(kinds)
    return "\n" not in text and len(text) < WIDTH - 30
