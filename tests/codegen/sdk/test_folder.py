"""The folder of an SDK: nothing of somebody else's is ever lost."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from dhatu_codegen.sdk.folder import MANIFEST, FolderError, write_sdk
from dhatu_codegen.targets.base import GeneratedFile


def files(**texts: str) -> tuple[GeneratedFile, ...]:
    return tuple(GeneratedFile(path=f"src/{name}.py", text=text) for name, text in texts.items())


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


def test_what_was_written_before_is_replaced_and_removed_and_nothing_else(tmp_path: Path) -> None:
    write_sdk(tmp_path, files(a="1", b="1", c="1"))
    (tmp_path / "notes.md").write_text("mine", encoding="utf-8")
    changed = write_sdk(tmp_path, files(a="1", b="2", d="1"))
    assert (changed.stale, changed.missing, changed.orphaned) == (
        ("src/b.py",),
        ("src/d.py",),
        ("src/c.py",),
    )
    assert content(tmp_path) == {"src/a.py": "1", "src/b.py": "2", "src/d.py": "1", "notes.md": "mine"}
    assert not write_sdk(tmp_path, files(a="1", b="2", d="1"))


@pytest.mark.parametrize("wanted", [files(a="2", b="1"), files(b="1")])
def test_a_file_that_somebody_edited_is_neither_replaced_nor_removed(
    wanted: tuple[GeneratedFile, ...], tmp_path: Path
) -> None:
    write_sdk(tmp_path, files(a="1"))
    (tmp_path / "src/a.py").write_text("edited", encoding="utf-8")
    with pytest.raises(FolderError, match=r"not as codegen wrote it.*\n  src/a\.py$"):
        write_sdk(tmp_path, wanted)
    assert content(tmp_path) == {"src/a.py": "edited"}


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(FolderError, match="is not empty"):
        write_sdk(tmp_path, files(a="1"))
    assert content(tmp_path) == {"notes.md": "mine"}


def test_a_list_of_files_that_leads_out_of_the_folder_removes_nothing_there(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("kept", encoding="utf-8")
    folder = tmp_path / "sdk"
    write_sdk(folder, files(a="1"))
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"]["../outside.txt"] = sha256(b"kept").hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    write_sdk(folder, files(a="1"))
    assert outside.read_text(encoding="utf-8") == "kept"


def test_a_broken_list_of_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("[]", encoding="utf-8")
    with pytest.raises(FolderError, match="is no manifest"):
        write_sdk(tmp_path, files(a="1"))
