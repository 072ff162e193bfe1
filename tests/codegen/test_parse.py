"""The merged document, understood."""

from __future__ import annotations

from typing import Any

import pytest
from codegen.project import Project
from dhatu_codegen.commands.show import to_plain
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Map, Node
from dhatu_codegen.ir.name import Name
from dhatu_codegen.ir.operation import Operation
from dhatu_codegen.ir.schema import (
    AnyValue,
    Array,
    Boolean,
    Integer,
    Intersection,
    Object,
    Ref,
    Schema,
    String,
    Union,
)
from dhatu_codegen.parse.context import Context
from dhatu_codegen.parse.document import parse
from dhatu_codegen.parse.schemas import parse_schema
from dhatu_codegen.reading.read_yaml import read_yaml


def schema(text: str) -> Schema:
    diagnostics = Diagnostics()
    document = read_yaml(f"x: {text}\n", "a.yaml", diagnostics)
    assert isinstance(document, Map)
    root = Node.of(document)
    node = root.get("x")
    assert node is not None
    found = parse_schema(Context(root=root, diagnostics=diagnostics), node)
    assert diagnostics.all == ()
    return found


def kinds(value: Schema) -> Any:
    """The shape of a schema: class names, nested as the schema is."""
    match value:
        case Union():
            return {value.mode: [kinds(variant) for variant in value.variants]}
        case Intersection():
            return {"all": [kinds(part) for part in value.parts]}
        case Array():
            return [*(kinds(item) for item in value.prefix), kinds(value.items)]
        case Ref():
            return value.component
        case _:
            return type(value).__name__


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("true", "AnyValue"),
        ("{}", "AnyValue"),
        ("false", "Never"),
        ("{type: 'null'}", "Null"),
        ("{type: boolean}", "Boolean"),
        ("{properties: {}}", "Object"),
        ("{items: {type: string}}", ["String"]),
        ("{prefixItems: [{type: string}], items: false}", ["String", "Never"]),
        ("{minLength: 1}", "String"),
        ("{maximum: 1}", "Number"),
        ("{type: [string, 'null']}", {"any": ["String", "Null"]}),
        ("{type: [string, integer]}", {"any": ["String", "Integer"]}),
        ("{enum: [a, b]}", "Enum"),
        ("{const: a}", "Enum"),
        ("{type: [string, 'null'], enum: [a, null]}", {"any": ["Enum", "Null"]}),
        ("{const: null}", "Null"),
        ("{$ref: '#/components/schemas/A'}", "A"),
        ("{$ref: '#/components/schemas/A', description: x}", "A"),
        ("{$ref: '#/components/schemas/A', minProperties: 1}", {"all": ["A", "Object"]}),
        ("{anyOf: [{type: string}, {type: 'null'}]}", {"any": ["String", "Null"]}),
        ("{oneOf: [{$ref: '#/components/schemas/A'}]}", {"one": ["A"]}),
        ("{allOf: [{$ref: '#/components/schemas/A'}], properties: {}}", {"all": [{"all": ["A"]}, "Object"]}),
        ("{allOf: [true], required: [a]}", {"all": ["AnyValue"]}),
    ],
)
def test_every_kind_of_schema_has_its_class(text: str, shape: Any) -> None:
    assert kinds(schema(text)) == shape


def test_an_object_keeps_order_requirement_and_openness() -> None:
    found = schema(
        "{type: object, required: [b], properties: {b: {type: string}, aB: {type: integer}},"
        " additionalProperties: {type: boolean}, patternProperties: {'^x-': {}}}"
    )
    assert isinstance(found, Object)
    assert [(item.name.wire, item.name.words, item.required) for item in found.properties] == [
        ("b", ("b",), True),
        ("aB", ("a", "b"), False),
    ]
    assert isinstance(found.additional, Boolean)
    assert [pattern for pattern, _ in found.pattern_properties] == ["^x-"]
    closed, silent = schema("{type: object, additionalProperties: false}"), schema("{type: object}")
    assert isinstance(closed, Object)
    assert closed.additional is None
    assert isinstance(silent, Object)
    assert isinstance(silent.additional, AnyValue)


def test_annotations_and_constraints_are_kept() -> None:
    found = schema(
        "{type: string, format: date, contentEncoding: base64, description: ' D ', default: null,"
        " maxLength: 3, examples: [a], deprecated: true, readOnly: true, x-other: 1}"
    )
    assert isinstance(found, String)
    assert (found.format, found.content_encoding, found.description) == ("date", "base64", "D")
    assert (found.default, found.has_default, found.examples) == (None, True, ("a",))
    assert (found.deprecated, found.read_only, found.write_only) == (True, True, False)
    assert found.constraints == {"maxLength": 3}
    assert str(found.source) == "a.yaml:1:1"


def test_a_union_of_types_gives_each_its_own_constraints() -> None:
    found = schema("{type: [string, integer, 'null'], maxLength: 3, minimum: 1, description: D}")
    assert isinstance(found, Union)
    assert (found.description, found.constraints) == ("D", {})
    assert [variant.constraints for variant in found.variants] == [{"maxLength": 3}, {"minimum": 1}, {}]


def test_constraints_beside_compositions_are_kept_once() -> None:
    alone = schema("{$ref: '#/components/schemas/A', unevaluatedProperties: false}")
    assert (type(alone), alone.constraints) == (Ref, {"unevaluatedProperties": False})
    several = schema("{allOf: [true], oneOf: [true], not: false, description: D}")
    assert (several.constraints, several.description) == ({"not": False}, "D")
    typed = schema("{allOf: [true], type: object, minProperties: 1}")
    assert isinstance(typed, Intersection)
    assert (typed.constraints, [part.constraints for part in typed.parts]) == ({}, [{}, {"minProperties": 1}])


def test_parts_of_a_composition_know_their_places() -> None:
    found = schema("{allOf: [true],\n properties: {a: {type: string}}}")
    assert isinstance(found, Intersection)
    part = found.parts[1]
    assert isinstance(part, Object)
    assert str(part.properties[0].source) == "a.yaml:2:15"


def test_a_discriminator_maps_every_variant() -> None:
    found = schema(
        "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'},"
        " {$ref: '#/components/schemas/Emu'}],"
        " discriminator: {propertyName: kind, mapping: {cat: '#/components/schemas/Cat', dog: Dog}}}"
    )
    assert isinstance(found, Union)
    assert found.discriminator is not None
    assert found.discriminator.property == "kind"
    assert found.discriminator.mapping == (("cat", "Cat"), ("dog", "Dog"), ("Emu", "Emu"))


def test_a_reference_into_a_schema_is_followed_in_place() -> None:
    diagnostics = Diagnostics()
    document = read_yaml(
        "x: {$ref: '#/y/properties/a'}\ny: {properties: {a: {type: integer}}}\n", "a", diagnostics
    )
    assert isinstance(document, Map)
    root = Node.of(document)
    node = root.at("/x")
    assert node is not None
    assert isinstance(parse_schema(Context(root=root, diagnostics=diagnostics), node), Integer)


def test_a_nameless_schema_that_holds_itself_becomes_a_component(project: Project) -> None:
    node = "{type: object, properties: {next: {$ref: '#/components/schemas/Tree/$defs/Node'}}}"
    tree = "{$ref: '#/components/schemas/Tree/$defs/Node', $defs: {Node: NODE}}".replace("NODE", node)
    project.simple(
        "a", "/a", more=f"components: {{schemas: {{Tree: {tree}, Tree.Node: {{type: string}}}}}}\n"
    )
    found = {component.name.wire: component.schema for component in project.api().components}
    circle = found["Tree.Node.2"]
    assert isinstance(circle, Object)
    assert isinstance(circle.properties[0].schema, Ref)
    assert circle.properties[0].schema.component == "Tree.Node.2"


def test_a_nameless_reference_to_itself_is_reported() -> None:
    diagnostics = Diagnostics()
    document = read_yaml("x: {$ref: '#/x'}\n", "a", diagnostics)
    assert isinstance(document, Map)
    root = Node.of(document)
    node = root.at("/x")
    assert node is not None
    parse_schema(Context(root=root, diagnostics=diagnostics), node)
    assert [item.code for item in diagnostics.all] == ["DH022"]


OPERATION = """\
paths:
  /api/v1/things/{id}:
    parameters:
      - {name: id, in: path, required: true, description: I, example: a, schema: {type: string}}
      - {name: depth, in: query, description: Shallow., example: 1, schema: {type: integer}}
    put:
      operationId: replaceThing
      tags: [my-things, other]
      summary: S
      description: D
      deprecated: true
      x-dhatu: {sunset: "2030-01-01"}
      parameters:
        - {name: depth, in: query, description: Deep., example: 2, schema: {type: integer}}
        - {name: tags, in: query, explode: false, description: T, example: [a], schema: {type: array}}
        - name: filter
          in: query
          description: F
          content: {application/json: {schema: {type: object}, example: {}}}
        - {name: X-Trace, in: header, description: X, example: a, schema: {type: string}}
        - {name: sid, in: cookie, description: C, example: a, schema: {type: string}}
      requestBody: {$ref: "#/components/requestBodies/Thing"}
      responses:
        "200":
          description: Done.
          headers: {ETag: {required: true, description: Which., schema: {type: string}}}
          content:
            application/vnd.thing+json; charset=utf-8: {schema: {type: object}, example: {}}
            text/event-stream: {schema: {type: object}}
            image/svg+xml: {}
        4XX: {$ref: "#/components/responses/Failed"}
        default: {description: Any.}
components:
  requestBodies:
    Thing:
      required: true
      description: The thing.
      content:
        multipart/form-data:
          schema:
            type: object
            properties:
              name: {type: string}
              file: {type: string, contentMediaType: image/png}
              blob: {type: string, format: binary}
              meta: {type: object}
              sizes: {type: array, items: {type: integer}}
          encoding: {meta: {contentType: application/xml}}
        application/x-www-form-urlencoded:
          schema: {type: object, properties: {sizes: {type: array}}}
          encoding: {sizes: {style: spaceDelimited}}
        application/jsonl: {schema: {type: object}}
  responses:
    Failed: {description: Failed.}
"""


@pytest.fixture
def operation(project: Project) -> Operation:
    project.service("things", OPERATION)
    return project.operation("my_things.replace_thing")


def test_an_operation_is_named_by_tag_and_id_and_versioned_by_its_path(operation: Operation) -> None:
    assert operation.resource == Name.of("my-things")
    assert operation.name.words == ("replace", "thing")
    assert (operation.version, operation.method, operation.service) == ("v1", "PUT", "things")
    assert (operation.deprecated, operation.sunset) == (True, "2030-01-01")
    assert str(operation.source) == "spec/services/things.yaml:9:5"
    assert operation.policy.retry == "idempotent"


def test_parameters_of_the_path_come_first_and_the_operations_own_replace_them(operation: Operation) -> None:
    found = {item.name.wire: item for item in operation.parameters}
    assert list(found) == ["id", "depth", "tags", "filter", "X-Trace", "sid"]
    assert (found["depth"].description, found["depth"].examples) == ("Deep.", (2,))
    assert {name: (item.style, item.explode) for name, item in found.items()} == {
        "id": ("simple", False),
        "depth": ("form", True),
        "tags": ("form", False),
        "filter": ("form", True),
        "X-Trace": ("simple", False),
        "sid": ("form", True),
    }
    assert found["id"].pointer == "/paths/~1api~1v1~1things~1{id}/parameters/0/schema"
    assert found["filter"].content_type == "application/json"
    assert found["filter"].pointer.endswith("/parameters/2/content/application~1json/schema")


def test_a_body_by_reference_has_its_kinds_and_encodings(operation: Operation) -> None:
    body = operation.body
    assert body is not None
    assert (body.required, body.description) == (True, "The thing.")
    assert [payload.kind for payload in body.payloads] == ["multipart", "form", "jsonl"]
    assert {item.property: item.content_type for item in body.payloads[0].encoding} == {
        "name": "text/plain",
        "file": "image/png",
        "blob": "application/octet-stream",
        "meta": "application/xml",
        "sizes": "text/plain",
    }
    (sizes,) = body.payloads[1].encoding
    assert (sizes.style, sizes.explode, sizes.content_type) == ("spaceDelimited", False, "")
    assert body.payloads[2].pointer == "/components/requestBodies/Thing/content/application~1jsonl/schema"


def test_responses_keep_their_order_headers_and_kinds(operation: Operation) -> None:
    assert [response.status for response in operation.responses] == ["200", "4XX", "default"]
    done, failed, _ = operation.responses
    assert [payload.kind for payload in done.payloads] == ["json", "sse", "binary"]
    assert done.payloads[2].schema is None
    assert [(header.name, header.required) for header in done.headers] == [("ETag", True)]
    assert failed.description == "Failed."
    assert str(failed.source) == "spec/services/things.yaml:34:9"


@pytest.mark.parametrize(
    ("method", "retry"),
    [("get", "safe"), ("head", "safe"), ("put", "idempotent"), ("delete", "idempotent"), ("post", "never")],
)
def test_the_retry_class_follows_the_method(project: Project, method: str, retry: str) -> None:
    project.simple("alpha", "/alpha", method=method)
    assert project.operation("alpha.alpha").policy.retry == retry


def test_a_rate_limit_fills_in_what_is_not_said_and_null_lifts_the_default(project: Project) -> None:
    limit = "x-dhatu: {rate_limit: {limit: 5, window_s: 2}}\n"
    project.simple("alpha", "/alpha", more=limit)
    project.simple("beta", "/beta", more="x-dhatu: {rate_limit: null}\n")
    project.platform("defaults: {rate_limit: {limit: 9, window_s: 9}}\n")
    (found,) = project.operation("alpha.alpha").policy.rate_limit
    assert (found.name, found.algorithm, found.cost, found.shadow) == ("default", "token_bucket", 1, False)
    assert (found.limit, found.window_s, found.burst, found.by) == (5, 2.0, 5, "principal")
    assert project.operation("beta.beta").policy.rate_limit == ()


def test_several_limits_stand_in_a_list(project: Project) -> None:
    limits = (
        "[{name: second, limit: 5, window_s: 1}, {name: day, algorithm: gcra, limit: 90, window_s: 86400}]"
    )
    project.simple("alpha", "/alpha", more=f"x-dhatu: {{rate_limit: {limits}}}\n")
    project.platform("defaults: {rate_limit: {limit: 9, window_s: 9}}\n")
    found = project.operation("alpha.alpha").policy.rate_limit
    assert [(limit.name, limit.algorithm, limit.limit) for limit in found] == [
        ("second", "token_bucket", 5),
        ("day", "gcra", 90),
    ]


def test_tiers_add_their_limits_to_what_asks_who_calls(project: Project) -> None:
    scheme = "components: {securitySchemes: {key: {type: apiKey, in: header, name: K}}}\n"
    project.simple("alpha", "/alpha", more=f"security: [{{key: []}}]\n{scheme}")
    text = (project.root / "spec/services/alpha.yaml").read_text()
    (project.root / "spec/services/alpha.yaml").write_text(text.replace("security: [{", "      security: [{"))
    project.simple("open", "/open")
    project.platform(
        """
        defaults: {rate_limit: {limit: 9, window_s: 9}}
        tiers:
          pro: {roles: [pro], limits: [{name: monthly, algorithm: quota, per: month, limit: 900}]}
          free: {limits: [{name: monthly, algorithm: quota, per: month, limit: 90}]}
        """
    )
    found = project.operation("alpha.alpha").policy.rate_limit
    assert [(limit.name, limit.limit, limit.across, limit.roles, limit.except_roles) for limit in found] == [
        ("default", 9, "operation", (), ()),
        ("monthly", 900, "api", ("pro",), ()),
        ("monthly", 90, "api", (), ("pro",)),
    ]
    assert [limit.name for limit in project.operation("open.open").policy.rate_limit] == ["default"]


def test_a_document_without_the_extension_has_everything_filled_in() -> None:
    diagnostics = Diagnostics()
    text = (
        "openapi: 3.1.1\ninfo: {title: The Pet-Store, version: '2'}\n"
        "paths: {/pets: {get: {responses: {default: {description: D}}}}}\n"
    )
    document = read_yaml(text, "pets.yaml", diagnostics)
    assert isinstance(document, Map)
    api = parse(document, diagnostics)
    assert diagnostics.all == ()
    assert (api.sdk.client, api.sdk.python_package, api.header_prefix) == ("ThePetStore", "the_pet_store", "")
    (operation,) = api.operations
    assert (operation.key, operation.resource, operation.policy.timeout_s) == ("get_pets", None, 60.0)


def test_the_ir_is_shown_without_its_empty_fields(operation: Operation) -> None:
    shown = to_plain(operation)
    assert isinstance(shown, dict)
    assert (shown["kind"], shown["name"], shown["deprecated"]) == ("Operation", "replaceThing", True)
    assert "positional" not in shown
