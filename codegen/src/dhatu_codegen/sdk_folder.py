"""The folder of a generated SDK on the disk: only what was written here before is ever replaced or removed.

`.dhatu-sdk.json` in it holds the SHA-256 of every file. Somebody's own files beside them are left alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from .targets.base import GeneratedFile

MANIFEST: Final = ".dhatu-sdk.json"
_NEW_SUFFIX: Final = ".dhatu-new"


class FolderError(Exception):
    """The folder holds what would be lost; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a run replaced, created and removed; paths relative to the folder, sorted."""

    replaced: tuple[str, ...]
    created: tuple[str, ...]
    removed: tuple[str, ...]


def write_sdk(folder: Path, files: tuple[GeneratedFile, ...]) -> Changed:
    """Make the folder hold these files, and say what had to change. Raises `FolderError`.

    New content is written beside the old first, and moved into place when all of it is on the disk.
    """
    owned = _owned(folder)
    wanted = {file.path: file.text.encode() for file in files}
    difference = _compare(folder, owned, wanted)
    wanted[MANIFEST] = _manifest(wanted)
    changed = [*difference.replaced, *difference.created, MANIFEST]
    beside = {path: (folder / path).with_name((folder / path).name + _NEW_SUFFIX) for path in changed}
    try:
        for path, new in beside.items():
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(wanted[path])
        for path, new in beside.items():
            os.replace(new, folder / path)
    finally:
        for new in beside.values():
            new.unlink(missing_ok=True)
    for path in difference.removed:
        (folder / path).unlink()
    return difference


def _owned(folder: Path) -> Mapping[str, str]:
    """Path to hash of what was written before; none in a folder that is new or empty."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        # A path that leads out of the folder is not one that was written here.
        return {
            str(path): str(digest)
            for path, digest in manifest["files"].items()
            if (folder / path).resolve().is_relative_to(folder.resolve())
        }
    except FileNotFoundError:
        if folder.is_dir() and any(folder.iterdir()):
            message = f"{folder} is not empty, and was not made by `dhatu-codegen sdk`: choose another --out"
            raise FolderError(message) from None
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FolderError(f"{folder / MANIFEST} cannot be read: {error}") from error


def _compare(folder: Path, owned: Mapping[str, str], wanted: Mapping[str, bytes]) -> Changed:
    """What has to change; refused where a file that somebody edited or put there would be lost."""
    replaced: list[str] = []
    created: list[str] = []
    edited: list[str] = []
    for path in sorted({*owned, *wanted}):
        try:
            current = (folder / path).read_bytes()
        except FileNotFoundError:
            if path in wanted:
                created.append(path)
            continue
        except OSError as error:
            raise FolderError(f"{folder / path} cannot be read: {error.strerror}") from error
        if current == wanted.get(path):
            continue
        if sha256(current).hexdigest() != owned.get(path):
            edited.append(path)
        elif path in wanted:
            replaced.append(path)
    if edited:
        names = "".join(f"\n  {path}" for path in edited)
        raise FolderError(f"edited by hand in {folder}; undo that, or move the files away:{names}")
    removed = tuple(path for path in sorted(owned) if path not in wanted and (folder / path).is_file())
    return Changed(replaced=tuple(replaced), created=tuple(created), removed=removed)


def _manifest(files: Mapping[str, bytes]) -> bytes:
    hashes = {path: sha256(content).hexdigest() for path, content in sorted(files.items())}
    return (json.dumps({"files": hashes}, indent=1) + "\n").encode()
