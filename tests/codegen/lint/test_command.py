"""`dhatu-codegen lint`, and the switches of platform.yaml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from codegen.lint.clean import CLEAN
from codegen.project import REPOSITORY, Project
from dhatu_codegen.cli import app
from dhatu_codegen.commands.lint import lint_platform
from typer.testing import CliRunner, Result


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["lint", *arguments])


def codes(project: Project) -> dict[str, str]:
    """Code to severity of everything that the rules find in a platform."""
    return {found.code: found.severity for found in lint_platform(project.root).all}


def test_the_platforms_own_specs_are_in_order() -> None:
    assert [str(found) for found in lint_platform(REPOSITORY).all] == []


def test_any_document_can_be_linted(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(CLEAN.replace("summary: List items", "summary: Lists all of the items."))
    ran = run(str(file), "--format", "json")
    assert ran.exit_code == 1
    found = {item["code"]: item for item in json.loads(ran.stdout)["diagnostics"]}
    assert found["DH116"]["line"] == 26
    assert found["DH116"]["file"] == str(file)


def test_several_documents_make_one_report(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(CLEAN.replace("[s, m]", "[s, s]"))
    ran = run(str(tmp_path / "two.yaml"), str(tmp_path / "one.yaml"), "--format", "json")
    read = json.loads(ran.stdout)["diagnostics"]
    assert [Path(item["file"]).stem for item in read if item["code"] == "DH103"] == ["one", "two"]


@pytest.mark.parametrize(("fail_on", "exit_code"), [("error", 0), ("warning", 1), ("note", 1)])
def test_the_gentlest_severity_that_counts_can_be_chosen(
    project: Project, fail_on: str, exit_code: int
) -> None:
    project.simple("alpha", "/alpha/")
    assert codes(project)["DH100"] == "warning"
    assert run("--root", str(project.root), "--fail-on", fail_on).exit_code == exit_code


def test_a_folder_without_a_platform_is_wrong_usage(tmp_path: Path) -> None:
    assert run("--root", str(tmp_path)).exit_code == 2


@pytest.mark.parametrize(
    ("severity", "found"), [('"off"', None), ("off", None), ("note", "note"), ("error", "error")]
)
def test_a_rule_is_switched_in_the_platform(project: Project, severity: str, found: str | None) -> None:
    project.simple("alpha", "/alpha/")
    assert codes(project)["DH100"] == "warning"
    project.platform(f"lint: {{DH100: {{severity: {severity}, reason: clients know it}}}}\n")
    assert codes(project).get("DH100") == found


@pytest.mark.parametrize(
    ("switch", "code", "place"),
    [
        ("{DH999: {severity: note, reason: why}}", "DH010", "5:8"),
        ("{DH020: {severity: note, reason: why}}", "DH010", "5:8"),
        ("{DH158: {severity: note, reason: why}}", "DH010", "5:8"),
        ("{DH100: {severity: note}}", "DH011", "5:15"),
        ("{DH100: {severity: note, reason: ' '}}", "DH011", "5:40"),
        ("{DH100: {severity: loud, reason: why}}", "DH011", "5:26"),
    ],
)
def test_a_switch_needs_a_rule_a_severity_and_a_reason(
    project: Project, switch: str, code: str, place: str
) -> None:
    project.simple("alpha", "/alpha")
    project.platform(f"lint: {switch}\n")
    assert (code, f"spec/platform.yaml:{place}") in project.found()


def test_a_pattern_that_the_gateway_refuses_stops_generation(project: Project) -> None:
    project.simple("alpha", "/alpha", more="components: {schemas: {A: {type: string, pattern: '(?=a)b'}}}\n")
    assert project.found() == [("DH158", "spec/services/alpha.yaml:14:51")]
