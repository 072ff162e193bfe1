"""Schemas of the IR as JSON Schema, in the shape that makes good models.

They say what a value looks like and leave out how it is checked. The server judges requests; and a client
that checked answers against limits, closed lists of values or formats would break when a newer server widens
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never

from ...ir.name import Name
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
from ..schemas import Schemas, nested, takes_others, variants_but_itself, without_null
from ..taken import Taken
from .identifiers import class_name, value_name

JsonSchema: TypeAlias = "dict[str, Json]"

FORMATS: Final = frozenset({"date-time", "date", "uuid"})
"""Formats that have a Python type of their own; values of others stay text, as the server wrote them."""
UNLISTED: Final = {str: ("string", "UnlistedStr"), int: ("integer", "UnlistedInt")}
"""Their type in JSON Schema, and the runtime's type of those that an open list of values does not name."""
_MAX_DEPTH: Final = 32
"""Nesting of inline schemas; beyond it, a union that holds itself through allOf is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A schema that has a class name."""

    name: str
    schema: Schema
    answer: bool
    """Whether it is read and not only sent: its lists of values are then open to newer ones."""
    key: str = ""
    """Of its component; empty for an inline schema."""
    variant: bool = False
    """Whether it is one of several objects, told apart by members that have only one value."""
    depth: int = 0
    around: tuple[Named, ...] = ()
    """The inline schemas that it is written in, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a request may hold of an object."""

    members: Mapping[str, bool]
    """Name on the wire to whether it is required."""
    open: bool
    """Whether the document speaks of other members."""


class SchemaWriter:
    """Writes schemas, and the components and inline objects that they mention, each under its class name."""

    def __init__(
        self,
        schemas: Schemas,
        names: Mapping[str, str],
        taken: Taken,
        answers: frozenset[str],
        inline: Iterable[Named],
    ) -> None:
        self.written: dict[str, JsonSchema] = {}
        self.unions: dict[str, str] = {}
        self.sent: dict[str, Sent] = {}
        self._schemas = schemas
        self._names = names
        self._taken = taken
        self._answers = answers
        self._asked: set[str] = set()
        self._waiting = list(inline)
        self._given = {named.schema.source: named for named in self._waiting}
        unions = _unions(schemas, [named.schema for named in self._waiting])
        self._tags = _tags(schemas, unions)
        self._variants = frozenset(
            component.name.wire
            for union in unions
            for variant in union.variants
            if (component := schemas.named(variant)) is not None
        )

    def ask(self, key: str) -> str:
        """The class of a component, which will be written."""
        if key not in self._asked:
            self._asked.add(key)
            schema = self._schemas.components[key].schema
            self._waiting.append(
                Named(
                    name=self._names[key],
                    schema=schema,
                    answer=key in self._answers,
                    key=key,
                    variant=key in self._variants,
                )
            )
        return self._names[key]

    def write(self) -> None:
        """Write what was asked for, the inline schemas, and everything that they mention."""
        while self._waiting:
            named = self._waiting.pop(0)
            resolved = self._schemas.resolve(named.schema)
            match resolved:
                case Object(properties=(_, *_)):
                    self.written[named.name] = self._object(resolved, named)
                case Union():
                    self.written[named.name] = self._named_union(resolved, named)
                case _:
                    self.written[named.name] = self._described(self._bare(resolved, named, ""), resolved)

    def _any(self, schema: Schema, parent: Named, hint: str, *, variant: bool = False) -> JsonSchema:
        """A schema where it is used; `hint` names an object that has to become a class."""
        component = self._schemas.named(schema)
        if component is not None:
            return _reference(self.ask(component.name.wire))
        resolved = self._schemas.resolve(schema)
        if isinstance(resolved, Object) and resolved.properties:
            return _reference(self._hoist(resolved, parent, hint, variant=variant))
        if isinstance(resolved, Union):
            found, nullable = without_null(resolved)
            if self._discriminator(found):
                reference = _reference(self._hoist(found, parent, hint))
                return {"anyOf": [reference, {"type": "null"}]} if nullable else reference
        return self._bare(resolved, parent, hint)

    def _hoist(self, schema: Schema, parent: Named, hint: str, *, variant: bool = False) -> str:
        given = self._given.get(schema.source)
        if given is not None and given.schema == schema and not variant:
            return given.name  # an answer that holds it names it as well
        # An inline schema that joins the component around it holds itself, and would be written for ever.
        for outer in (*parent.around, parent):
            if outer.schema.source == schema.source and (outer.variant, outer.schema) == (variant, schema):
                return outer.name
        name = self._taken.give(class_name(Name.of(f"{parent.name} {hint}")))
        self._waiting.append(
            Named(
                name=name,
                schema=schema,
                answer=parent.answer,
                variant=variant,
                depth=parent.depth + 1,
                around=(*parent.around, parent),
            )
        )
        return name

    def _bare(self, schema: Schema, parent: Named, hint: str) -> JsonSchema:
        """A resolved schema that needs no class."""
        match schema:
            case AnyValue() | Never() | Ref() | Intersection():
                return {}
            case Null():
                return {"type": "null"}
            case Boolean():
                return {"type": "boolean"}
            case Integer():
                return {"type": "integer"}
            case Number():
                return {"type": "number"}
            case String(format=written):
                return {"type": "string", "format": written} if written in FORMATS else {"type": "string"}
            case Enum(values=values):
                return _open(values) if parent.answer else {"enum": list(values)}
            case Array(items=items, prefix=prefix):
                kinds = [self._any(item, parent, f"{hint} item") for item in (*prefix, items)]
                return {"type": "array", "items": {"anyOf": [*kinds]} if prefix else kinds[0]}
            case Object():
                return {"type": "object", "additionalProperties": self._others(schema, parent, hint) or True}
            case Union(variants=variants):
                if parent.depth > _MAX_DEPTH:
                    return {}
                return {
                    "anyOf": [
                        self._any(variant, parent, f"{hint} {number}", variant=True)
                        for number, variant in enumerate(variants, start=1)
                    ]
                }
            case _:
                assert_never(schema)

    def _unnamed(self, schema: Object, named: Named) -> JsonSchema:
        """What an object with members says about others."""
        if others := self._others(schema, named, ""):
            return {"additionalProperties": others}
        # A misspelt member of a request is found where it is written; answers may gain members.
        closed = schema.additional is None and not schema.pattern_properties and not named.answer
        return {"additionalProperties": False} if closed else {}

    def _others(self, schema: Object, parent: Named, hint: str) -> JsonSchema:
        """Members that have no name in the schema; empty for anything."""
        kinds = [
            self._any(member, parent, f"{hint} value {number}" if number else f"{hint} value")
            for number, member in enumerate(self._schemas.others(schema))
        ]
        return kinds[0] if len(kinds) == 1 else {"anyOf": [*kinds]} if kinds else {}

    def _object(self, schema: Object, named: Named) -> JsonSchema:
        members: dict[str, Json] = {}
        tags = self._tags.get(named.key, {})
        required: list[Json] = []
        for member in _exact_first(schema.properties):
            if member.schema.read_only and not named.answer:
                continue  # only the server sets it
            if member.required and not member.schema.write_only:
                required.append(member.name.wire)
            resolved = self._schemas.resolve(member.schema)
            tag = tags.get(member.name.wire)
            if tag is None and named.variant and isinstance(resolved, Enum) and len(resolved.values) == 1:
                written: JsonSchema = {"enum": [*resolved.values]}
            else:
                written = _closed(tag) if tag else self._any(member.schema, named, member.name.wire)
            members[member.name.wire] = self._described(written, resolved, member)
        sent = {
            member.name.wire: member.required for member in schema.properties if not member.schema.read_only
        }
        self.sent[named.name] = Sent(members=sent, open=takes_others(schema))
        return self._described(
            {
                "type": "object",
                "properties": members,
                "required": required,
                **self._unnamed(schema, named),
            },
            schema,
        )

    def _named_union(self, schema: Union, named: Named) -> JsonSchema:
        others = variants_but_itself(self._schemas, schema, named.key)
        if not others:
            return self._described({}, schema)
        schema = replace(schema, variants=others)
        found, nullable = without_null(schema)
        tag = self._discriminator(found)
        if not tag or nullable:
            return self._described(self._bare(schema, named, ""), schema)
        if named.answer:
            unknown = self._taken.give(f"Unknown{named.name}")
            self.unions[named.name] = unknown
            self.written[unknown] = _unknown_variant(named.name, tag)
        variants = [component for variant in found.variants if (component := self._schemas.named(variant))]
        mapping: dict[str, Json] = {
            value: f"#/components/schemas/{self.ask(component.name.wire)}"
            for component in variants
            for value in self._tags[component.name.wire][tag]
        }
        return self._described(
            {
                "oneOf": [_reference(self.ask(component.name.wire)) for component in variants],
                "discriminator": {"propertyName": tag, "mapping": mapping},
            },
            schema,
        )

    def _discriminator(self, union: Union) -> str:
        """The property that tells the variants apart; empty where not all of them are classes with it."""
        if union.discriminator is None or len(union.variants) < 2:
            return ""
        tag = union.discriminator.property
        for variant in union.variants:
            component = self._schemas.named(variant)
            if component is None or tag not in self._tags.get(component.name.wire, {}):
                return ""
        return tag

    def _described(self, written: JsonSchema, resolved: Schema, member: Property | None = None) -> JsonSchema:
        """With the description; a member that refers to a class has only one that it was given itself."""
        named = member is not None and self._schemas.named(member.schema) is not None
        description = member.schema.description if member is not None and named else resolved.description
        return {**written, "description": description} if description else written


def _exact_first(members: tuple[Property, ...]) -> tuple[Property, ...]:
    """Where two members are the same word in Python, the one spelled like that comes first, and so gets it.

    Otherwise `fooBar` would take `foo_bar`, under which a value of `foo_bar` is read as well.
    """
    names = [value_name(member.name) for member in members]
    if len(set(names)) == len(names):
        return members
    return tuple(sorted(members, key=lambda member: value_name(member.name) != member.name.wire))


def _unions(schemas: Schemas, inline: Iterable[Schema]) -> list[Union]:
    """Every union that is written anywhere."""
    written = [*(component.schema for component in schemas.components.values()), *inline]
    return [part for schema in written for part in nested(schema) if isinstance(part, Union)]


def _tags(schemas: Schemas, unions: Iterable[Union]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Component to discriminator to the values that stand for the component.

    Its own closed list of values is believed before the mapping, which may only repeat its name.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for discriminator in (union.discriminator for union in unions if union.discriminator is not None):
        tag = discriminator.property
        for value, mapped in discriminator.mapping:
            component = schemas.components.get(mapped)
            resolved = schemas.resolve(component.schema) if component is not None else None
            members = resolved.properties if isinstance(resolved, Object) else ()
            own = [schemas.resolve(member.schema) for member in members if member.name.wire == tag]
            if own:
                listed = own[0].values if isinstance(own[0], Enum) else ()
                values = [str(one) for one in listed] or [*found.get(mapped, {}).get(tag, ()), value]
                found.setdefault(mapped, {})[tag] = tuple(dict.fromkeys(values))
    return found


def _reference(name: str) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{name}"}


def _closed(values: Iterable[str]) -> JsonSchema:
    return {"type": "string", "enum": [*values]}


def _open(values: tuple[Json, ...]) -> JsonSchema:
    """A list of values that may grow: the listed ones complete in an editor, others are read as well."""
    kinds = {type(value) for value in values}
    for kind, (name, unlisted) in UNLISTED.items():
        if kinds == {kind}:
            return {"anyOf": [{"type": name, "enum": list(values)}, _reference(unlisted)]}
    return {"enum": list(values)}


def _unknown_variant(union: str, tag: str) -> JsonSchema:
    return {
        "description": f"A kind of {union} that this version of the SDK does not know.",
        "type": "object",
        "properties": {tag: {"description": "Which kind it is.", "type": "string"}},
        "required": [tag],
    }
