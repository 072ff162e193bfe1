"""Each thing that OpenAPI 3.2 can say and 3.1 cannot."""

from __future__ import annotations

import pytest
from codegen.project import Project
from codegen.upgrade.documents import Upgraded
from dhatu_codegen.ir.schema import Json, Object, Ref
from dhatu_codegen.ir.security import OAuth2Scheme

OPERATION = "{operationId: %s, tags: [a], summary: S, responses: {200: {description: OK}}}"


def new(text: str) -> Upgraded:
    return Upgraded("3.2.0", text)


def body(text: str, rest: str = "") -> Upgraded:
    return new(f"components:\n  responses:\n    R:\n      content:\n        {text}\n{rest}")


def service_3_2(project: Project, text: str) -> None:
    project.service("alpha", text)
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace("3.1.1", "3.2.0"))


def test_methods_beyond_those_of_3_1_reach_the_ir(project: Project) -> None:
    service_3_2(
        project,
        f"""\
        x-dhatu: {{timeout_s: 3}}
        paths:
          /a:
            parameters: [{{name: p, in: query, schema: {{type: string}}, examples: {{a: {{dataValue: x}}}}}}]
            get: {OPERATION % "fetch"}
            query: {OPERATION % "ask"}
            additionalOperations:
              PURGE: {OPERATION % "purge"}
        """,
    )
    assert project.build().diagnostics.errors == ()
    found = {operation.operation_id: operation for operation in project.api().operations}
    assert {key: item.method for key, item in found.items()} == {
        "fetch": "GET",
        "ask": "QUERY",
        "purge": "PURGE",
    }
    assert found["purge"].service == "alpha"
    assert found["purge"].policy.timeout_s == 3
    assert [found[key].policy.retry for key in ("ask", "purge")] == ["safe", "never"]
    assert [parameter.name.wire for parameter in found["purge"].parameters] == ["p"]
    assert found["purge"].parameters[0].examples == ("x",)


def test_the_gateway_routes_them(project: Project) -> None:
    service_3_2(project, f"paths: {{/a: {{query: {OPERATION % 'ask'}}}}}\n")
    routes = next(file for file in project.build().files if file.path.endswith("routes.py"))
    assert "QUERY" in routes.text


def test_a_method_that_the_gateways_parser_refuses_is_said(project: Project) -> None:
    more = f"{{additionalOperations: {{PURGE: {OPERATION % 'purge'}, FETCH: {OPERATION % 'fetch'}}}}}"
    service_3_2(project, f"paths:\n  /a: {more}\n")
    found = [item for item in project.build().diagnostics.all if item.code == "DH064"]
    assert ["FETCH" in item.message for item in found] == [True]


def test_two_services_may_not_both_describe_one(project: Project) -> None:
    for name in ("alpha", "beta"):
        project.service(
            name, f"paths: {{/a: {{x-oai-additionalOperations: {{PURGE: {OPERATION % name}}}}}}}\n"
        )
    assert [found.code for found in project.build().diagnostics.errors] == ["DH030"]


@pytest.mark.parametrize("method", ["purge", "GET"])
def test_a_method_that_would_be_sent_otherwise_is_refused(method: str) -> None:
    upgraded = new(f"paths:\n  /a:\n    additionalOperations:\n      {method}: {{}}\n")
    assert upgraded.found == [("DH065", "a.yaml:5:7")]


@pytest.mark.parametrize("media_type", ["application/jsonl", "application/x-ndjson", "text/event-stream"])
def test_the_schema_of_an_item_is_the_schema_of_a_series(media_type: str) -> None:
    upgraded = body(f"{media_type}: {{itemSchema: {{type: integer}}}}")
    node = upgraded.node("/components/responses/R/content").get(media_type)
    assert node is not None
    assert node.value == {"schema": {"type": "integer"}}
    assert upgraded.found == []
    schema = node.get("schema")
    assert schema is not None
    assert schema.source.line == 6


def test_an_array_without_item_schema_describes_the_series() -> None:
    rest = "  schemas: {All: {type: array, items: {type: integer}}}\n"
    for schema in ("{type: array, items: {type: integer}}", "{$ref: '#/components/schemas/All'}"):
        upgraded = body(f"application/jsonl: {{schema: {schema}}}", rest)
        assert upgraded.at("/components/responses/R/content/application~1jsonl/schema") == {"type": "integer"}
        assert upgraded.found == []


def test_another_schema_of_a_series_is_taken_for_that_of_an_item_with_a_note() -> None:
    upgraded = body("application/jsonl: {schema: {type: object}}")
    assert upgraded.at("/components/responses/R/content/application~1jsonl/schema") == {"type": "object"}
    assert upgraded.found == [("DH062", "a.yaml:6:29")]


def test_the_schema_of_a_series_beside_that_of_its_items_is_left_out() -> None:
    upgraded = body("application/jsonl: {schema: {maxItems: 9}, itemSchema: {type: integer}}")
    assert upgraded.at("/components/responses/R/content/application~1jsonl") == {
        "schema": {"type": "integer"}
    }
    assert upgraded.found == [("DH064", "a.yaml:6:29")]


EVENT = "properties: {event: {type: string}, data: {type: string, contentMediaType: application/json, %s}}"


def test_the_item_of_an_event_stream_is_what_its_data_holds() -> None:
    upgraded = body(
        "text/event-stream: {itemSchema: {" + EVENT % "contentSchema: {$ref: '#/components/schemas/D'}" + "}}"
    )
    assert upgraded.at("/components/responses/R/content/text~1event-stream/schema") == {
        "$ref": "#/components/schemas/D"
    }
    assert upgraded.found == []


def test_events_of_several_names_are_told_apart_by_their_data() -> None:
    variants = ", ".join(
        f"{{properties: {{event: {{const: {name}}}, data: {{contentSchema: {{type: {kind}}}}}}}}}"
        for name, kind in (("a", "integer"), ("b", "string"), ("c", "string"))
    )
    upgraded = body(f"text/event-stream: {{itemSchema: {{oneOf: [{variants}]}}}}")
    assert upgraded.at("/components/responses/R/content/text~1event-stream/schema") == {
        "anyOf": [{"type": "integer"}, {"type": "string"}]
    }
    assert upgraded.found == [("DH064", "a.yaml:6:29")]


@pytest.mark.parametrize(
    ("data", "schema"),
    [
        ("{type: string}", {"type": "string"}),
        ("{type: string, contentMediaType: application/json}", {}),
    ],
)
def test_events_without_a_schema_of_their_data_are_text_or_any_json(data: str, schema: Json) -> None:
    upgraded = body(f"text/event-stream: {{itemSchema: {{properties: {{data: {data}}}}}}}")
    assert upgraded.at("/components/responses/R/content/text~1event-stream/schema") == schema
    assert upgraded.found == []


def test_an_item_with_a_data_member_among_others_is_no_envelope() -> None:
    item: Json = {"properties": {"data": {"type": "string"}, "object": {"type": "string"}}}
    upgraded = body(
        "text/event-stream: {itemSchema: {properties: {data: {type: string}, object: {type: string}}}}"
    )
    assert upgraded.at("/components/responses/R/content/text~1event-stream/schema") == item
    assert upgraded.found == []


def test_items_of_other_media_types_make_an_array_and_a_warning() -> None:
    upgraded = body("multipart/mixed: {itemSchema: {type: object}, itemEncoding: {contentType: a/b}}")
    assert upgraded.at("/components/responses/R/content/multipart~1mixed") == {
        "schema": {"type": "array", "items": {"type": "object"}}
    }
    assert upgraded.found == [("DH064", "a.yaml:6:27"), ("DH064", "a.yaml:6:55")]


def test_a_named_media_type_stands_where_it_is_used() -> None:
    rest = "  mediaTypes:\n    M: {$ref: '#/components/mediaTypes/N'}\n    N: {itemSchema: {type: integer}}\n"
    upgraded = body("application/jsonl: {$ref: '#/components/mediaTypes/M'}", rest)
    content = upgraded.node("/components/responses/R/content/application~1jsonl")
    assert content.value == {"schema": {"type": "integer"}}
    assert str(content.source) == "a.yaml:6:9"
    assert "mediaTypes" not in upgraded.node("/components").value  # type: ignore[operator]  # an object
    assert upgraded.found == []


def test_a_reference_through_the_documents_own_address_stays_inside() -> None:
    upgraded = new(
        """\
        $self: https://example.com/api/openapi.yaml
        components:
          schemas:
            A: {$ref: "https://example.com/api/openapi.yaml#/components/schemas/D"}
            B: {$ref: "openapi.yaml#/components/schemas/D"}
            C: {$ref: "other.yaml#/components/schemas/D"}
            D:
              oneOf: [{$ref: "#/components/schemas/E"}]
              discriminator: {propertyName: p, mapping: {e: "openapi.yaml#/components/schemas/E"}}
            E: {}
        security: [{"openapi.yaml#/components/securitySchemes/a~1b": [], plain: []}]
        """
    )
    assert "$self" not in upgraded.document
    assert [upgraded.at(f"/components/schemas/{name}/$ref") for name in "ABC"] == [
        "#/components/schemas/D",
        "#/components/schemas/D",
        "other.yaml#/components/schemas/D",
    ]
    assert upgraded.at("/components/schemas/D/discriminator/mapping/e") == "#/components/schemas/E"
    assert upgraded.at("/security/0") == {"a/b": [], "plain": []}


def test_tags_keep_their_tree_and_become_groups() -> None:
    upgraded = new(
        """\
        tags:
          - {name: shop, summary: Shop, kind: nav}
          - {name: cart, parent: shop}
          - {name: item, parent: cart}
          - {name: misc}
        """
    )
    assert upgraded.at("/tags/0") == {"name": "shop", "x-displayName": "Shop", "x-oai-kind": "nav"}
    assert upgraded.at("/tags/2") == {"name": "item", "x-oai-parent": "cart"}
    assert upgraded.at("/x-tagGroups") == [
        {"name": "Shop", "tags": ["shop", "cart", "item"]},
        {"name": "misc", "tags": ["misc"]},
    ]


def test_tags_that_are_each_others_parents_do_not_hang() -> None:
    upgraded = new("tags: [{name: a, parent: b}, {name: b, parent: a}]\n")
    assert isinstance(upgraded.at("/x-tagGroups"), list)


def test_a_query_string_as_a_form_is_an_exploded_object() -> None:
    upgraded = new(
        "components:\n  parameters:\n    P: {name: q, in: querystring, "
        "content: {application/x-www-form-urlencoded: {schema: {type: object}, example: {a: 1}}}}\n"
    )
    assert upgraded.at("/components/parameters/P") == {
        "name": "q",
        "in": "query",
        "style": "form",
        "explode": True,
        "schema": {"type": "object"},
        "example": {"a": 1},
    }
    assert upgraded.found == []


def test_a_query_string_in_another_format_is_refused() -> None:
    content = "{application/json: {schema: {}}}"
    upgraded = new(f"components:\n  parameters:\n    P: {{name: q, in: querystring, content: {content}}}\n")
    assert upgraded.found == [("DH065", "a.yaml:4:35")]


@pytest.mark.parametrize(
    ("text", "pointer", "after"),
    [
        ("servers: [{url: /, name: main}]", "/servers/0", {"url": "/", "x-oai-name": "main"}),
        (
            "components: {responses: {R: {summary: S}}}",
            "/components/responses/R",
            {"description": "S"},
        ),
        (
            "components: {responses: {R: {summary: S, description: D}}}",
            "/components/responses/R",
            {"x-oai-summary": "S", "description": "D"},
        ),
        ("components: {responses: {R: {}}}", "/components/responses/R", {"description": ""}),
        (
            "components: {examples: {E: {serializedValue: a=b}}}",
            "/components/examples/E",
            {"value": "a=b"},
        ),
        (
            "components: {examples: {E: {dataValue: 1, serializedValue: '1'}}}",
            "/components/examples/E",
            {"value": 1, "x-oai-serializedValue": "1"},
        ),
        (
            "components: {schemas: {A: {xml: {nodeType: attribute}}}}",
            "/components/schemas/A/xml",
            {"attribute": True},
        ),
        (
            "components: {securitySchemes: {S: {type: http, scheme: basic, deprecated: true}}}",
            "/components/securitySchemes/S",
            {"type": "http", "scheme": "basic", "x-oai-deprecated": True},
        ),
    ],
)
def test_small_additions_find_a_place(text: str, pointer: str, after: Json) -> None:
    upgraded = new(text + "\n")
    assert upgraded.at(pointer) == after
    assert upgraded.found == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("components: {parameters: {P: {name: p, in: cookie, style: cookie, schema: {}}}}", "2:59"),
        ("components: {schemas: {A: {discriminator: {propertyName: p, defaultMapping: D}}}}", "2:61"),
        ("components: {requestBodies: {B: {content: {multipart/mixed: {prefixEncoding: []}}}}}", "2:62"),
        ("components: {requestBodies: {B: {content: {a/b: {encoding: {p: {encoding: {}}}}}}}}", "2:65"),
    ],
)
def test_what_is_not_carried_is_said(text: str, place: str) -> None:
    assert new(text + "\n").found == [("DH064", f"a.yaml:{place}")]


def test_a_document_with_all_of_it_passes_the_check_of_3_1_and_the_device_flow_is_known(
    project: Project,
) -> None:
    service_3_2(
        project,
        f"""\
        $self: /alpha.yaml
        tags: [{{name: a, summary: A, kind: nav}}]
        paths:
          /a:
            query: {OPERATION % "ask"}
          /b:
            get:
              operationId: stream
              summary: S
              tags: [a]
              security: [{{device: [read]}}]
              responses:
                200:
                  summary: Items
                  content: {{application/jsonl: {{$ref: "#/components/mediaTypes/Items"}}}}
                default: {{summary: Failed}}
        components:
          mediaTypes:
            Items: {{itemSchema: {{$ref: "#/components/schemas/Item"}}}}
          schemas:
            Item: {{type: object, properties: {{a: {{type: integer}}}}}}
          securitySchemes:
            device:
              type: oauth2
              oauth2MetadataUrl: https://example.com/.well-known/oauth-authorization-server
              flows:
                deviceAuthorization:
                  deviceAuthorizationUrl: https://example.com/device
                  tokenUrl: https://example.com/token
                  scopes: {{read: Read}}
        """,
    )
    api = project.api()
    (scheme,) = api.security_schemes
    assert isinstance(scheme, OAuth2Scheme)
    assert [(flow.kind, flow.authorization_url) for flow in scheme.flows] == [
        ("device_authorization", "https://example.com/device")
    ]
    (payload,) = project.operation("a.stream").responses[0].payloads
    assert payload.kind == "jsonl"
    assert isinstance(payload.schema, Ref)
    assert payload.schema.component == "Item"
    assert isinstance(api.components[0].schema, Object)
