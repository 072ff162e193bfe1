"""What a service's own document says against the specification: only what is sure, with its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from dhatu_gateway.core.discovery.differences import MOST, Contract, Difference
from dhatu_gateway.core.types import Answer, Body, MediaType, Parameter, Route
from dhatu_gateway.table import generated_table
from hypothesis import given
from hypothesis import strategies as st

SEARCH = next(route for route in generated_table().routes if route.operation == "corpus.search")
PATH = "/api/v1/things"
POINTER = "/paths/~1api~1v1~1things/post"


def parameter(name: str, schema: str, *, required: bool = False, location: Any = "query") -> Parameter:
    return Parameter(
        name=name,
        location=location,
        required=required,
        style="form",
        explode=True,
        content_type="",
        schema=schema,
    )


def media(schema: str, name: str = "application/json", kind: Any = "json") -> MediaType:
    return MediaType(media_type=name, schema=schema, kind=kind, parts=())


BARE = replace(SEARCH, method="POST", path=PATH, parameters=(), body=None, answers=())
JSON_BODY = replace(BARE, body=Body(required=True, media_types=(media("/mine"),)))
JSON_ANSWER = replace(BARE, answers=(Answer(status="200", media_types=(media("/mine"),)),))


def differences(route: Route, mine: object, operation: object, **more: Any) -> list[tuple[str, str, str]]:
    served = {"paths": {PATH: {"post": operation}}, **more}
    contract = Contract([route], lambda _: {"mine": mine, "components": more.get("components", {})})
    found, _ = contract.differences(served, lambda _: POINTER)
    assert all(one.operation == f"POST {PATH}" for one in found)
    return [(one.pointer.removeprefix(POINTER), one.specified, one.served) for one in found]


def bodies(mine: object, theirs: object, **more: Any) -> list[tuple[str, str, str]]:
    content = {"application/json": {"schema": theirs}}
    operation = {"requestBody": {"required": True, "content": content}}
    found = differences(JSON_BODY, mine, operation, **more)
    return [(pointer.removeprefix(BODY), *said) for pointer, *said in found]  # type: ignore[misc]  # three


BODY = "/requestBody/content/application~1json/schema"
STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (STRING, {"type": ["string", "null"]}),
        (STRING, {"anyOf": [STRING, {"type": "null"}]}),
        (STRING, {"type": "string", "nullable": True, "title": "Q", "maxLength": 3}),
        (STRING, {"enum": ["a", "b"]}),
        (STRING, {"const": "a"}),
        (STRING, {"allOf": [STRING]}),
        (STRING, {}),
        (STRING, True),
        (STRING, {"$ref": "#/nowhere"}),
        (STRING, {"$ref": "https://example.test/a.json"}),
        ({"type": "integer"}, {"type": "number"}),
        ({"oneOf": [STRING, {"type": "integer"}]}, {"anyOf": [{"type": "integer"}, STRING]}),
        ({"type": "array", "items": STRING}, {"type": "array"}),
        ({"type": "object"}, {"type": "object", "properties": {"a": STRING}}),
        ({"properties": {"a": STRING}}, {"allOf": [{"properties": {"a": STRING}}, {"type": "object"}]}),
        ({"properties": {"a": STRING, "b": {"readOnly": True}}}, {"properties": {"a": STRING}}),
        ({"properties": {"a": STRING}}, {"properties": {"b": STRING}, "patternProperties": {"^a": {}}}),
        ({"properties": {"a": STRING}, "required": ["a"]}, {"properties": {"a": {**STRING, "default": "x"}}}),
        (
            {"properties": {"a": STRING}},
            {
                "oneOf": [{"properties": {"a": STRING}}, {"properties": {"b": STRING}}],
                "properties": {"c": {}},
            },
        ),
    ],
)
def test_the_same_in_other_words_is_no_difference(mine: object, theirs: object) -> None:
    assert bodies(mine, theirs) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (STRING, {"type": "integer"}, [("", "type string", "type integer")]),
        (STRING, {"enum": [1, None]}, [("", "type string", "type integer")]),
        ({"type": "number"}, {"type": "integer"}, [("", "type number", "type integer")]),
        (
            {"type": "array", "items": STRING},
            {"type": "array", "items": {"type": "boolean"}},
            [("/items", "type string", "type boolean")],
        ),
        (
            {"properties": {"a": STRING, "b": STRING}, "required": ["a"]},
            {"properties": {"a": STRING, "c": STRING}, "required": ["c"]},
            [
                ("/properties/a", "property a: required", "optional"),
                ("", "property b: optional", "no such property"),
                ("/properties/c", "no such property", "property c: required"),
            ],
        ),
        (
            {"properties": {"a/b": {"properties": {"c": STRING}}}},
            {"allOf": [{"properties": {"a/b": {"type": "object", "properties": {"c": {"type": "array"}}}}}]},
            [("/allOf/0/properties/a~1b/properties/c", "type string", "type array")],
        ),
    ],
)
def test_a_contradiction_is_told_with_its_place_and_both_sides(
    mine: object, theirs: object, expected: list[tuple[str, str, str]]
) -> None:
    assert bodies(mine, theirs) == expected


def test_references_are_followed_and_the_place_is_where_they_lead() -> None:
    schemas = {"Thing": {"properties": {"a": {"$ref": "#/components/schemas/A"}}}, "A": {"type": "integer"}}
    found = bodies(
        {"properties": {"a": STRING}}, {"$ref": "#/components/schemas/Thing"}, components={"schemas": schemas}
    )
    assert found == [("/components/schemas/A", "type string", "type integer")]


def test_schemas_that_hold_themselves_end() -> None:
    schemas: dict[str, Any] = {
        "Tree": {"properties": {"left": {"$ref": "#/components/schemas/Tree"}, "name": {"type": "integer"}}},
        "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
        "Itself": {"$ref": "#/components/schemas/Itself"},
    }
    tree = {"properties": {"left": {"$ref": "#/mine"}, "name": STRING}}
    found = bodies(tree, {"$ref": "#/components/schemas/Tree"}, components={"schemas": schemas})
    assert found == [("/components/schemas/Tree/properties/name", "type string", "type integer")]
    for name in ("Loop", "Itself"):
        assert bodies(tree, {"$ref": f"#/components/schemas/{name}"}, components={"schemas": schemas}) == []


def test_parameters_are_compared_by_name_and_place() -> None:
    route = replace(
        BARE,
        parameters=(
            parameter("q", "/mine", required=True),
            parameter("limit", "/mine"),
            parameter("gone", "/mine"),
            parameter("id", "/mine", location="path", required=True),
            parameter("X-Trace", "/mine", location="header"),
        ),
    )
    served = [
        {"name": "q", "in": "query", "schema": STRING},
        {"$ref": "#/components/parameters/Limit"},
        {"name": "must", "in": "query", "required": True, "schema": STRING},
        {"name": "may", "in": "query", "schema": STRING},
        {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "x-trace", "in": "header", "schema": {"type": "integer"}},
    ]
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    more = {"components": {"parameters": {"Limit": limit}}}
    assert differences(route, STRING, {"parameters": served}, **more) == [
        ("/parameters/0", "query parameter q: required", "optional"),
        ("/components/parameters/Limit/schema", "type string", "type integer"),
        ("", "query parameter gone", "no such parameter"),
        ("/parameters/5/schema", "type string", "type integer"),
        ("/parameters/2", "no such parameter", "query parameter must: required"),
    ]
    assert differences(route, STRING, {}) == []  # a handler that reads them by itself


def test_bodies_are_compared_as_far_as_they_are_described() -> None:
    optional = replace(BARE, body=Body(required=False, media_types=(media("/mine"),)))
    content = {"application/json; charset=utf-8": {"schema": STRING}}
    assert differences(optional, STRING, {"requestBody": {"content": content, "required": True}}) == [
        ("/requestBody", "request body: optional", "required")
    ]
    assert differences(BARE, STRING, {"requestBody": {"content": content, "required": True}}) == [
        ("/requestBody", "no request body", "request body: required")
    ]
    xml = {"content": {"text/xml": {"schema": STRING}}, "required": True}
    assert differences(JSON_BODY, STRING, {"requestBody": xml}) == [
        ("/requestBody/content", "media type application/json", "media type text/xml")
    ]
    assert differences(JSON_BODY, STRING, {"requestBody": {"content": {"*/*": {}}}}) == []
    assert differences(JSON_BODY, STRING, {}) == []


def test_answers_may_be_narrower_and_refusals_do_not_count() -> None:
    def answers(mine: object, status: str, theirs: object) -> list[tuple[str, str, str]]:
        responses = {
            status: {"content": {"application/json": {"schema": theirs}}},
            "422": {"content": {"application/json": {"schema": {"type": "object"}}}},
        }
        return differences(JSON_ANSWER, mine, {"responses": responses})

    needed = {"properties": {"a": STRING}, "required": ["a"]}
    assert answers({"type": "number"}, "200", {"type": "integer"}) == []
    assert answers({"properties": {"a": STRING}}, "200", needed) == []
    at = "/responses/200/content/application~1json/schema"
    assert answers({"type": "integer"}, "200", {"type": "number"}) == [(at, "type integer", "type number")]
    assert answers(needed, "200", {"properties": {"a": STRING}}) == [
        (f"{at}/properties/a", "property a: required", "optional")
    ]
    assert answers(STRING, "201", STRING) == [("/responses", "status 200", "status 201")]
    assert answers(STRING, "2XX", {"type": "integer"}) == []
    assert answers(STRING, "201", {}) == []  # what a framework writes where nobody has said anything


def test_no_more_is_told_than_somebody_reads() -> None:
    names = [f"p{number}" for number in range(MOST + 1)]
    mine = {"properties": dict.fromkeys(names, STRING)}
    content = {"application/json": {"schema": {"properties": {name: {"type": "integer"} for name in names}}}}
    served = {"paths": {PATH: {"post": {"requestBody": {"content": content}}}}}
    contract = Contract([JSON_BODY, JSON_BODY], lambda _: {"mine": mine})
    found, more = contract.differences(served, lambda _: POINTER)
    assert (len(found), more) == (MOST, True)
    assert isinstance(found[0], Difference)


NAMES = ["type", "properties", "items", "allOf", "anyOf", "$ref", "required", "schema", "content"]
MORE_NAMES = ["parameters", "enum", "200", "responses", "requestBody", "application/json"]
LEAVES = ["string", "#/mine", "#/paths", "in", "name"]
JSON = st.recursive(
    st.none() | st.integers() | st.booleans() | st.sampled_from(LEAVES),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, *MORE_NAMES]), inner)
    ),
    max_leaves=12,
)
BOTH = replace(JSON_BODY, parameters=(parameter("name", "/mine"),), answers=JSON_ANSWER.answers)


@given(JSON, JSON)
def test_nothing_that_is_json_breaks_the_comparison(mine: object, operation: object) -> None:
    differences(BOTH, mine, operation)
