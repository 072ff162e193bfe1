"""The command: what it writes, what it refuses, what it leaves alone, and when it has nothing to do."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from codegen.project import REPOSITORY, Project
from codegen.workflow.files import GATEWAY, RUNNER, run, tree
from dhatu_codegen.cli import app


@pytest.fixture
def generated(project: Project) -> Project:
    """A project whose files are current."""
    project.simple("alpha", "/alpha")
    assert run(project, "generate")[0] == 0
    return project


def codes(output: str) -> list[str]:
    return re.findall(r"\[(DH\d+)\]", output)


def listed(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if line.startswith("  ")]


def test_generate_then_check_then_drift(generated: Project) -> None:
    for check in (["--check"], ["--check", "--full"]):
        assert run(generated, "generate", *check)[0] == 0
    folder = generated.root / GATEWAY
    (folder / "models.py").unlink()
    (folder / "extra.py").write_text("somebody's own")
    (generated.root / "spec/services/alpha.yaml").write_text(
        (generated.root / "spec/services/alpha.yaml").read_text().replace("A summary", "Another summary")
    )
    before = tree(generated.root)

    code, output = run(generated, "generate", "--check")

    assert code == 1
    assert ["missing", f"{GATEWAY}/models.py"] in listed(output)
    assert ["stale", f"{GATEWAY}/openapi.json"] in listed(output)
    assert ["foreign", f"{GATEWAY}/extra.py"] in listed(output)
    assert "make generate" in output
    assert tree(generated.root) == before
    code, output = run(generated, "generate")
    assert code == 0
    assert codes(output) == ["DH071"]
    assert f"{GATEWAY}/extra.py:1:1 warning" in output
    assert (folder / "extra.py").read_text() == "somebody's own"
    assert run(generated, "generate", "--check")[0] == 1
    (folder / "extra.py").unlink()
    assert run(generated, "generate", "--check")[0] == 0


def test_a_check_without_a_manifest_fails(generated: Project) -> None:
    (generated.root / "spec/generated/manifest.json").unlink()
    code, output = run(generated, "generate", "--check")
    assert (code, listed(output)) == (1, [["missing", "spec/generated/manifest.json"]])


def test_a_hand_edit_is_refused_by_name_and_line(generated: Project) -> None:
    routes = generated.root / GATEWAY / "routes.py"
    lines = routes.read_text().splitlines(keepends=True)
    routes.write_text("".join([*lines[:2], "edited\n", *lines[3:]]))
    before = tree(generated.root)

    code, output = run(generated, "generate")

    assert code == 1
    assert codes(output) == ["DH070"]
    assert f"{GATEWAY}/routes.py:3:1 error" in output
    assert "generate --force" in output
    assert tree(generated.root) == before
    code, output = run(generated, "generate", "--check")
    assert (code, listed(output)) == (1, [["edited", f"{GATEWAY}/routes.py"]])
    code, output = run(generated, "generate", "--force")
    assert code == 0
    assert f"overwrote {GATEWAY}/routes.py" in output
    assert routes.read_text() == "".join(lines)


def test_a_file_in_the_way_is_not_overwritten(project: Project) -> None:
    project.simple("alpha", "/alpha")
    routes = project.root / GATEWAY / "routes.py"
    routes.parent.mkdir(parents=True)
    routes.write_text("mine")
    code, output = run(project, "generate")
    assert code == 1
    assert codes(output) == ["DH072"]
    assert routes.read_text() == "mine"
    assert run(project, "generate", "--force")[0] == 0
    assert routes.read_text() != "mine"


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", '{"format": 0}', '{"format": 1}', "[]"])
def test_a_manifest_that_cannot_be_read_stops_the_run(generated: Project, text: str) -> None:
    manifest = generated.root / "spec/generated/manifest.json"
    manifest.write_text(text)
    code, output = run(generated, "generate")
    assert code == 1
    assert "DH073" in codes(output)
    assert "spec/generated/manifest.json:1:1 error" in output
    assert run(generated, "generate", "--check")[0] == 1
    assert run(generated, "generate", "--force")[0] == 0
    assert run(generated, "generate", "--check")[0] == 0


def test_a_disk_that_refuses_is_told_in_a_sentence(project: Project) -> None:
    project.simple("alpha", "/alpha")
    (project.root / "gateway").write_text("a file where a folder must go")
    before = tree(project.root)
    code, output = run(project, "generate")
    assert code == 1
    assert "gateway" in output
    assert "nothing was written" in output
    assert tree(project.root) == before


def test_check_goes_neither_with_force_nor_with_watch(generated: Project) -> None:
    for option in ("--force", "--watch"):
        assert run(generated, "generate", "--check", option)[0] == 2


def test_a_run_without_changes_says_how_many_warnings_there_were(project: Project) -> None:
    project.simple("alpha", "/alpha")
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace("      summary: A summary\n", ""))
    code, output = run(project, "generate")
    assert "warning[DH040]" in output
    code, output = run(project, "generate")
    assert code == 0
    assert "warning[DH040]" not in output
    assert "1 warning when they were generated, see `--full`" in output
    assert "warning[DH040]" in run(project, "generate", "--full")[1]


def test_an_error_in_one_document_writes_nothing(project: Project) -> None:
    project.simple("alpha", "/alpha")
    run(project, "generate")
    project.simple("alpha", "/changed")
    project.simple("beta", "/beta", more="x-dhatu: {timeout: 1}\n")
    before = tree(project.root)

    code, output = run(project, "generate")

    assert code == 1
    assert "spec/services/beta.yaml:14:11 error[DH010]" in output
    assert "nothing was written" in output
    assert tree(project.root) == before


def test_wrong_usage_is_told_apart_from_wrong_specs(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.simple("alpha", "/alpha")
    assert run(project, "ir", "--op", "alpha.alfa") == (
        2,
        "there is no operation alpha.alfa; did you mean alpha.alpha?\n",
    )
    empty = RUNNER.invoke(app, ["generate", "--root", str(tmp_path_factory.mktemp("empty"))])
    assert empty.exit_code == 2
    assert "spec/platform.yaml" in empty.output


def test_ir_shows_one_operation_by_key_or_id(project: Project) -> None:
    project.simple("alpha", "/alpha", id="doIt")
    for name in ("alpha.do_it", "doIt"):
        code, output = run(project, "ir", "--op", name)
        assert code == 0
        assert "Operation alpha.do_it" in output
    code, output = run(project, "ir", "--json")
    assert code == 0
    assert '"path": "/alpha"' in output


IMPORTED = """
import sys
from dhatu_codegen.entry import main
sys.argv[1:] = ["generate", "--check"]
main()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_a_run_without_changes_imports_nothing_large(generated: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=generated.root, check=True, capture_output=True, text=True
    )
    said, imported = done.stdout.splitlines()
    assert said.endswith("generated files are current")
    assert {"typer", "rich", "yaml", "jinja2", "jsonschema_rs", "pydantic"} & set(imported.split()) == set()


def test_the_committed_files_are_current() -> None:
    result = RUNNER.invoke(app, ["generate", "--check", "--full", "--root", str(REPOSITORY)])
    assert result.exit_code == 0, result.output
