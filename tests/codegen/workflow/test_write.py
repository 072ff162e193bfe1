"""What counts as codegen's own, and what is done with the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from codegen.workflow.files import file, output, put, tree
from dhatu_codegen.writing.manifest import Manifest, Output, read_manifest
from dhatu_codegen.writing.write import compare, write


def test_each_kind_of_difference_is_told_apart(tmp_path: Path) -> None:
    kinds = ("kept", "stale", "gone", "missing", "edited", "edited_and_gone")
    put(tmp_path, *(file(f"generated/{kind}") for kind in kinds))
    (tmp_path / "generated/missing").unlink()
    for kind in ("edited", "edited_and_gone", "foreign", "blocked"):
        (tmp_path / "generated" / kind).write_text("by hand")
    (tmp_path / "generated/__pycache__").mkdir()
    (tmp_path / "generated/__pycache__/x.pyc").write_text("")
    (tmp_path / "by_hand").write_text("outside")

    wanted = [file("generated/kept")]
    wanted += [file(f"generated/{kind}", "new") for kind in ("stale", "missing", "edited", "blocked")]
    place = output(tmp_path)
    found = compare(place, wanted, read_manifest(place))

    assert found.stale == ("generated/stale",)
    assert found.missing == ("generated/missing",)
    assert found.orphaned == ("generated/gone",)
    assert found.edited == ("generated/edited", "generated/edited_and_gone")
    assert found.blocked == ("generated/blocked",)
    assert found.foreign == ("generated/foreign",)


def test_orphans_go_with_the_folders_that_they_leave_empty(tmp_path: Path) -> None:
    put(tmp_path, file("generated/a"), file("generated/deep/er/b"))
    assert put(tmp_path, file("generated/a")).orphaned == ("generated/deep/er/b",)
    assert sorted(tree(tmp_path)) == ["generated/a", "generated/manifest.json"]
    assert not (tmp_path / "generated/deep").exists()


def test_a_foreign_file_is_never_removed(tmp_path: Path) -> None:
    put(tmp_path, file("generated/deep/a"))
    (tmp_path / "generated/deep/foreign").write_text("mine")
    put(tmp_path, file("generated/b"))
    assert sorted(tree(tmp_path)) == ["generated/b", "generated/deep/foreign", "generated/manifest.json"]


def test_an_edit_that_equals_what_is_rendered_is_none(tmp_path: Path) -> None:
    put(tmp_path, file("generated/a", "old"))
    (tmp_path / "generated/a").write_text("new")
    assert not put(tmp_path, file("generated/a", "new"))
    assert not put(tmp_path, file("generated/a", "new"))


def test_a_current_file_is_not_touched(tmp_path: Path) -> None:
    put(tmp_path, file("generated/a.py"))
    os.utime(tmp_path / "generated/a.py", (1, 1))
    put(tmp_path, file("generated/a.py"), file("generated/b.py"))
    assert (tmp_path / "generated/a.py").stat().st_mtime == 1


@pytest.mark.parametrize("path", ["src/a.py", "generated", "/generated/a.py", "generated/../a.py"])
def test_codegen_writes_nowhere_else(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="generated"):
        put(tmp_path, file(path))
    assert tree(tmp_path) == {}


def test_a_path_is_rendered_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="twice"):
        put(tmp_path, file("generated/a"), file("generated/a"))


def test_a_folder_of_its_own_may_hold_other_files(tmp_path: Path) -> None:
    place = Output(root=tmp_path, manifest=".manifest.json", confined=False)
    (tmp_path / "notes.txt").write_text("mine")
    for files in ((file("README.md"), file("src/a.py")), (file("README.md", "new"),)):
        found = compare(place, files, read_manifest(place))
        assert found.foreign == ()
        write(place, files, found, Manifest())
    assert tree(tmp_path).keys() == {"README.md", ".manifest.json", "notes.txt"}
    assert not (tmp_path / "src").exists()
