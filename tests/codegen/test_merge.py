"""One document out of many: what is shared, what is refused, what moves."""

from __future__ import annotations

from typing import Any, cast

from codegen.project import REPOSITORY, Project
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Node, plain
from dhatu_codegen.ir.security import Credential, Requirement
from dhatu_codegen.load import load
from dhatu_codegen.parse.document import parse
from dhatu_codegen.pipeline import MERGED_FILE, build
from dhatu_codegen.show import to_plain
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


def test_components_that_differ_are_refused_and_both_places_are_named(project: Project) -> None:
    project.simple("alpha", "/alpha", more=PROBLEM.format(minimum=400))
    project.simple("beta", "/beta", more=PROBLEM.format(minimum=100))
    (found,) = project.build().diagnostics.errors
    assert found.code == "DH032"
    assert "/properties/status/minimum" in found.message
    assert str(found.source) == "spec/services/beta.yaml:16:5"
    assert [str(related.source) for related in found.related] == ["spec/services/alpha.yaml:16:5"]
    assert project.build().files == ()


def test_one_and_one_point_zero_and_true_are_different_values(project: Project) -> None:
    project.simple("alpha", "/alpha", more=PROBLEM.format(minimum=1))
    project.simple("beta", "/beta", more=PROBLEM.format(minimum=1.0))
    assert [code for code, _ in project.found()] == ["DH032"]


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


def test_what_a_shared_path_says_for_all_methods_must_be_the_same(project: Project) -> None:
    project.simple("alpha", "/same")
    project.simple("beta", "/same", method="delete")
    file = project.root / "spec/services/beta.yaml"
    file.write_text(file.read_text().replace("    delete:", "    summary: Other\n    delete:"))
    assert ("DH035", "spec/services/beta.yaml:5:3") in project.found()


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
    assert (policy.validate.request, policy.validate.response) == ("enforce", "log")


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


def test_what_the_merge_leaves_out_is_said(project: Project) -> None:
    project.simple("alpha", "/alpha", more="servers: [{url: https://example.org}]\n")
    assert project.found() == [("DH024", "spec/services/alpha.yaml:14:1")]


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
