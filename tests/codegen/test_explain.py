"""The explanation of every code."""

from __future__ import annotations

import pytest
from dhatu_codegen.cli import app
from dhatu_codegen.diagnostics import CODES
from dhatu_codegen.explanations import explanation
from typer.testing import CliRunner

WANTED = "add `## DH... title` with an indented example and a paragraph `Mend:` to a file in explanations/"


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_text_an_example_and_a_way_to_mend_it(code: str) -> None:
    text = explanation(code)
    assert text, f"{code} has no explanation: {WANTED}"
    assert "\n    " in text, f"the explanation of {code} shows no example: {WANTED}"
    assert "\nMend: " in text, f"the explanation of {code} does not say how to mend it: {WANTED}"


def test_explain_tells_about_one_code() -> None:
    ran = CliRunner().invoke(app, ["explain", "dh031"])
    assert ran.exit_code == 0
    assert ran.stdout.startswith("DH031 (error): the same operationId twice\n\n")
    assert explanation("DH031") in ran.stdout


def test_explain_without_a_code_lists_them_all() -> None:
    ran = CliRunner().invoke(app, ["explain"])
    assert [line.split()[0] for line in ran.stdout.splitlines()] == sorted(CODES)


def test_an_unknown_code_is_wrong_usage_with_a_suggestion() -> None:
    ran = CliRunner().invoke(app, ["explain", "DH0311"])
    assert ran.exit_code == 2
    assert "did you mean DH031?" in ran.stderr
