"""Containment, keyword by keyword: what is wider, what is narrower, and what cannot be decided."""

from __future__ import annotations

from typing import Any

import pytest
from codegen.diff.schemas import between, differences, document, shuffled

NUMBER = {"type": "number"}

CONTAINED = [
    ({}, {"type": "string"}),
    (True, False),
    (NUMBER, {"type": "integer"}),
    ({"type": "integer"}, {"enum": [1, 2.0]}),
    ({"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, {"type": "string"}]}),
    ({"anyOf": [{"type": "null"}, {"type": "string"}]}, {"type": ["string", "null"]}),
    ({"minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
    ({"exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
    ({"multipleOf": 0.1}, {"type": "number", "multipleOf": 0.3}),
    ({"multipleOf": 0.5}, {"type": "integer"}),
    ({"minLength": 3}, {"type": "integer"}),
    ({"maxLength": 3}, {"enum": ["abc", "a"]}),
    ({"format": "uri-reference"}, {"type": "string", "format": "uri"}),
    ({"uniqueItems": True}, {"type": "array", "maxItems": 1}),
    ({"maxItems": 1}, {"type": "array", "prefixItems": [{}], "items": False}),
    ({"items": NUMBER}, {"type": "array", "prefixItems": [{"type": "integer"}], "items": NUMBER}),
    ({"contains": NUMBER}, {"type": "array", "items": NUMBER, "minItems": 1}),
    ({"properties": {"a": NUMBER}}, {"type": "object", "additionalProperties": {"type": "integer"}}),
    (
        {"additionalProperties": NUMBER},
        {"type": "object", "properties": {"a": NUMBER}, "additionalProperties": False},
    ),
    ({"maxProperties": 1}, {"type": "object", "properties": {"a": {}}, "additionalProperties": False}),
    ({"minProperties": 1}, {"type": "object", "required": ["a"]}),
    (
        {"propertyNames": {"maxLength": 2}},
        {"type": "object", "properties": {"ab": {}}, "additionalProperties": False},
    ),
    ({"dependentRequired": {"a": ["b"]}}, {"type": "object", "required": ["b"]}),
    ({"not": {"type": "string"}}, {"type": "integer"}),
    ({"not": {"const": 1}}, {"not": {"enum": [1, 2]}}),
    ({"if": {"type": "string"}, "then": {"minLength": 1}}, {"type": "string", "minLength": 2}),
    ({"oneOf": [{"const": "a"}, {"const": "b"}]}, {"enum": ["b"]}),
    ({"x-unknown": 1}, {"x-unknown": 2}),
    ({"$ref": "#/components/schemas/Node"}, {"$ref": "#/components/schemas/Node"}),
]


@pytest.mark.parametrize(("wide", "narrow"), CONTAINED)
def test_every_value_of_the_one_is_a_value_of_the_other(wide: Any, narrow: Any) -> None:
    node = {"Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}}
    assert differences(document(wide, node), document(narrow, node)) == ()


DIFFERENT = [
    ({"type": "integer"}, NUMBER, [("type", "sure")]),
    ({"type": "string"}, {"type": ["string", "null"]}, [("type", "sure")]),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, [("values", "enum")]),
    ({"enum": ["a"]}, {"type": "string"}, [("values", "sure")]),
    ({"minimum": 2}, {"type": "number", "minimum": 1}, [("minimum", "sure")]),
    ({"pattern": "a"}, {"type": "string"}, [("pattern", "sure")]),
    ({"pattern": "a"}, {"type": "string", "pattern": "b"}, [("pattern", "maybe")]),
    ({"format": "uuid"}, {"type": "string"}, [("format", "sure")]),
    ({"format": "phone"}, {"type": "string"}, [("format", "maybe")]),
    ({"items": NUMBER}, {"type": "array", "items": {"type": "string"}}, [("type", "sure")]),
    ({"required": ["a"]}, {"type": "object", "properties": {"a": {}}}, [("property 'a'", "sure")]),
    ({"properties": {"a": NUMBER}}, {"type": "object"}, [("property 'a'", "undeclared")]),
    (
        {"additionalProperties": False},
        {"type": "object", "properties": {"a": {}}},
        [("property 'a'", "sure"), ("other properties", "sure")],
    ),
    ({"not": {"minimum": 3}}, NUMBER, [("not", "maybe")]),
    ({"oneOf": [NUMBER, {"minimum": 3}]}, NUMBER, [("oneOf", "maybe")]),
    (
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"type": ["string", "boolean"]},
        [("variant boolean", "sure")],
    ),
    ({"$ref": "#/components/schemas/Absent"}, {}, [("$ref", "maybe")]),
]


@pytest.mark.parametrize(("wide", "narrow", "expected"), DIFFERENT)
def test_a_difference_names_its_keyword(wide: Any, narrow: Any, expected: list[tuple[str, str]]) -> None:
    assert between(wide, narrow) == expected


NODE = "#/components/schemas/Node"


def test_recursive_schemas_are_compared_once_round() -> None:
    old = {"Node": {"type": "object", "properties": {"next": {"$ref": NODE}, "n": {"type": "integer"}}}}
    new = {"Node": {"type": "object", "properties": {"next": {"$ref": NODE}, "n": NUMBER}}}
    root = {"$ref": NODE}
    assert differences(document(root, new), document(root, old)) == ()
    (found,) = differences(document(root, old), document(root, new))
    assert (found.subject, found.wide.pointer) == ("type", "/components/schemas/Node/properties/n/type")


def test_a_schema_that_refers_to_itself_about_the_same_value_proves_nothing() -> None:
    root = {"const": None, "not": {"additionalProperties": True, "not": True}}
    assert between({"const": None, "not": True}, root) != []


def test_a_union_in_another_order_is_the_same() -> None:
    kinds = [{"type": "object", "required": ["k"], "properties": {"k": {"const": name}}} for name in "abcd"]
    for keyword in ("anyOf", "oneOf"):
        schema = {keyword: kinds}
        assert between(shuffled(schema), schema) == []
        assert between({keyword: kinds[:3]}, schema) != []


def test_deep_nesting_of_unions_does_not_blow_up() -> None:
    def nested(depth: int, leaf: Any) -> Any:
        if not depth:
            return leaf
        inner = nested(depth - 1, leaf)
        return {"anyOf": [{"type": "array", "items": inner}, {"type": "object", "properties": {"a": inner}}]}

    assert between(nested(8, {"type": "integer"}), nested(8, {"type": "integer", "minimum": 1})) == []
    assert between(nested(8, {"type": "integer"}), nested(8, {"type": "string"})) != []


def _tagged(variants: int, shared: Any) -> dict[str, Any]:
    """A oneOf of objects that `kind` tells apart, each with many members, one of which they share."""
    common = {"$ref": "#/components/schemas/Shared"}
    own = {f"member{index}": {"type": "string"} for index in range(8)}
    kinds: dict[str, Any] = {
        f"Kind{index}": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": [f"kind{index}"]}, "shared": common, **own},
        }
        for index in range(variants)
    }
    root = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in kinds]}
    return document(root, {**kinds, "Shared": shared})


def test_a_change_that_all_variants_share_is_the_only_difference() -> None:
    old, new = _tagged(40, {"type": "string"}), _tagged(40, {"type": "string", "maxLength": 5})
    (found,) = differences(new, old)
    assert (found.subject, found.wide.pointer) == ("maxLength", "/components/schemas/Shared/maxLength")
    assert differences(old, new) == ()


def test_variants_that_an_optional_member_tells_apart_may_both_match() -> None:
    kinds = [{"type": "object", "properties": {"kind": {"const": name}}} for name in "ab"]
    first = {"type": "object", "properties": {"kind": {"const": "a"}}}
    assert between({"oneOf": kinds}, first) == [("oneOf", "maybe")]
    assert between({"oneOf": kinds}, {**first, "required": ["kind"]}) == []
