"""`validate` of x-dhatu: one word for the whole request, or one for each part."""

from __future__ import annotations

import dataclasses

import pytest
from codegen.project import Project
from dhatu_codegen.diff.rules.gateway import compared

PARTS = ("path", "query", "headers", "cookies", "body")


def validated(project: Project, own: str, defaults: str = "{}") -> dict[str, str]:
    project.simple("alpha", "/alpha")
    file = project.root / "spec/services/alpha.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("      responses:\n", f"      x-dhatu: {{validate: {own}}}\n      responses:\n")
    )
    project.platform(f"defaults: {{validate: {defaults}}}\n")
    [operation] = project.api().operations
    return dataclasses.asdict(operation.policy.validate)


@pytest.mark.parametrize(
    ("own", "defaults", "expected"),
    [
        ("{}", "{}", {}),
        ("{request: log}", "{}", dict.fromkeys(PARTS, "log")),
        ("{body: log}", "{}", {"body": "log"}),
        ("{}", "{headers: log}", {"headers": "log"}),
        ("{query: log}", "{body: log}", {"query": "log", "body": "log"}),
        ("{request: enforce}", "{body: log}", {}),
        ('{request: "off", path: log}', "{request: log}", dict.fromkeys(PARTS, "off") | {"path": "log"}),
    ],
)
def test_the_nearest_word_about_a_part_counts(
    project: Project, own: str, defaults: str, expected: dict[str, str]
) -> None:
    found = validated(project, own, defaults)
    assert {part: found[part] for part in PARTS} == dict.fromkeys(PARTS, "enforce") | expected


def test_a_part_that_is_newly_enforced_may_break_callers(project: Project) -> None:
    project.simple("alpha", "/alpha")
    [operation] = project.api().operations
    now = operation.policy
    was = dataclasses.replace(now, validate=dataclasses.replace(now.validate, body="log"))
    assert compared(was, now) == [("DH236", "validate.body was log, is enforce")]
    assert [code for code, _ in compared(now, was)] != ["DH236"]
