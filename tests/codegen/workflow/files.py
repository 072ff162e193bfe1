"""What the tests of the workflow share."""

from __future__ import annotations

from pathlib import Path

from codegen.project import Project
from dhatu_codegen.cli import app
from dhatu_codegen.targets.base import GeneratedFile
from dhatu_codegen.writing.manifest import Manifest, Output, read_manifest
from dhatu_codegen.writing.write import Difference, compare, write
from typer.testing import CliRunner

GATEWAY = "gateway/src/dhatu_gateway/generated"
RUNNER = CliRunner()


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def file(path: str, text: str = "text") -> GeneratedFile:
    return GeneratedFile(path=path, text=text)


def output(root: Path) -> Output:
    return Output(root=root, manifest="generated/manifest.json")


def put(root: Path, *files: GeneratedFile) -> Difference:
    """Write like a run without errors."""
    place = output(root)
    difference = compare(place, files, read_manifest(place))
    write(place, files, difference, Manifest())
    return difference


def run(project: Project, *arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(app, [*arguments, "--root", str(project.root)])
    return result.exit_code, result.output
