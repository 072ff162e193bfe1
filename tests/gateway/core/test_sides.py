"""readOnly and writeOnly: who may send a member, and of whom it is required."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.core.validation.pruning import Pruner
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.validation.sides import seen_from

USER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "name", "password"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "password": {"$ref": "#/components/schemas/Password"},
        "created": {"allOf": [{"$ref": "#/components/schemas/Time"}]},
    },
}
DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "User": USER,
            "Password": {"type": "string", "writeOnly": True},
            "Time": {"type": "string", "readOnly": True},
            "Admin": {
                "allOf": [
                    {"$ref": "#/components/schemas/Base"},
                    {"required": ["id", "level"], "properties": {"level": {"type": "integer"}}},
                ],
            },
            "Base": {"properties": {"id": {"type": "integer", "readOnly": True}}},
            "default": {"properties": {"readOnly": {"type": "boolean"}, "x": {"readOnly": False}}},
        }
    }
}


def complaints(name: str, value: Any, *, answer: bool = False) -> list[tuple[str, str]]:
    schemas = Schemas(DOCUMENT)
    validator = (schemas.answers if answer else schemas).validator(f"/components/schemas/{name}")
    return [(error.name, error.detail) for error in body_errors(validator.iter_errors(value))]


def test_what_the_service_sets_is_neither_taken_nor_required() -> None:
    assert complaints("User", {"name": "a", "password": "b"}) == []
    assert complaints("User", {"name": "a", "password": "b", "id": 1, "created": "now"}) == [
        ("/id", "is set by the service; leave it out"),
        ("/created", "is set by the service; leave it out"),
    ]
    assert complaints("User", {"name": "a"}) == [("/password", "is required")]


def test_what_only_the_client_sends_is_never_told() -> None:
    assert complaints("User", {"name": "a", "id": 1, "created": "now"}, answer=True) == []
    [(place, detail)] = complaints("User", {"name": "a", "id": 1, "password": "b"}, answer=True)
    assert (place, "never told" in detail) == ("/password", True)
    assert complaints("User", {"name": "a"}, answer=True) == [("/id", "is required")]


def test_requirements_in_another_part_of_the_same_schema_know_of_it() -> None:
    assert complaints("Admin", {"level": 1}) == []
    assert complaints("Admin", {"level": 1, "id": 1}) == [("/id", "is set by the service; leave it out")]
    assert complaints("Admin", {"level": 1}, answer=True) == [("/id", "is required")]


def test_members_with_such_names_are_members() -> None:
    assert complaints("default", {"readOnly": True, "x": 1}) == []


def test_a_document_without_such_members_is_not_copied() -> None:
    document = {"a": {"properties": {"b": {"readOnly": False}}}}
    assert seen_from(document, "request") is document


@pytest.mark.parametrize(
    ("schema", "value", "left"),
    [
        ({"properties": {"a": {}}}, {"a": {"b": 1}, "c": 1}, {"a": {"b": 1}}),
        ({"type": "object"}, {"a": 1}, {"a": 1}),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"b": 1}, {"b": 1}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, {}),
        ({"properties": {"a": {}}, "patternProperties": {"^x": {}}}, {"b": 1}, {"b": 1}),
        (
            {"additionalProperties": {"properties": {"a": {}}}},
            {"k": {"a": 1, "b": 2}},
            {"k": {"a": 1}},
        ),
        ({"oneOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"b": 2, "c": 3}, {"b": 2}),
        ({"$ref": "#/tree"}, {"t": {"t": {"x": 1}, "x": 1}}, {"t": {"t": {}}}),
        ({"items": {"properties": {"a": {}}}}, [{"a": 1, "b": 2}, 3], [{"a": 1}, 3]),
        ({"prefixItems": [{"properties": {"a": {}}}]}, [{"b": 2}], [{}]),
    ],
)  # fmt: skip
def test_what_no_schema_names_is_taken_out(schema: Any, value: Any, left: Any) -> None:
    document = {"s": schema, "tree": {"properties": {"t": {"$ref": "#/tree"}}}}
    Pruner(schema, Schemas(document)).prune(value)
    assert value == left


def test_there_is_an_end_to_depth() -> None:
    value: Any = {}
    for _ in range(900):
        value = {"t": value}
    document = {"tree": {"properties": {"t": {"$ref": "#/tree"}}}}
    assert Pruner(document["tree"], Schemas(document)).prune(value) == 0
