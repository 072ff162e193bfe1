"""Rendered files to the disk: everything or nothing, and nothing that is already there.

A directory named `generated` that a target writes into belongs to codegen: what else lies there is an orphan.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from .targets.base import GeneratedFile

_IGNORED_DIRECTORIES: Final = frozenset({"__pycache__"})
_NEW_SUFFIX: Final = ".dhatu-new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How the disk differs from what was rendered; paths relative to the root, sorted."""

    stale: tuple[str, ...]
    missing: tuple[str, ...]
    orphaned: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.stale or self.missing or self.orphaned)


def owned_directory(path: str) -> str:
    """The outermost directory named `generated` that a file lies in.

    >>> owned_directory("sdk/generated/resources/corpus.py")
    'sdk/generated'

    Raises ValueError where there is none, since codegen writes nowhere else.
    """
    parts = PurePosixPath(path).parts
    if ".." in parts or PurePosixPath(path).is_absolute() or "generated" not in parts[:-1]:
        raise ValueError(f"{path}: generated files live in a directory named 'generated'")
    return "/".join(parts[: parts.index("generated") + 1])


def compare(root: Path, files: Iterable[GeneratedFile]) -> Difference:
    """Compare what was rendered with the disk, both ways."""
    wanted = _by_path(files)
    stale: list[str] = []
    missing: list[str] = []
    for path, text in wanted.items():
        try:
            current = (root / path).read_bytes()
        except FileNotFoundError:
            missing.append(path)
            continue
        if current != text.encode():
            stale.append(path)
    directories = {owned_directory(path) for path in wanted}
    present = {path for directory in directories for path in _files_below(root, directory)}
    return Difference(
        stale=tuple(sorted(stale)),
        missing=tuple(sorted(missing)),
        orphaned=tuple(sorted(present - set(wanted))),
    )


def write(root: Path, files: Iterable[GeneratedFile]) -> Difference:
    """Make the disk equal to what was rendered, and say what had to change.

    New content is written beside the old first and moved into place when all of it is on the disk, so a full
    disk or a missing permission leaves the old files as they were.
    """
    wanted = _by_path(files)
    difference = compare(root, files)
    changed = [*difference.stale, *difference.missing]
    beside = {path: (root / path).with_name((root / path).name + _NEW_SUFFIX) for path in changed}
    try:
        for path, new in beside.items():
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(wanted[path].encode())
        for path, new in beside.items():
            os.replace(new, root / path)
    finally:
        for new in beside.values():
            new.unlink(missing_ok=True)
    for path in difference.orphaned:
        (root / path).unlink()
        _remove_empty(root, owned_directory(path), (root / path).parent)
    return difference


def _by_path(files: Iterable[GeneratedFile]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for file in files:
        if file.path in found:
            raise ValueError(f"{file.path} is rendered twice")
        owned_directory(file.path)
        found[file.path] = file.text
    return found


def _files_below(root: Path, directory: str) -> Iterable[str]:
    for folder, directories, names in os.walk(root / directory):
        directories[:] = [name for name in directories if name not in _IGNORED_DIRECTORIES]
        for name in names:
            if not name.endswith((_NEW_SUFFIX, ".pyc")):
                yield (Path(folder) / name).relative_to(root).as_posix()


def _remove_empty(root: Path, directory: str, folder: Path) -> None:
    while folder != root / directory and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
