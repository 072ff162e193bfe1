"""JSON Schema 2020-12 to the closed union of `ir.schema`.

The kind is chosen by `$ref`, composition, `const` and `enum`, then `type`, then the keywords of a type that
are present. Where several apply at once (`$ref` beside properties) the parts become an `Intersection`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, count
from typing import Any, Final, Literal

from ..document import Map, Node
from ..ir.name import Name
from ..ir.schema import (
    AnyValue,
    Array,
    Boolean,
    Component,
    Discriminator,
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
from ..pointer import of_reference, tokens
from .context import Context

_CONSTRAINTS: Final = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern"),
        *(
            "minItems",
            "maxItems",
            "uniqueItems",
            "contains",
            "minContains",
            "maxContains",
            "unevaluatedItems",
        ),
        *("minProperties", "maxProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
        *("unevaluatedProperties", "if", "then", "else", "not"),
    }
)
_CONDITIONAL: Final = (
    *("not", "then", "else", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems"),
    "contentSchema",
)
"""Keywords that may describe a value further, depending on what else it is."""
_UNHOLDABLE: Final = {
    "$dynamicRef": "name the schema with $ref",
    "$id": "refer to schemas by their place in the document",
    "$anchor": "refer to schemas by their place in the document",
}
_KEYWORDS_OF: Final = {
    "object": frozenset(
        {
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "minProperties",
            "maxProperties",
        }
    ),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
}
_STRUCTURE: Final = frozenset({"components", "schemas", "$defs", "definitions", "properties", "schema"})
"""Tokens of a pointer that say nothing of what it leads to."""
_COMPONENT_DEPTH: Final = 3
"""Tokens of /components/schemas/Name."""


def parse_schema(context: Context, node: Node) -> Schema:
    """The schema at a node."""
    if node.value is False:
        return Never(source=node.source, constraints={})
    if not isinstance(node.value, dict):
        return AnyValue(source=node.source, constraints={})
    for keyword, hint in _UNHOLDABLE.items():
        if found := node.get(keyword):
            context.diagnostics.add("DH025", f"the keyword {keyword} is not read", found.source, hint=hint)
    if found := node.get("nullable"):
        hint = "write the type as [string, 'null']"
        context.diagnostics.add("DH026", "`nullable` means nothing in OpenAPI 3.1", found.source, hint=hint)
    _note_what_models_leave_out(context, node)
    parts = _parts(context, node)
    if not parts:
        return AnyValue(**_annotated(node))
    if len(parts) == 1:
        return parts[0]()
    bare = replace(node, value=_without_annotations(node))
    # Constraints belong to the part that has a type; where none has, to the whole.
    typed = bool(node.get("const") or node.get("enum") or _kinds(node, alone=False))
    annotated = _annotated(node, () if typed else None)
    return Intersection(parts=tuple(part() for part in _parts(context, bare)), **annotated)


def _note_what_models_leave_out(context: Context, node: Node) -> None:
    for keyword in _CONDITIONAL:
        found = node.get(keyword)
        if found is not None and isinstance(found.value, dict):
            message = (
                f"what {keyword} describes has no type of its own in the SDKs; values are kept as they are"
            )
            context.diagnostics.add("DH090", message, found.source)


def _parts(context: Context, node: Node) -> list[Callable[[], Schema]]:
    """One function for each statement about the value that has a kind of its own."""
    parts: list[Callable[[], Schema]] = []
    if node.get("$ref"):
        parts.append(lambda: _reference(context, node))
    for keyword, mode in (("allOf", "all"), ("anyOf", "any"), ("oneOf", "one")):
        if node.get(keyword):
            parts.append(partial(_composition, context, node, keyword, mode))
    if node.get("const") or node.get("enum"):
        parts.append(lambda: _enum(node))
        return parts
    if kinds := _kinds(node, alone=not parts):
        parts.append(lambda: _typed(context, node, kinds))
    return parts


def _kinds(node: Node, *, alone: bool) -> tuple[str, ...]:
    """The types that the node states, or the one that its keywords imply."""
    declared = node.get("type")
    if declared is not None:
        return (declared.value,) if isinstance(declared.value, str) else node.texts("type")
    present = frozenset(key for key, _ in node.members())
    for kind, keywords in _KEYWORDS_OF.items():
        # `required` beside a composition says nothing of the kind; its own keywords do.
        if present & (keywords if alone else keywords - {"required"}):
            return (kind,)
    return ()


def _typed(context: Context, node: Node, kinds: tuple[str, ...]) -> Schema:
    if len(kinds) == 1:
        return _of_kind(context, node, kinds[0], _annotated(node))
    variants: list[Schema] = []
    for kind in kinds:
        mine = {key: value for key, value in _constraints(node).items() if _speaks_of(key, kind)}
        variants.append(_of_kind(context, node, kind, {"source": node.source, "constraints": mine}))
    return Union(variants=tuple(variants), mode="any", **_annotated(node, ()))


def _speaks_of(keyword: str, kind: str) -> bool:
    kinds = [name for name, keywords in _KEYWORDS_OF.items() if keyword in keywords]
    return not kinds or kind in kinds or (kind == "integer" and "number" in kinds)


def _of_kind(context: Context, node: Node, kind: str, annotated: dict[str, Any]) -> Schema:
    match kind:
        case "object":
            return _object(context, node, annotated)
        case "array":
            return _array(context, node, annotated)
        case "string":
            return String(
                format=node.text("format"),
                content_encoding=node.text("contentEncoding"),
                content_media_type=node.text("contentMediaType"),
                **annotated,
            )
        case "integer":
            return Integer(format=node.text("format"), **annotated)
        case "number":
            return Number(format=node.text("format"), **annotated)
        case "boolean":
            return Boolean(**annotated)
        case "null":
            return Null(**annotated)
        case _:
            context.diagnostics.add("DH025", f"the type {kind!r} does not exist", node.source)
            return AnyValue(**annotated)


def _object(context: Context, node: Node, annotated: dict[str, Any]) -> Object:
    required = node.texts("required")
    properties: list[Property] = []
    members = node.get("properties")
    for name, member in members.members() if members else ():
        schema = parse_schema(context, member)
        properties.append(
            Property(name=Name.of(name), schema=schema, required=name in required, source=member.source)
        )
    patterns = node.get("patternProperties")
    additional = node.get("additionalProperties")
    anything: Schema = AnyValue(source=node.source, constraints={})
    closed = additional is not None and additional.value is False
    if patterns is not None and (additional is None or additional.value in (True, {})):
        message = "members that only patternProperties describes stay plain JSON: there may be any others"
        hint = "with additionalProperties: false, or a schema, they have a type"
        context.diagnostics.add("DH090", message, patterns.source, hint=hint)
    return Object(
        properties=tuple(properties),
        additional=None if closed else parse_schema(context, additional) if additional else anything,
        pattern_properties=tuple(
            (pattern, parse_schema(context, member))
            for pattern, member in (patterns.members() if patterns else ())
        ),
        **annotated,
    )


def _array(context: Context, node: Node, annotated: dict[str, Any]) -> Array:
    items, prefix = node.get("items"), node.get("prefixItems")
    return Array(
        items=parse_schema(context, items) if items else AnyValue(source=node.source, constraints={}),
        prefix=tuple(parse_schema(context, item) for item in prefix.elements()) if prefix else (),
        **annotated,
    )


def _enum(node: Node) -> Schema:
    const, enum = node.get("const"), node.get("enum")
    listed = [const.value] if const else list(enum.value) if enum and isinstance(enum.value, list) else []
    values = tuple(value for value in listed if value is not None)
    if len(values) == len(listed):
        return Enum(values=values, **_annotated(node))
    null = Null(source=node.source, constraints={})
    if not values:
        return Null(**_annotated(node))
    named = Enum(values=values, source=node.source, constraints={})
    return Union(variants=(named, null), mode="any", **_annotated(node))


def _composition(context: Context, node: Node, keyword: str, mode: str) -> Schema:
    listed = node.get(keyword)
    parsed = tuple(parse_schema(context, part) for part in (listed.elements() if listed else ()))
    annotated = _annotated_alone(node)
    if mode == "all":
        return Intersection(parts=parsed, **annotated)
    union_mode: Literal["any", "one"] = "one" if mode == "one" else "any"
    return Union(variants=parsed, mode=union_mode, discriminator=_discriminator(node, parsed), **annotated)


def _discriminator(node: Node, variants: tuple[Schema, ...]) -> Discriminator | None:
    """The explicit mapping first, then each variant that it leaves out under its component's own name."""
    written = node.get("discriminator")
    if written is None:
        return None
    mapping: list[tuple[str, str]] = []
    listed = written.get("mapping")
    for value, target in listed.members() if listed else ():
        reference = str(target.value)
        pointer = of_reference(reference)
        mapping.append((value, tokens(pointer)[-1] if pointer else reference))
    mapped = {component for _, component in mapping}
    components = [variant.component for variant in variants if isinstance(variant, Ref)]
    mapping += [(component, component) for component in components if component not in mapped]
    return Discriminator(property=written.text("propertyName"), mapping=tuple(mapping))


def _reference(context: Context, node: Node) -> Schema:
    reference = node.text("$ref")
    pointer = of_reference(reference) or ""
    path = tokens(pointer)
    if path[:2] == ("components", "schemas") and len(path) == _COMPONENT_DEPTH:
        return Ref(component=path[-1], **_annotated_alone(node))
    target = context.root.at(pointer)
    if target is None or target.text("$ref") == reference:
        problem = "leads back to itself" if target else "leads nowhere"
        context.diagnostics.add("DH022", f"{reference} {problem}", node.source, hint="give the schema a name")
        return AnyValue(source=node.source, constraints={})
    if pointer in context.circular or pointer in context.following:
        return Ref(component=_key_of(context, pointer), **_annotated_alone(node))
    return parse_schema(replace(context, following=context.following | {pointer}), target)


def parse_circular(context: Context) -> Iterator[Component]:
    """Components for the nameless schemas that mention themselves, such as one in `$defs`."""
    done: set[str] = set()
    while waiting := [pointer for pointer in context.circular if pointer not in done]:
        for pointer in waiting:
            done.add(pointer)
            node = context.root.at(pointer)
            assert node is not None, pointer  # a reference led there
            schema = parse_schema(replace(context, following=frozenset({pointer})), node)
            yield Component(name=Name.of(context.circular[pointer]), schema=schema, source=node.source)


def _key_of(context: Context, pointer: str) -> str:
    """A key that no component has: `Tree.Node` for `/components/schemas/Tree/$defs/Node`."""
    if pointer not in context.circular:
        named = context.root.at("/components/schemas")
        taken = {key for key, _ in named.members()} if named else set[str]()
        taken |= set(context.circular.values())
        telling = [token for token in tokens(pointer) if token not in _STRUCTURE]
        wanted = ".".join(telling) or "Document"
        numbered = chain([wanted], (f"{wanted}.{number}" for number in count(2)))
        context.circular[pointer] = next(key for key in numbered if key not in taken)
    return context.circular[pointer]


def _annotated(node: Node, constraints: tuple[()] | None = None) -> dict[str, Any]:
    """The fields that every kind has; `constraints=()` leaves those to the parts of a composition."""
    default, examples, example = node.get("default"), node.get("examples"), node.get("example")
    listed = list(examples.value) if examples and isinstance(examples.value, list) else []
    return {
        "source": node.source,
        "description": node.text("description").strip(),
        "default": default.value if default else None,
        "has_default": default is not None,
        "examples": tuple(listed + ([example.value] if example else [])),
        "deprecated": node.flag("deprecated"),
        "read_only": node.flag("readOnly"),
        "write_only": node.flag("writeOnly"),
        "constraints": _constraints(node) if constraints is None else {},
    }


def _annotated_alone(node: Node) -> dict[str, Any]:
    """The fields of a reference or composition: all of them where it is the only part of its schema."""
    parts = ("allOf", "anyOf", "oneOf", "$ref", "properties", "type", "enum", "const")
    alone = sum(1 for part in parts if node.get(part)) == 1
    return _annotated(node) if alone else {"source": node.source, "constraints": {}}


def _constraints(node: Node) -> dict[str, Json]:
    return {key: member.value for key, member in node.members() if key in _CONSTRAINTS}


def _without_annotations(node: Node) -> Map:
    gone = ("description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "title")
    kept = Map(node.place)
    for key, member in node.members():
        if key not in gone:
            kept.put(key, member.value, (member.source, member.place))
    return kept
