"""`retry: {class: keyed}` of x-dhatu: one effect for each Idempotency-Key."""

from __future__ import annotations

import dataclasses

import pytest
from codegen.project import Project
from dhatu_codegen.diff.rules.gateway import compared
from dhatu_codegen.ir.policy import Idempotency, Policy


def policy(project: Project, retry: str) -> Policy:
    project.simple("alpha", "/alpha")
    file = project.root / "spec/services/alpha.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("      responses:\n", f"      x-dhatu: {{retry: {retry}}}\n      responses:\n")
    )
    project.platform()
    [operation] = project.api().operations
    return operation.policy


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ("{class: keyed}", Idempotency(keep_s=86_400, required=False)),
        ("{class: keyed, keep_s: 60, key_required: true}", Idempotency(keep_s=60, required=True)),
        ("{class: idempotent}", None),
    ],
)
def test_a_keyed_operation_keeps_its_answers(
    project: Project, retry: str, expected: Idempotency | None
) -> None:
    assert policy(project, retry).idempotency == expected


def test_keys_that_hold_less_or_are_newly_needed_may_break_callers(project: Project) -> None:
    was = policy(project, "{class: keyed}")
    shorter = dataclasses.replace(was, idempotency=Idempotency(keep_s=60, required=False))
    needed = dataclasses.replace(was, idempotency=Idempotency(keep_s=86_400, required=True))
    assert [code for code, _ in compared(was, shorter)] == ["DH236"]
    assert [code for code, _ in compared(was, needed)] == ["DH236"]
    assert [code for code, _ in compared(shorter, was)] != ["DH236"]
    assert compared(was, was) == []
