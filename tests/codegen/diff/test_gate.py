"""The gate inside `generate`, the commands, and where documents are read from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from codegen.diff.documents import DOCUMENT, TODAY, changed
from codegen.project import Project
from dhatu_codegen.cli import app
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.diff.command import diff_documents, verdict
from dhatu_codegen.diff.gate import RELEASED_FILE, compare_with_released
from dhatu_codegen.pipeline import read_spec, release_document
from typer.testing import CliRunner


def released(project: Project) -> Project:
    project.simple("alpha", "/alpha")
    assert release_document(project.root).all == ()
    return project


def test_what_was_released_does_not_break_itself(project: Project) -> None:
    assert released(project).found() == []
    assert (project.root / RELEASED_FILE).read_text().startswith("# ")


def test_a_break_of_the_released_api_stops_generation_where_it_was_written(project: Project) -> None:
    released(project).simple("alpha", "/alpha", id="omega")
    built = project.build()
    assert built.files == ()
    (found,) = built.diagnostics.errors
    assert (found.code, str(found.source)) == ("DH240", "spec/services/alpha.yaml:7:7")
    (related,) = found.related
    assert related.source.file == RELEASED_FILE


def test_an_addition_does_not_stop_generation(project: Project) -> None:
    released(project).simple("beta", "/beta")
    built = project.build()
    assert built.files != ()
    assert built.diagnostics.all == ()


def test_an_accepted_break_lets_generation_pass(project: Project) -> None:
    released(project).simple("alpha", "/alpha", id="omega")
    entry = "breaks: [{rule: DH240, where: GET /alpha, reason: Nobody calls it., expires: 2999-01-01}]\n"
    (project.root / "spec" / "accepted-breaks.yaml").write_text(entry)
    built = project.build()
    assert built.files != ()
    assert built.diagnostics.all == ()


def test_the_gate_judges_by_the_date_it_is_given(project: Project) -> None:
    released(project).simple("alpha", "/alpha", id="omega")
    entry = f"breaks: [{{rule: DH240, where: GET /alpha, reason: A trial., expires: {TODAY}}}]\n"
    (project.root / "spec" / "accepted-breaks.yaml").write_text(entry)
    for day, expected in ((TODAY, []), (TODAY.replace(year=2027), ["DH256", "DH240"])):
        diagnostics = Diagnostics()
        merged = read_spec(project.root, diagnostics)
        assert merged is not None
        compare_with_released(project.root, merged, day, diagnostics)
        assert [found.code for found in diagnostics.errors] == expected


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.yaml").write_text(DOCUMENT)
    (tmp_path / "new.yaml").write_text(changed(("maximum: 50", "maximum: 40")))
    return tmp_path


def test_the_command_fails_where_something_breaks(files: Path) -> None:
    result = CliRunner().invoke(app, ["diff", "old.yaml", "new.yaml", "--today", "2026-06-01"])
    assert result.exit_code == 1
    assert "new.yaml:14:58 error[DH205] WIRE: " in result.output
    assert "the changes ask for a major version; info.version did not grow" in result.output
    same = CliRunner().invoke(app, ["diff", "old.yaml", "old.yaml"])
    assert (same.exit_code, same.output) == (0, "nothing changed\n")
    assert CliRunner().invoke(app, ["diff", "old.yaml", "new.yaml", "--today", "soon"]).exit_code == 2


def test_a_document_may_come_from_a_git_revision(files: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "old.yaml"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], cwd=files, check=True)
    diagnostics = Diagnostics()
    answer = diff_documents(("git:HEAD:old.yaml", "new.yaml"), "", TODAY, diagnostics)
    assert answer is not None
    assert verdict(answer) == "the changes ask for a major version; info.version did not grow"
    (found,) = diagnostics.errors
    assert str(found.related[0].source) == "git:HEAD:old.yaml:14:58"


@pytest.mark.parametrize("location", ["missing.yaml", "git:HEAD:missing.yaml", "git:--help"])
def test_a_document_that_cannot_be_read_is_an_error(files: Path, location: str) -> None:
    diagnostics = Diagnostics()
    assert diff_documents((location, "new.yaml"), "", TODAY, diagnostics) is None
    assert [found.code for found in diagnostics.errors] == ["DH001"]


def test_a_document_of_openapi_3_0_is_upgraded_first(files: Path) -> None:
    head = "openapi: {version}\ninfo: {{title: T, version: '1'}}\npaths: {{}}\n"
    text = head + "components: {{schemas: {{A: {schema}}}}}\n"
    (files / "old.yaml").write_text(text.format(version="3.0.3", schema="{type: string, nullable: true}"))
    (files / "new.yaml").write_text(text.format(version="3.1.0", schema="{type: [string, 'null']}"))
    diagnostics = Diagnostics()
    answer = diff_documents(("old.yaml", "new.yaml"), "", TODAY, diagnostics)
    assert answer is not None
    assert answer.changes == ()
