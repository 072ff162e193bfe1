"""Whatever a schema of OpenAPI 3.0 accepts, its upgrade accepts, and nothing else."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import plain
from dhatu_codegen.reading.read_json import read_json
from dhatu_codegen.upgrade import upgrade
from hypothesis import given, settings
from hypothesis import strategies as st

OTHER: dict[str, Any] = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "integer", "nullable": True}},
}
ANNOTATIONS: dict[str, Any] = {
    "example": "a",
    "description": "D",
    "default": 1,
    "readOnly": True,
    "format": "byte",
}
COMPOSITIONS = ("allOf", "anyOf", "oneOf")

scalars = st.sampled_from([None, True, False, 0, 1, 2, 3, -1.5, 1.5, "", "a", "b", "long"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
local_keywords = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object"]),
        "nullable": st.booleans(),
        "enum": st.lists(scalars, min_size=1, max_size=3, unique_by=repr),
        "minimum": st.sampled_from([0, 1, 1.5]),
        "exclusiveMinimum": st.booleans(),
        "maximum": st.sampled_from([1, 2, 2.5]),
        "exclusiveMaximum": st.booleans(),
        "maxLength": st.sampled_from([0, 1, 2]),
        "minItems": st.sampled_from([1, 2]),
        "required": st.just(["a"]),
    },
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keywords = st.fixed_dictionaries(
        {},
        optional={
            **{keyword: st.lists(inner, min_size=1, max_size=2) for keyword in COMPOSITIONS},
            "not": inner,
            "items": inner,
            "properties": st.dictionaries(st.sampled_from(["a", "b", "nullable", "$ref"]), inner, max_size=2),
            "additionalProperties": st.booleans() | inner,
        },
    )
    annotations = st.sampled_from([{key: ANNOTATIONS[key]} for key in ANNOTATIONS] + [{}])
    return st.builds(
        lambda *parts: {k: v for part in parts for k, v in part.items()},
        local_keywords,
        keywords,
        annotations,
    )


beside: list[dict[str, Any]] = [{}, {"nullable": True}, {"enum": [1]}]
references = st.sampled_from(beside).map(lambda others: {**others, "$ref": "#/components/schemas/Other"})
schemas = st.recursive(local_keywords | references, nested, max_leaves=4)


def accepts(schema: Any, value: Any) -> bool:
    """OpenAPI 3.0 by hand: null passes what is nullable, and references stand alone."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return accepts(OTHER, value)
    if value is None and schema.get("nullable"):
        return True
    kept = {
        key: limit
        for key, limit in schema.items()
        if key in ("type", "enum", "minimum", "maximum", "maxLength", "minItems", "required")
    }
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if bound in kept and exclusive in schema:
            kept[exclusive] = schema[exclusive]
    return jsonschema_rs.Draft4Validator(kept).is_valid(value) and accepts_below(schema, value)


def accepts_below(schema: Any, value: Any) -> bool:
    """The keywords that hold schemas."""
    matching = {
        keyword: [accepts(part, value) for part in schema[keyword]]
        for keyword in COMPOSITIONS
        if keyword in schema
    }
    if not all(matching.get("allOf", [True])) or not any(matching.get("anyOf", [True])):
        return False
    if sum(matching.get("oneOf", [True])) != 1 or ("not" in schema and accepts(schema["not"], value)):
        return False
    if isinstance(value, list):
        return all(accepts(schema.get("items", True), element) for element in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        return all(accepts(known.get(name, others), member) for name, member in value.items())
    return True


def upgraded(schema: Any) -> Any:
    import json

    text = json.dumps({"openapi": "3.0.3", "components": {"schemas": {"It": schema, "Other": OTHER}}})
    diagnostics = Diagnostics()
    document = read_json(text, "a.json", diagnostics)
    assert diagnostics.all == ()
    result: Any = plain(upgrade(document, diagnostics))  # type: ignore[arg-type]  # an object, as written above
    return {"$ref": "#/components/schemas/It", "components": result["components"]}


@settings(max_examples=400)
@given(schemas, st.lists(values, min_size=6, max_size=12))
def test_the_upgrade_of_a_schema_accepts_the_same_values(schema: Any, candidates: list[Any]) -> None:
    after = upgraded(schema)
    assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **after})
    validator = jsonschema_rs.Draft202012Validator(after)
    for candidate in [None, *candidates]:
        assert validator.is_valid(candidate) == accepts(schema, candidate), candidate
