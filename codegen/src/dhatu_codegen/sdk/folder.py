"""The folder of a generated SDK: codegen's own files are kept current, everybody else's are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..targets.base import GeneratedFile
from ..writing.manifest import Manifest, ManifestError, Output, read_manifest
from ..writing.swap import Busy, locked, recover
from ..writing.write import Difference, compare, write

MANIFEST: Final = ".dhatu-sdk.json"


class FolderError(Exception):
    """The folder holds what would be lost; nothing was written."""


def write_sdk(folder: Path, files: tuple[GeneratedFile, ...]) -> Difference:
    """Make the folder hold these files, all of them or none, and say what had to change.

    Raises `FolderError`.
    """
    output = Output(root=folder, manifest=MANIFEST, confined=False)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(output):
            recover(output)
            known = _known(output)
            difference = compare(output, files, known)
            _refuse_what_would_be_lost(folder, difference)
            write(output, files, difference, Manifest())
    except (Busy, ManifestError) as error:
        raise FolderError(f"{folder}: {error}") from error
    return difference


def _known(output: Output) -> Manifest | None:
    manifest = read_manifest(output)
    if manifest is None and any(output.root.iterdir()):
        message = f"{output.root} is not empty, and was not made by `dhatu-codegen sdk`: choose another --out"
        raise FolderError(message)
    return manifest


def _refuse_what_would_be_lost(folder: Path, difference: Difference) -> None:
    names = "".join(f"\n  {path}" for path in (*difference.edited, *difference.blocked))
    if names:
        raise FolderError(f"not as codegen wrote it in {folder}; undo that, or move the files away:{names}")
