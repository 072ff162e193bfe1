"""One document out of many: what is shared, what is refused, what moves."""

from __future__ import annotations

from typing import Any, cast

from codegen.project import REPOSITORY, Project
from dhatu_codegen.commands.show import to_plain
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Node, plain
from dhatu_codegen.ir.security import Credential, Requirement
from dhatu_codegen.parse.document import parse
from dhatu_codegen.pipeline import MERGED_FILE, build
from dhatu_codegen.reading.load import load
from openapi_spec_validator import OpenAPIV31SpecValidator

PROBLEM = """\
components:
  schemas:
    Problem:
      type: object
      properties:
        status: {{type: integer, minimum: {minimum}}}
"""
SCHEMES = """\
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    apiKey: {type: apiKey, in: header, name: X-API-Key}
"""
SECURED = """\
paths:
  /{name}:
    get:
      operationId: {name}
      tags: [{name}]
      summary: A summary
      description: A description.
{security}
      responses: {{default: {{description: Any.}}, "401": {{description: Who}}, "403": {{description: No}}}}
"""


def test_identical_components_are_shared(project: Project) -> None:
    project.simple("alpha", "/alpha", more=PROBLEM.format(minimum=400))
    project.simple("beta", "/beta", more=PROBLEM.format(minimum=400))
    assert [component.name.wire for component in project.api().components] == ["Problem"]


def test_components_that_differ_are_called_after_their_services(project: Project) -> None:
    project.simple("alpha", "/alpha", more=PROBLEM.format(minimum=400))
    project.simple("beta", "/beta", more=PROBLEM.format(minimum=100))
    assert [component.name.wire for component in project.api().components] == ["AlphaProblem", "BetaProblem"]
    first, second = project.build().diagnostics.all
    assert (first.code, second.code) == ("DH036", "DH036")
    assert "AlphaProblem: that of beta differs at /properties/status/minimum" in first.message
    assert str(first.source) == "spec/services/alpha.yaml:16:5"
    assert [str(related.source) for related in first.related] == ["spec/services/beta.yaml:16:5"]


def test_components_that_differ_are_refused_where_the_platform_says_so(project: Project) -> None:
    project.simple("alpha", "/alpha", more=PROBLEM.format(minimum=400))
    project.simple("beta", "/beta", more=PROBLEM.format(minimum=100))
    project.platform("merge: {components: refuse}\n")
    (found,) = project.build().diagnostics.errors
    assert found.code == "DH032"
    assert "/properties/status/minimum" in found.message
    assert str(found.source) == "spec/services/beta.yaml:16:5"
    assert [str(related.source) for related in found.related] == ["spec/services/alpha.yaml:16:5"]
    assert project.build().files == ()


def test_one_and_one_point_zero_and_true_are_different_values(project: Project) -> None:
    project.simple("alpha", "/alpha", more=PROBLEM.format(minimum=1))
    project.simple("beta", "/beta", more=PROBLEM.format(minimum=1.0))
    assert [code for code, _ in project.found()] == ["DH036", "DH036"]


def test_an_operation_keeps_the_security_that_its_own_document_gave_it(project: Project) -> None:
    alpha = SECURED.format(name="alpha", security="") + SCHEMES
    beta = SECURED.format(name="beta", security="") + SCHEMES
    gamma = SECURED.format(name="gamma", security="      security: [{apiKey: [x]}]") + SCHEMES
    for name, text in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
        project.service(name, text)
    head = project.root / "spec" / "services" / "beta.yaml"
    head.write_text(head.read_text().replace("security: []", "security: [{bearer: [read]}]"))

    asked = {operation.key: operation.security for operation in project.api().operations}

    assert asked["alpha.alpha"] == ()
    assert asked["beta.beta"] == (Requirement(credentials=(Credential(scheme="bearer", scopes=("read",)),)),)
    assert asked["gamma.gamma"] == (Requirement(credentials=(Credential(scheme="apiKey", scopes=("x",)),)),)
    assert "security" not in project.api().document


def test_the_same_path_and_method_in_two_services_is_refused(project: Project) -> None:
    project.simple("alpha", "/same", id="one")
    project.simple("beta", "/same", id="two")
    (found,) = project.build().diagnostics.errors
    assert (found.code, str(found.source)) == ("DH030", "spec/services/beta.yaml:6:5")
    assert [str(related.source) for related in found.related] == ["spec/services/alpha.yaml:6:5"]


def test_two_services_may_serve_different_methods_of_one_path(project: Project) -> None:
    project.simple("alpha", "/same")
    project.simple("beta", "/same", method="delete")
    assert [(item.service, item.method) for item in project.api().operations] == [
        ("alpha", "GET"),
        ("beta", "DELETE"),
    ]


def test_what_one_owner_of_a_path_says_for_all_its_methods_moves_to_them(project: Project) -> None:
    project.simple("alpha", "/same")
    project.simple("beta", "/same", method="delete")
    file = project.root / "spec/services/beta.yaml"
    common = "    summary: Other\n    parameters: [{name: a, in: query, schema: {type: integer}}]\n"
    file.write_text(file.read_text().replace("    delete:", f"{common}    delete:"))
    assert [code for code, _ in project.found()] == ["DH024", "DH040", "DH041"]
    assert project.found()[0] == ("DH024", "spec/services/beta.yaml:6:5")
    arguments = {
        item.method: [each.name.wire for each in item.parameters] for item in project.api().operations
    }
    assert arguments == {"GET": [], "DELETE": ["a"]}


def test_an_operation_id_is_unique_across_services(project: Project) -> None:
    project.simple("alpha", "/alpha", id="same")
    project.simple("beta", "/beta", id="same")
    (found,) = project.build().diagnostics.errors
    assert (found.code, str(found.source)) == ("DH031", "spec/services/beta.yaml:7:20")
    assert [str(related.source) for related in found.related] == ["spec/services/alpha.yaml:7:20"]


def test_tags_are_shared_or_refused_like_components(project: Project) -> None:
    project.simple("alpha", "/alpha", more="tags: [{name: t, description: One.}]\n")
    project.simple("beta", "/beta", more="tags: [{name: t, description: One.}]\n")
    assert project.found() == []
    project.simple("beta", "/beta", more="tags: [{name: t, description: Two.}]\n")
    assert project.found() == [("DH035", "spec/services/beta.yaml:14:8")]


def test_the_nearest_x_dhatu_wins_and_sdk_is_merged_key_by_key(project: Project) -> None:
    project.simple("alpha", "/alpha")
    text = (project.root / "spec/services/alpha.yaml").read_text()
    text = text.replace("    get:\n", "    x-dhatu: {timeout_s: 2, max_body_bytes: 7}\n    get:\n")
    text = text.replace(
        "      responses:\n",
        "      x-dhatu: {timeout_s: 3, sdk: {method: other}, validate: {response: log}}\n      responses:\n",
    )
    root = "x-dhatu: {timeout_s: 1, retry: {class: keyed}, sdk: {resource: ''}}\n"
    (project.root / "spec/services/alpha.yaml").write_text(text + root)
    project.platform("defaults: {timeout_s: 9, roles: [analyst]}\n")

    operation = project.operation("other")

    assert operation.resource is None
    policy = operation.policy
    assert (policy.timeout_s, policy.max_body_bytes, policy.retry) == (3.0, 7, "keyed")
    assert policy.roles == ("analyst",)
    assert (policy.validate.body, policy.validate.response) == ("enforce", "log")


def test_services_stand_in_the_order_of_the_platform(project: Project) -> None:
    project.simple("zeta", "/a")
    project.simple("alpha", "/b")
    api = project.api()
    assert [service.name for service in api.services] == ["zeta", "alpha"]
    assert [operation.service for operation in api.operations] == ["zeta", "alpha"]
    assert api.services[0].description == "The zeta service."


def test_a_path_item_by_reference_is_copied_in_its_place(project: Project) -> None:
    project.service(
        "alpha",
        """\
        paths:
          /alpha: {$ref: "#/components/pathItems/Alpha"}
        components:
          pathItems:
            Alpha:
              get:
                operationId: alpha
                tags: [alpha]
                summary: S
                description: D
                responses: {default: {description: Any.}}
        """,
    )
    operation = project.operation("alpha.alpha")
    assert (operation.path, operation.service) == ("/alpha", "alpha")
    assert str(operation.source) == "spec/services/alpha.yaml:9:7"


def test_servers_of_a_service_move_to_its_operations(project: Project) -> None:
    project.simple("alpha", "/alpha", more="servers: [{url: https://example.org}]\n")
    project.simple("beta", "/beta")
    document = project.api().document
    assert "servers" not in document
    alpha, beta = (Node.of(document).at(f"/paths/~1{name}/get") for name in ("alpha", "beta"))
    assert alpha is not None
    assert beta is not None
    assert alpha.get("servers") is not None
    assert beta.get("servers") is None


def test_servers_on_which_all_services_agree_are_those_of_the_document(project: Project) -> None:
    for name in ("alpha", "beta"):
        project.simple(name, f"/{name}", more="servers: [{url: https://example.org}]\n")
    assert [server.url for server in project.api().servers] == ["https://example.org"]
    assert [operation.servers for operation in project.api().operations] == [(), ()]


def test_root_extensions_are_carried(project: Project) -> None:
    project.simple("alpha", "/alpha", more="x-logo: a\nx-same: 1\nexternalDocs: {url: https://a.example}\n")
    project.simple("beta", "/beta", more="x-logo: b\nx-same: 1\n")
    assert project.found() == [
        ("DH037", "spec/services/alpha.yaml:14:1"),
        ("DH037", "spec/services/beta.yaml:14:1"),
    ]
    root = Node.of(project.api().document)
    assert (root.get("x-logo"), root.text("openapi")) == (None, "3.1.1")
    assert project.api().document["x-same"] == 1
    kept = root.at("/x-dhatu/services/alpha/document")
    assert kept is not None
    assert kept.value == {"x-logo": "a", "externalDocs": {"url": "https://a.example"}}
    project.platform("x-logo: c\n")
    assert project.found() == []
    assert Node.of(project.api().document).text("x-logo") == "c"


def test_schemas_of_several_dialects_are_refused(project: Project) -> None:
    dialect = "jsonSchemaDialect: https://json-schema.org/draft/2020-12/schema\n"
    project.simple("alpha", "/alpha", more=dialect)
    project.simple("beta", "/beta")
    assert project.found() == [("DH038", "spec/services/alpha.yaml:14:1")]
    project.simple("beta", "/beta", more=dialect)
    assert project.found() == []
    assert "jsonSchemaDialect" in project.api().document


def test_tags_that_differ_can_be_called_after_their_services(project: Project) -> None:
    groups = "x-tagGroups: [{name: All, tags: [alpha]}]\n"
    project.simple("alpha", "/alpha", more="tags: [{name: alpha, description: One.}]\n" + groups)
    project.simple("beta", "/beta", more="tags: [{name: alpha, description: Two.}]\n" + groups)
    project.platform("merge: {tags: namespace}\n")
    assert [code for code, _ in project.found()] == ["DH036", "DH036"]
    document = project.api().document
    tags, grouped = Node.of(document).get("tags"), Node.of(document).at("/x-tagGroups/0")
    assert tags is not None
    assert grouped is not None
    assert [tag.text("name") for tag in tags.elements()] == ["alphaAlpha", "betaAlpha"]
    assert grouped.texts("tags") == ("alphaAlpha", "betaAlpha")
    assert project.api().operations[0].tags == ("alphaAlpha",)


def test_a_tag_that_is_only_named_takes_the_description_of_another_service(project: Project) -> None:
    project.simple("alpha", "/alpha", more="tags: [{name: t}]\n")
    project.simple("beta", "/beta", more="tags: [{name: t, description: Two.}]\n")
    assert project.found() == []
    assert plain(project.api().document["tags"]) == [{"name": "t", "description": "Two."}]


CATS = """\
components:
  schemas:
    Cat: {{type: object, properties: {{kind: {{type: string}}, lives: {{type: integer, minimum: {lives}}}}}}}
    {pet}: {{oneOf: [{{$ref: "#/components/schemas/Cat"}}], discriminator: {{propertyName: kind}}}}
    {parent}: {{type: object, discriminator: {{propertyName: kind}}}}
    Lion: {{allOf: [{{$ref: "#/components/schemas/{parent}"}}, {{minProperties: {lives}}}]}}
"""


def test_a_renamed_schema_keeps_the_value_that_tells_it_apart(project: Project) -> None:
    project.simple("alpha", "/alpha", more=CATS.format(lives=9, pet="Pet", parent="Animal"))
    project.simple("beta", "/beta", more=CATS.format(lives=7, pet="Friend", parent="Beast"))
    schemas = Node.of(project.api().document).at("/components/schemas")
    assert schemas is not None
    mappings = {
        name: plain(mapping.value)
        for name, node in schemas.members()
        if (mapping := node.at("/discriminator/mapping"))
    }
    assert mappings == {
        "Pet": {"Cat": "#/components/schemas/AlphaCat"},
        "Animal": {"Lion": "#/components/schemas/AlphaLion"},
        "Friend": {"Cat": "#/components/schemas/BetaCat"},
        "Beast": {"Lion": "#/components/schemas/BetaLion"},
    }


def test_a_chosen_name_takes_no_other_component_s_place(project: Project) -> None:
    more = PROBLEM + "    AlphaProblem: {{type: string}}\n"
    project.simple("alpha", "/alpha", more=more.format(minimum=1))
    project.simple("beta", "/beta", more=PROBLEM.format(minimum=2))
    names = [component.name.wire for component in project.api().components]
    assert names == ["AlphaProblem2", "AlphaProblem", "BetaProblem"]


def test_webhooks_that_differ_are_refused(project: Project) -> None:
    hook = "webhooks: {{done: {{post: {{responses: {{default: {{description: {said}}}}}}}}}}}\n"
    project.simple("alpha", "/alpha", more=hook.format(said="One."))
    project.simple("beta", "/beta", more=hook.format(said="Two."))
    assert ("DH035", "spec/services/beta.yaml:14:12") in project.found()


def test_a_reference_to_a_path_that_others_share_is_refused_where_it_cannot_follow(project: Project) -> None:
    reference = "components: {callbacks: {C: {'{$url}': {$ref: '#/paths/~1same'}}}}\n"
    project.simple("alpha", "/same", more=reference)
    project.simple("beta", "/same", method="delete")
    assert ("DH039", "spec/services/alpha.yaml:14:47") in project.found()


def test_templates_that_match_one_path_are_shown_with_it_and_both_places(project: Project) -> None:
    parameter = "parameters: [{{name: {name}, in: path, required: true, schema: {{type: string}}}}]"
    for service, name in (("alpha", "id"), ("beta", "key")):
        project.simple(service, f"/users/{{{name}}}")
        file = project.root / f"spec/services/{service}.yaml"
        text = file.read_text().replace("    get:", f"    {parameter.format(name=name)}\n    get:")
        file.write_text(text)
    (found,) = project.build().diagnostics.errors
    assert (found.code, str(found.source)) == ("DH034", "spec/services/beta.yaml:7:5")
    assert "/users/x would match both" in found.message
    assert [str(related.source) for related in found.related] == ["spec/services/alpha.yaml:7:5"]


def test_the_merged_document_says_everything_that_targets_need(project: Project) -> None:
    project.simple("alpha", "/alpha")
    facts = Node.of(project.api().document).get("x-dhatu")
    assert facts is not None
    assert [key for key, _ in facts.members()] == ["versions", "services"]
    own = Node.of(project.api().document).at("/paths/~1alpha/get/x-dhatu/service")
    assert own is not None
    assert own.value == "alpha"


def without_places(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_places(member) for key, member in value.items() if key != "source"}
    return [without_places(element) for element in value] if isinstance(value, list) else value


def test_the_platforms_merged_document_is_valid_and_says_all_that_the_services_do() -> None:
    api = build(REPOSITORY, targets=()).api
    assert api is not None
    diagnostics = Diagnostics()
    merged = load(REPOSITORY, MERGED_FILE, diagnostics)
    assert merged is not None
    assert list(OpenAPIV31SpecValidator(cast(dict[str, Any], plain(merged))).iter_errors()) == []
    read_back = parse(merged, diagnostics)
    assert diagnostics.all == ()
    assert without_places(to_plain(read_back)) == without_places(to_plain(api))
    assert {str(operation.source).split(":")[0] for operation in api.operations} == {
        f"spec/services/{service.name}.yaml" for service in api.services
    }


def test_a_reference_to_a_parameter_of_a_path_follows_it_into_an_operation(project: Project) -> None:
    project.simple("alpha", "/same")
    project.simple("beta", "/same", method="delete")
    file = project.root / "spec/services/beta.yaml"
    common = "    parameters: [{name: a, in: query, schema: {type: integer}, example: 1}]\n"
    referred = "components: {parameters: {A: {$ref: '#/paths/~1same/parameters/0'}}}\n"
    file.write_text(file.read_text().replace("    delete:", f"{common}    delete:") + referred)
    document = project.api().document
    reference = Node.of(document).at("/components/parameters/A")
    assert reference is not None
    assert reference.text("$ref") == "#/paths/~1same/delete/parameters/0"
    assert Node.of(document).at("/paths/~1same/delete/parameters/0/name") is not None


def test_methods_of_openapi_3_2_are_carried(project: Project) -> None:
    project.simple("alpha", "/same")
    project.simple("beta", "/same", method="query")
    for name in ("alpha", "beta"):
        file = project.root / f"spec/services/{name}.yaml"
        file.write_text(file.read_text().replace("3.1.1", "3.2.0"))
    assert [(item.service, item.method) for item in project.api().operations] == [
        ("alpha", "GET"),
        ("beta", "QUERY"),
    ]
