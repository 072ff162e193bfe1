"""`websocket` of x-dhatu: operations that open one."""

from __future__ import annotations

import dataclasses

import pytest
from codegen.project import Project
from dhatu_codegen.diff.rules.gateway import compared
from dhatu_codegen.ir.policy import WebSocket
from dhatu_codegen.targets import TARGETS


def write(project: Project, own: str, *, method: str = "get", extra: str = "", defaults: str = "{}") -> None:
    project.simple("alpha", "/alpha")
    file = project.root / "spec/services/alpha.yaml"
    text = file.read_text().replace("    get:\n", f"    {method}:\n")
    file.write_text(text.replace("      responses:\n", f"{extra}      x-dhatu: {own}\n      responses:\n"))
    project.platform(f"defaults: {defaults}\n")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("{}", None),
        ("{websocket: false}", None),
        ("{websocket: null}", None),
        ("{websocket: true}", WebSocket(idle_s=300.0)),
        ("{websocket: {}}", WebSocket(idle_s=300.0)),
        ("{websocket: {idle_s: 20}}", WebSocket(idle_s=20.0)),
    ],
)
def test_an_operation_says_that_it_is_one(project: Project, own: str, expected: WebSocket | None) -> None:
    write(project, own)
    [operation] = project.api().operations
    assert operation.policy.websocket == expected


BODY = "      requestBody: {content: {text/plain: {schema: {type: string}}}}\n"


@pytest.mark.parametrize(
    ("method", "extra", "defaults", "problem"),
    [
        ("post", "", "{}", "its method is POST, not GET"),
        ("get", BODY, "{}", "it has a body"),
        ("get", "", "{cache: {ttl_s: 5}}", "its answers are kept by a cache"),
        ("get", "", "{fallback: {status: 200, body: 1}}", "it has a fallback"),
    ],
)
def test_what_nobody_can_open_is_none(
    project: Project, method: str, extra: str, defaults: str, problem: str
) -> None:
    write(project, "{websocket: true}", method=method, extra=extra, defaults=defaults)
    found = [error for error in project.build().diagnostics.errors if error.code == "DH016"]
    assert [problem in error.message for error in found] == [True]
    assert found[0].source.file == "spec/services/alpha.yaml"


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        (None, WebSocket(idle_s=1), "DH236"),
        (WebSocket(idle_s=1), None, "DH236"),
        (WebSocket(idle_s=1), WebSocket(idle_s=2), "DH219"),
        (WebSocket(idle_s=1), WebSocket(idle_s=1), ""),
    ],
)
def test_a_caller_is_told_of_a_change(
    project: Project, was: WebSocket | None, now: WebSocket | None, code: str
) -> None:
    write(project, "{}")
    [operation] = project.api().operations
    before, after = (dataclasses.replace(operation.policy, websocket=each) for each in (was, now))
    assert [found for found, _ in compared(before, after)] == [code] * bool(code)


def test_every_target_takes_it(project: Project) -> None:
    write(project, "{websocket: true}")
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace('"204": {description: Done.}', '"101": {description: Opened.}'))
    built = project.build(TARGETS)
    assert [str(error) for error in built.diagnostics.all if error.code == "DH013"] == []
    assert built.diagnostics.errors == ()


def test_the_sdks_have_no_method_for_it_and_say_so(project: Project) -> None:
    project.simple("beta", "/beta")
    write(project, "{websocket: true}")
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace('"204": {description: Done.}', '"101": {description: Opened.}'))
    built = project.build(TARGETS)
    [note] = [found for found in built.diagnostics.all if found.code == "DH091"]
    assert (note.severity, note.source.file) == ("note", "spec/services/alpha.yaml")
    texts = {file.path: file.text for file in built.files}
    sdks = [text for path, text in texts.items() if path.startswith("sdk-")]
    assert sdks
    assert any("/beta" in text for text in sdks)
    assert not any("/alpha" in text for text in sdks)
    assert "/alpha" in texts["gateway/src/dhatu_gateway/generated/routes.py"]
