"""Everything or nothing, both ways, and only where codegen owns the place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from codegen.project import REPOSITORY, Project
from dhatu_codegen.cli import app
from dhatu_codegen.targets.base import GeneratedFile
from dhatu_codegen.write import compare, write
from typer.testing import CliRunner

RUNNER = CliRunner()


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def file(path: str, text: str = "text") -> GeneratedFile:
    return GeneratedFile(path=path, text=text)


def test_what_is_stale_missing_or_orphaned_is_found(tmp_path: Path) -> None:
    (tmp_path / "a/generated/deep").mkdir(parents=True)
    (tmp_path / "a/generated/stale.py").write_text("old")
    (tmp_path / "a/generated/deep/orphan.py").write_text("nobody renders this")
    (tmp_path / "a/by_hand.py").write_text("somebody's own")
    (tmp_path / "a/generated/__pycache__").mkdir()
    (tmp_path / "a/generated/__pycache__/x.pyc").write_text("")
    files = (file("a/generated/stale.py"), file("a/generated/new/file.py"))

    found = compare(tmp_path, files)

    assert found.stale == ("a/generated/stale.py",)
    assert found.missing == ("a/generated/new/file.py",)
    assert found.orphaned == ("a/generated/deep/orphan.py",)
    assert write(tmp_path, files) == found
    assert not compare(tmp_path, files)
    assert sorted(path for path in tree(tmp_path) if "__pycache__" not in path) == [
        "a/by_hand.py",
        "a/generated/new/file.py",
        "a/generated/stale.py",
    ]
    assert not (tmp_path / "a/generated/deep").exists()


def test_a_current_file_is_not_touched(tmp_path: Path) -> None:
    write(tmp_path, (file("generated/a.py"),))
    os.utime(tmp_path / "generated/a.py", (1, 1))
    write(tmp_path, (file("generated/a.py"), file("generated/b.py")))
    assert (tmp_path / "generated/a.py").stat().st_mtime == 1


@pytest.mark.parametrize("path", ["src/a.py", "generated", "/generated/a.py", "generated/../a.py"])
def test_codegen_writes_nowhere_else(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="generated"):
        write(tmp_path, (file(path),))
    assert tree(tmp_path) == {}


def test_a_file_that_cannot_be_written_leaves_all_others_as_they_were(tmp_path: Path) -> None:
    write(tmp_path, (file("generated/a.py", "old"),))
    (tmp_path / "generated/taken").write_text("a file where a folder must go")
    before = tree(tmp_path)
    with pytest.raises(OSError, match="taken"):
        write(tmp_path, (file("generated/a.py", "new"), file("generated/taken/b.py")))
    assert tree(tmp_path) == before


def run(project: Project, *arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(app, [*arguments, "--root", str(project.root)])
    return result.exit_code, result.output


def test_generate_then_check_then_drift(project: Project) -> None:
    project.simple("alpha", "/alpha")
    assert run(project, "generate", "--check")[0] == 1
    assert run(project, "generate")[0] == 0
    assert run(project, "generate", "--check")[0] == 0
    generated = project.root / "gateway/src/dhatu_gateway/generated"
    (generated / "routes.py").write_text("edited by hand")
    (generated / "models.py").unlink()
    (generated / "extra.py").write_text("left behind")
    before = tree(project.root)

    code, output = run(project, "generate", "--check")

    assert code == 1
    assert [line.split() for line in output.splitlines()[1:4]] == [
        ["stale", "gateway/src/dhatu_gateway/generated/routes.py"],
        ["missing", "gateway/src/dhatu_gateway/generated/models.py"],
        ["orphaned", "gateway/src/dhatu_gateway/generated/extra.py"],
    ]
    assert "make generate" in output
    assert tree(project.root) == before
    assert run(project, "generate")[0] == 0
    assert run(project, "generate", "--check")[0] == 0


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


def generate_in(folder: Path, seed: str) -> dict[str, bytes]:
    """Run the command in a process of its own, in another folder, locale and order of hashes."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": f"UTC{seed}"}
    command = [sys.executable, "-c", "from dhatu_codegen.cli import app; app()", "generate"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return tree(folder)


def test_the_same_specs_give_the_same_bytes_anywhere(tmp_path: Path) -> None:
    found: list[dict[str, bytes]] = []
    for seed in ("1", "2"):
        folder = tmp_path / f"copy-{seed}" / ("deep" * int(seed))
        (folder / "spec/services").mkdir(parents=True)
        names = ["platform.yaml", "x-dhatu.schema.json", *sorted(os.listdir(REPOSITORY / "spec/services"))]
        for name in names if seed == "1" else reversed(names):
            part = "" if name in names[:2] else "services/"
            (folder / "spec" / part / name).write_bytes((REPOSITORY / "spec" / part / name).read_bytes())
        found.append(generate_in(folder, seed))
    assert found[0] == found[1]
    assert str(tmp_path).encode() not in b"".join(found[0].values())


def test_the_committed_files_are_current() -> None:
    result = RUNNER.invoke(app, ["generate", "--check", "--root", str(REPOSITORY)])
    assert result.exit_code == 0, result.output
