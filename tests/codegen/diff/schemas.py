"""Small random schemas, what somebody may do to them, and values for both."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

from dhatu_codegen.diff.schema.contain import contains
from dhatu_codegen.diff.schema.difference import Difference
from dhatu_codegen.diff.schema.side import Side
from hypothesis import strategies as st

Plain: TypeAlias = Any

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS: st.SearchStrategy[Plain] = st.sampled_from(
    [None, True, False, 0, 1, 2, 3, 5, -1, 1.0, 2.5, "", "a", "b", "ab", "abc", "x1", "2024-01-01"]
)
VALUES: st.SearchStrategy[Plain] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)


def document(schema: Plain, components: Plain | None = None) -> dict[str, Plain]:
    """The schema as the component `Root`, beside `Node`, to which it may refer."""
    return {"components": {"schemas": {"Root": schema, **(components or {})}}}


def differences(wide: dict[str, Plain], narrow: dict[str, Plain]) -> tuple[Difference, ...]:
    pointer = "/components/schemas/Root"
    return contains(Side(wide).part(pointer), Side(narrow).part(pointer))


def between(wide: Plain, narrow: Plain) -> list[tuple[str, str]]:
    """(subject, certainty) of the differences of two schemas."""
    return [(found.subject, found.certainty) for found in differences(document(wide), document(narrow))]


def _keywords(inner: st.SearchStrategy[Plain]) -> dict[str, st.SearchStrategy[Plain]]:
    few = st.integers(0, 3)
    return {
        "type": st.sampled_from(
            [
                "null",
                "boolean",
                "integer",
                "number",
                "string",
                "array",
                "object",
                ["string", "null"],
                ["object", "array"],
            ]
        ),
        "enum": st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr),
        "const": SCALARS,
        "minimum": few,
        "maximum": few,
        "exclusiveMinimum": few,
        "exclusiveMaximum": few,
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "minLength": few,
        "maxLength": few,
        "pattern": st.sampled_from(["^a", "b$", "[0-9]"]),
        "format": st.sampled_from(["date", "int32"]),
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "minItems": few,
        "maxItems": few,
        "uniqueItems": st.booleans(),
        "contains": inner,
        "minContains": few,
        "maxContains": few,
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": inner,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "^[bc]"]), inner, max_size=1),
        "propertyNames": st.sampled_from([{"enum": ["a", "b"]}, {"maxLength": 0}, {"pattern": "a"}]),
        "minProperties": few,
        "maxProperties": few,
        "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=1), max_size=1),
        "dependentSchemas": st.dictionaries(NAMES, inner, max_size=1),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=3),
        "oneOf": st.lists(inner, min_size=1, max_size=3),
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "x-unknown": SCALARS,
    }


def _grow(inner: st.SearchStrategy[Plain]) -> st.SearchStrategy[Plain]:
    keywords = _keywords(inner)

    @st.composite
    def schema(draw: st.DrawFn) -> Plain:
        chosen = draw(st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True))
        return {keyword: draw(keywords[keyword]) for keyword in chosen}

    return schema()


LEAVES: st.SearchStrategy[Plain] = st.sampled_from(
    [
        True,
        False,
        {},
        {"type": "string"},
        {"type": "integer"},
        {"type": "number"},
        {"type": "null"},
        {"const": "a"},
        {"enum": ["a", 1]},
        {"items": {"$ref": "#/components/schemas/Node"}},
        {"properties": {"a": {"$ref": "#/components/schemas/Node"}}},
    ]
)
SCHEMAS: st.SearchStrategy[Plain] = st.recursive(LEAVES, _grow, max_leaves=6)
_GROWN = _grow(LEAVES)


@st.composite
def mutated(draw: st.DrawFn, schema: Plain) -> Plain:
    """The schema with one keyword set, changed or removed somewhere inside it."""
    root: dict[str, Plain] = {"root": copy.deepcopy(schema)}
    places = list(_schemas(root, "root"))
    holder, key = draw(st.sampled_from(places))
    old = holder[key]
    if not isinstance(old, dict) or draw(st.integers(0, 4)) == 0:
        holder[key] = draw(_GROWN)
        return root["root"]
    if len(old) > 0 and draw(st.booleans()):
        del old[draw(st.sampled_from(sorted(old)))]
    if draw(st.booleans()):
        keywords = _keywords(LEAVES)
        keyword = draw(st.sampled_from(sorted(keywords)))
        old[keyword] = draw(keywords[keyword])
    return root["root"]


def _schemas(holder: Plain, key: Plain) -> Plain:
    yield holder, key
    schema = holder[key]
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in ("items", "contains", "not", "additionalProperties", "if", "then", "else"):
            yield from _schemas(schema, keyword)
        elif keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
            for index in range(len(value)):
                yield from _schemas(value, index)
        elif keyword in ("properties", "patternProperties", "dependentSchemas"):
            for name in value:
                yield from _schemas(value, name)


def shuffled(schema: Plain) -> Plain:
    """The same schema with everything that has no order in another order."""
    if isinstance(schema, dict):
        turned = {key: shuffled(schema[key]) for key in reversed(schema)}
        for keyword in ("required", "enum", "type", "anyOf", "oneOf", "allOf"):
            if isinstance(turned.get(keyword), list):
                turned[keyword] = turned[keyword][::-1]
        return turned
    return [shuffled(element) for element in schema] if isinstance(schema, list) else schema
