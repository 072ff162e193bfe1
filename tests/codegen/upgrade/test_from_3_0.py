"""Each thing that OpenAPI 3.0 says in words that 3.1 does not have."""

from __future__ import annotations

import pytest
from codegen.project import Project
from codegen.upgrade.documents import Upgraded, schema
from dhatu_codegen.document import Node
from dhatu_codegen.ir.schema import Json

OTHER = "#/components/schemas/Other"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{type: string, nullable: true}", {"type": ["string", "null"]}),
        ("{type: string, nullable: false}", {"type": "string"}),
        ("{nullable: true, minLength: 1}", {"minLength": 1}),
        ("{type: 'null', nullable: true}", {"type": "null"}),
        ("{type: [string, integer], nullable: true}", {"type": ["string", "integer", "null"]}),
        (
            "{type: string, nullable: true, enum: [a, null]}",
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ("{minimum: 1, exclusiveMinimum: true}", {"exclusiveMinimum": 1}),
        ("{maximum: 9, exclusiveMaximum: true}", {"exclusiveMaximum": 9}),
        ("{minimum: 1, exclusiveMinimum: false}", {"minimum": 1}),
        ("{exclusiveMinimum: 3}", {"exclusiveMinimum": 3}),
        ("{type: string, example: a}", {"type": "string", "examples": ["a"]}),
        ("{example: null}", {"examples": [None]}),
        ("{example: a, examples: [b]}", {"examples": ["a", "b"]}),
        ("{type: string, format: byte}", {"type": "string", "contentEncoding": "base64"}),
        ("{type: string, format: base64}", {"type": "string", "contentEncoding": "base64"}),
        ("{type: string, format: base64url}", {"type": "string", "contentEncoding": "base64url"}),
        (
            "{type: string, format: binary}",
            {"type": "string", "contentMediaType": "application/octet-stream"},
        ),
        ("{type: string, format: uuid}", {"type": "string", "format": "uuid"}),
        ("{type: integer, format: byte}", {"type": "integer", "format": "byte"}),
        (
            "{properties: {nullable: {nullable: true, type: string}}}",
            {"properties": {"nullable": {"type": ["string", "null"]}}},
        ),
        ("{properties: {example: {type: string}}}", {"properties": {"example": {"type": "string"}}}),
        ("{enum: [{nullable: true, example: 1}]}", {"enum": [{"nullable": True, "example": 1}]}),
        ("{additionalProperties: {example: 1}}", {"additionalProperties": {"examples": [1]}}),
        ("{type: [string, null]}", {"type": ["string", "null"]}),
    ],
)
def test_a_schema_says_the_same_in_the_words_of_3_1(before: str, after: Json) -> None:
    upgraded = schema(before)
    assert upgraded.at("/components/schemas/A") == after
    assert upgraded.found == []


NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        (
            f"{{nullable: true, allOf: [{{$ref: '{OTHER}'}}]}}",
            {"anyOf": [{"$ref": OTHER}, NULL]},
            9,
        ),
        (
            f"{{nullable: true, title: T, readOnly: true, allOf: [{{$ref: '{OTHER}'}}]}}",
            {"title": "T", "readOnly": True, "anyOf": [{"$ref": OTHER}, NULL]},
            9,
        ),
        (
            "{nullable: true, type: object, allOf: [{minProperties: 1}]}",
            {"anyOf": [{"type": "object", "allOf": [{"minProperties": 1}]}, NULL]},
            9,
        ),
        ("{nullable: true, anyOf: [{type: string}]}", {"anyOf": [{"type": "string"}, NULL]}, 9),
        (
            "{nullable: true, oneOf: [{type: string}, {nullable: true, type: integer}]}",
            {"anyOf": [{"oneOf": [{"type": "string"}, {"type": ["integer", "null"]}]}, NULL]},
            9,
        ),
        ("{nullable: true, enum: [a]}", {"enum": ["a", None]}, 9),
        ("{nullable: true, type: string, enum: [a]}", {"type": ["string", "null"], "enum": ["a", None]}, 9),
    ],
)
def test_nullable_beside_what_would_refuse_null_lets_it_pass_with_a_note(
    before: str, after: Json, column: int
) -> None:
    upgraded = schema(before)
    assert upgraded.at("/components/schemas/A") == after
    assert upgraded.found == [("DH062", f"a.yaml:4:{column}")]


def test_what_stands_beside_a_reference_is_dropped_and_said() -> None:
    upgraded = schema(f"{{$ref: '{OTHER}', nullable: true, description: Mine}}")
    assert upgraded.at("/components/schemas/A") == {"$ref": OTHER}
    assert upgraded.found == [("DH060", "a.yaml:4:45"), ("DH061", "a.yaml:4:61")]


def test_a_reference_to_a_response_stands_alone_too() -> None:
    upgraded = Upgraded(
        "3.0.0",
        """\
        paths:
          /a:
            $ref: "#/paths/~1b"
            summary: kept, for a path item is no Reference Object
          /b:
            get: {responses: {200: {$ref: "#/components/responses/R", description: D}}}
        """,
    )
    assert upgraded.at("/paths/~1b/get/responses/200") == {"$ref": "#/components/responses/R"}
    assert upgraded.at("/paths/~1a/summary") == "kept, for a path item is no Reference Object"
    assert [code for code, _ in upgraded.found] == ["DH061"]


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        ("{type: file}", {"type": "string", "contentMediaType": "application/octet-stream"}, 15),
        ("{type: }", {}, 9),
        ("{exclusiveMinimum: true}", {}, 9),
        ("{exclusiveMaximum: true, minimum: 1}", {"minimum": 1}, 9),
    ],
)
def test_leftovers_are_mended_and_said(before: str, after: Json, column: int) -> None:
    upgraded = schema(before)
    assert upgraded.at("/components/schemas/A") == after
    ((code, place),) = upgraded.found
    assert code == "DH063"
    assert place.startswith("a.yaml:4:")


def test_webhooks_had_another_name() -> None:
    upgraded = Upgraded(
        "3.0.3", "x-webhooks: {new: {post: {requestBody: {content: {a/b: {schema: {example: 1}}}}}}}\n"
    )
    assert upgraded.at("/webhooks/new/post/requestBody/content/a~1b/schema") == {"examples": [1]}
    assert "x-webhooks" not in upgraded.document


def test_schemas_are_found_wherever_they_stand() -> None:
    upgraded = Upgraded(
        "3.0.3",
        """\
        paths:
          /a:
            parameters: [{name: p, in: query, schema: {example: 1}}]
            get:
              parameters: [{name: q, in: query, content: {a/b: {schema: {example: 1}}}}]
              responses:
                200: {headers: {H: {schema: {example: 1}}}, content: {a/b: {schema: {example: 1}}}}
                x-odd: {schema: {example: 1}}
              callbacks: {c: {'{$request.body#/url}': {post: {parameters: [{schema: {example: 1}}]}}}}
        """,
    )
    found = [
        "/paths/~1a/parameters/0/schema",
        "/paths/~1a/get/parameters/0/content/a~1b/schema",
        "/paths/~1a/get/responses/200/headers/H/schema",
        "/paths/~1a/get/responses/200/content/a~1b/schema",
        "/paths/~1a/get/callbacks/c/{$request.body#~1url}/post/parameters/0/schema",
    ]
    assert [upgraded.at(pointer) for pointer in found] == [{"examples": [1]}] * len(found)
    assert upgraded.at("/paths/~1a/get/responses/x-odd/schema") == {"example": 1}


def test_the_example_of_a_media_type_or_parameter_stays() -> None:
    upgraded = Upgraded("3.0.3", "components: {parameters: {P: {name: p, in: query, example: 4}}}\n")
    assert upgraded.at("/components/parameters/P/example") == 4


def test_everything_keeps_its_place_and_the_original_its_words() -> None:
    upgraded = schema("{type: string, nullable: true, example: a, maxLength: 4}")
    places = {key: str(node.source) for key, node in upgraded.node("/components/schemas/A").members()}
    assert places == {"type": "a.yaml:4:9", "examples": "a.yaml:4:39", "maxLength": "a.yaml:4:51"}
    null = upgraded.node("/components/schemas/A/type/1")
    assert str(null.source) == "a.yaml:4:23"
    assert str(upgraded.node("/openapi").place) == "a.yaml:1:10"
    assert upgraded.at("/openapi") == "3.1.1"
    before = Node.of(upgraded.before).at("/components/schemas/A")
    assert before is not None
    assert before.value == {"type": "string", "nullable": True, "example": "a", "maxLength": 4}


def test_what_aliases_share_is_upgraded_once() -> None:
    upgraded = Upgraded(
        "3.0.3",
        "components:\n  schemas:\n    A: &a {exclusiveMinimum: true}\n    B: *a\n    C: {items: *a}\n",
    )
    assert upgraded.found == [("DH063", "a.yaml:4:12")]
    assert upgraded.at("/components/schemas/A") is upgraded.at("/components/schemas/C/items")


@pytest.mark.parametrize("version", ["3.1.0", "3.1.1", "2.0", "4.0.0", "'3.3'"])
def test_other_versions_come_back_as_they_are(version: str) -> None:
    upgraded = Upgraded(version, "components: {schemas: {A: {nullable: true, example: 1}}}\n")
    assert upgraded.document is upgraded.before


@pytest.mark.parametrize("text", ["paths: 4\n", "components: []\n", "paths: {/a: [1]}\n", "tags: {a: b}\n"])
@pytest.mark.parametrize("version", ["3.0.3", "3.2.0"])
def test_a_document_of_odd_shape_is_left_to_the_check(version: str, text: str) -> None:
    upgraded = Upgraded(version, text)
    assert {**upgraded.document, "openapi": version} == upgraded.before


def test_a_service_may_be_written_in_3_0(project: Project) -> None:
    project.simple(
        "alpha", "/alpha", more="components: {schemas: {A: {type: string, nullable: true, example: a}}}\n"
    )
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace("3.1.1", "3.0.3"))
    assert project.found() == []
    assert project.api().document["components"] == {
        "schemas": {"A": {"type": ["string", "null"], "examples": ["a"]}}
    }


def test_swagger_2_is_refused_with_a_word_on_what_to_do(project: Project) -> None:
    project.simple("alpha", "/alpha")
    (project.root / "spec/services/alpha.yaml").write_text("swagger: '2.0'\ninfo: {title: A, version: 1}\n")
    assert project.found() == [("DH021", "spec/services/alpha.yaml:1:10")]
    assert "convert it to OpenAPI 3 first" in project.report()
