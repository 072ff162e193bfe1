"""Rendered files to the disk: everything or nothing, and nothing that somebody else wrote.

The manifest says what is codegen's own. A file that it does not know is never changed or removed, and one
whose content is not what was written last is somebody's edit: both stop the run, unless it is forced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..diagnostics import Diagnostics
from ..ir.source import SourceRef
from ..targets.base import GeneratedFile
from .manifest import Manifest, Output, digest, foreign_files, owned_directory
from .swap import swap


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How the disk differs from what was rendered; paths relative to the root, sorted."""

    stale: tuple[str, ...] = ()
    """Written by an earlier run, and now rendered differently."""
    missing: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    """Written by an earlier run, and no longer rendered."""
    edited: tuple[str, ...] = ()
    """Written by an earlier run, and changed since by somebody else."""
    blocked: tuple[str, ...] = ()
    """Not written by codegen, and in the place of a file that was rendered."""
    foreign: tuple[str, ...] = ()
    """Not written by codegen, in a directory that belongs to it."""

    def __bool__(self) -> bool:
        return bool(self.to_do or self.foreign)

    @property
    def to_do(self) -> tuple[str, ...]:
        """What writing changes."""
        return (*self.stale, *self.missing, *self.orphaned, *self.edited, *self.blocked)


def compare(output: Output, files: Iterable[GeneratedFile], manifest: Manifest | None) -> Difference:
    """Compare what was rendered with the disk, both ways. `manifest` is that of the last run."""
    wanted = by_path(output, files)
    known = manifest.files if manifest else dict[str, str]()
    found: dict[str, list[str]] = {}
    for path in sorted({*wanted, *known}):
        kind = _kind(output, path, wanted, known)
        if kind:
            found.setdefault(kind, []).append(path)
    return Difference(
        **{kind: tuple(paths) for kind, paths in found.items()},
        foreign=foreign_files(output, {*wanted, *known}),
    )


def _kind(output: Output, path: str, wanted: Mapping[str, bytes], known: Mapping[str, str]) -> str:
    """The field of `Difference` that a file belongs to; empty where all is well."""
    try:
        current = (output.root / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return "missing" if path in wanted else ""
    if current == wanted.get(path):
        return ""
    if path not in known:
        return "blocked"
    if digest(current) != known[path]:
        return "edited"
    return "stale" if path in wanted else "orphaned"


def report_difference(
    output: Output,
    difference: Difference,
    files: Iterable[GeneratedFile],
    diagnostics: Diagnostics,
    *,
    force: bool = False,
) -> None:
    """DH070, DH071, DH072: what in generated directories is not codegen's work; `force` allows the errors."""
    wanted = by_path(output, files)
    for path in difference.edited if not force else ():
        diagnostics.add(
            "DH070",
            f"{path} was edited by hand",
            _first_difference(output, path, wanted.get(path, b"")),
            hint="edit what it is made from, in spec/ or a template; `generate --force` discards the edit",
        )
    for path in difference.blocked if not force else ():
        diagnostics.add(
            "DH072",
            f"{path} was not written by dhatu-codegen, and is in the way of a generated file",
            SourceRef(file=path, line=1, column=1, pointer=""),
            hint="move it elsewhere; `generate --force` overwrites it",
        )
    for path in difference.foreign:
        diagnostics.add(
            "DH071",
            f"{path} was not written by dhatu-codegen, which leaves it alone",
            SourceRef(file=path, line=1, column=1, pointer=""),
            hint="directories named generated belong to dhatu-codegen: move it elsewhere or delete it",
        )


def write(output: Output, files: Iterable[GeneratedFile], difference: Difference, manifest: Manifest) -> None:
    """Make the disk equal to what was rendered, all of it or nothing.

    `manifest` says what was read and how; the hashes of the files are added here. It is written last, and
    only where it changes.
    """
    wanted = by_path(output, files)
    contents = {path: wanted[path] for path in difference.to_do if path in wanted}
    deletes = tuple(path for path in difference.to_do if path not in wanted)
    new = Manifest(
        generator=manifest.generator,
        inputs=manifest.inputs,
        files={path: digest(content) for path, content in wanted.items()},
        remarks=manifest.remarks,
    ).text.encode()
    written = output.root / output.manifest
    if not written.exists() or written.read_bytes() != new:
        contents[output.manifest] = new
    swap(output, contents, deletes)


def by_path(output: Output, files: Iterable[GeneratedFile]) -> dict[str, bytes]:
    """The content of every file. Raises ValueError for a path twice, or where codegen may not write."""
    found: dict[str, bytes] = {}
    for file in files:
        pure = PurePosixPath(file.path)
        if file.path in found or file.path == output.manifest:
            raise ValueError(f"{file.path} is rendered twice")
        if ".." in pure.parts or pure.is_absolute():
            raise ValueError(f"{file.path}: generated files live inside the folder they are generated into")
        if output.confined and owned_directory(file.path) is None:
            raise ValueError(f"{file.path}: generated files live in a directory named 'generated'")
        found[file.path] = file.text.encode()
    return found


def _first_difference(output: Output, path: str, rendered: bytes) -> SourceRef:
    """The line where a file begins to differ: the edit itself where nothing else changed."""
    current = (output.root / path).read_bytes().splitlines()
    expected = rendered.splitlines()
    same = 0
    while same < min(len(current), len(expected)) and current[same] == expected[same]:
        same += 1
    line = min(same + 1, max(len(current), 1))
    return SourceRef(file=path, line=line, column=1, pointer="")
