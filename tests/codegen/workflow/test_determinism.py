"""The same specs give the same bytes: whatever the hash seed, the folder, the locale, the order of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from codegen.project import REPOSITORY
from codegen.workflow.files import tree

COMMAND = [sys.executable, "-c", "from dhatu_codegen.entry import main; main()", "generate"]


def copy_specs(folder: Path, *, backwards: bool) -> None:
    """The specs alone, created in one order or the other, which some file systems list them in."""
    names = sorted(
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "spec").rglob("*")
        if path.is_file() and "generated" not in path.parts
    )
    for name in reversed(names) if backwards else names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((REPOSITORY / name).read_bytes())


def generate_in(folder: Path, **environment: str) -> dict[str, bytes]:
    """Run the command in a process of its own, and give every file."""
    subprocess.run(COMMAND, cwd=folder, env={**os.environ, **environment}, check=True, capture_output=True)
    return tree(folder)


def test_the_same_specs_give_the_same_bytes_anywhere(tmp_path: Path) -> None:
    first, second = tmp_path / "copy", tmp_path / "another-copy" / "deep" / "ein Ordner"
    copy_specs(first, backwards=False)
    copy_specs(second, backwards=True)
    ours = generate_in(first, PYTHONHASHSEED="1", LC_ALL="C", TZ="UTC", PYTHONUTF8="0")
    theirs = generate_in(second, PYTHONHASHSEED="4242", LC_ALL="C.UTF-8", TZ="Asia/Kolkata", COLUMNS="40")
    assert [path for path in {**ours, **theirs} if ours.get(path) != theirs.get(path)] == []
    assert str(tmp_path).encode() not in b"".join(ours.values())
