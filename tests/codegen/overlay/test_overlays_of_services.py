"""Overlays where platform.yaml names them: between the upgrade and the check."""

from __future__ import annotations

from textwrap import dedent, indent

from codegen.project import Project


def overlay(project: Project, name: str, actions: str) -> None:
    folder = project.root / "spec" / "overlays"
    folder.mkdir(exist_ok=True)
    head = "overlay: 1.1.0\ninfo: {title: O, version: 1.0.0}\nactions:\n"
    (folder / f"{name}.yaml").write_text(head + indent(dedent(actions), "  "))
    platform = project.root / "spec" / "platform.yaml"
    named = platform.read_text().replace(".yaml]}", f".yaml, overlays/{name}.yaml]}}")
    if named == platform.read_text():
        named = named.replace("alpha.yaml}", f"alpha.yaml, overlays: [overlays/{name}.yaml]}}")
    platform.write_text(named)


def test_the_overlays_of_a_service_apply_in_their_order_before_the_merge(project: Project) -> None:
    project.simple("alpha", "/alpha")
    overlay(project, "first", "- {target: $.paths.*.get, update: {summary: First, deprecated: true}}\n")
    overlay(project, "second", "- {target: '$.paths.*[?@.deprecated].summary', update: Second}\n")
    operation = project.operation("alpha.alpha")
    assert (operation.summary, operation.deprecated) == ("Second", True)


def test_a_mistake_that_an_overlay_makes_is_shown_in_the_overlay(project: Project) -> None:
    project.simple("alpha", "/alpha")
    overlay(project, "wrong", "- {target: $.paths.*.get, update: {x-dhatu: {timeout: 5}}}\n")
    assert project.found() == [("DH010", "spec/overlays/wrong.yaml:4:48")]


def test_an_overlay_sees_a_3_0_document_in_the_words_of_3_1(project: Project) -> None:
    project.simple("alpha", "/alpha", more="components: {schemas: {A: {type: string, nullable: true}}}\n")
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace("3.1.1", "3.0.3"))
    overlay(project, "types", "- {target: $.components.schemas.A.type, update: integer}\n")
    assert project.api().document["components"] == {"schemas": {"A": {"type": ["string", "null", "integer"]}}}


def test_an_overlay_that_is_not_there_is_reported_where_the_platform_names_it(project: Project) -> None:
    project.simple("alpha", "/alpha")
    overlay(project, "gone", "")
    (project.root / "spec/overlays/gone.yaml").unlink()
    assert project.found() == [("DH001", "spec/platform.yaml:4:49")]


def test_an_overlay_of_two_services_that_gives_both_the_same_id_is_found_out(project: Project) -> None:
    project.simple("alpha", "/alpha")
    project.simple("beta", "/beta")
    overlay(project, "same", "- {target: $.paths.*.get, update: {operationId: same}}\n")
    platform = project.root / "spec/platform.yaml"
    platform.write_text(
        platform.read_text().replace("beta.yaml}", "beta.yaml, overlays: [overlays/same.yaml]}")
    )
    assert ("DH031", "spec/overlays/same.yaml:4:51") in project.found()
