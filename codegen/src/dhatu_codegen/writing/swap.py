"""Many files changed as one: a process that is killed at any moment leaves a state that can be mended.

New and old content is staged first, then the journal is moved into place: from that moment on the swap counts
as done. It is carried out by copying, so that carrying it out again does no harm, and the staged files are
removed at the end. A run that finds a journal completes it; one that finds staged files without a journal
throws them away. What this guards against is the death of the process, not of the machine: nothing is synced.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from .manifest import Output, owned_directory

_JOURNAL: Final = "journal.json"
_NEW_SUFFIX: Final = ".dhatu-new"

Recovery: TypeAlias = Literal["completed", "discarded"]
"""What became of a swap that was interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Swap:
    writes: tuple[str, ...]
    """Relative to the root; number i is staged as `new/i`, what was there before as `old/i`."""
    deletes: tuple[str, ...]
    backwards: bool = False
    """Whether the old content is to be put back."""


class Busy(Exception):
    """Another process is writing into the same folder."""


@contextlib.contextmanager
def locked(output: Output) -> Generator[None]:
    """Keep other processes from swapping files of the same folder. Raises `Busy`."""
    folder = output.swap.parent
    folder.mkdir(parents=True, exist_ok=True)
    if os.name != "posix":  # no locks on directories; two runs at once are then up to people
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Busy("another dhatu-codegen is writing here") from error
    finally:
        os.close(descriptor)


def swap(output: Output, contents: Mapping[str, bytes], deletes: Iterable[str]) -> None:
    """Write and delete files, all or none; the last of `contents` is written last.

    On an error of the file system everything is put back, and the error is raised.
    """
    intended = _Swap(writes=tuple(contents), deletes=tuple(deletes))
    if not (intended.writes or intended.deletes):
        return
    try:
        _stage(output, intended, contents)
        _enter(output, intended)
    except OSError:
        shutil.rmtree(output.swap, ignore_errors=True)
        raise
    try:
        _carry_out(output, intended)
    except OSError:
        back = _Swap(writes=intended.writes, deletes=intended.deletes, backwards=True)
        _enter(output, back)
        _carry_out(output, back)
        raise


def recover(output: Output) -> Recovery | None:
    """Mend what an interrupted run left; None where there is nothing to mend."""
    if not output.swap.is_dir():
        return None
    journal = output.swap / _JOURNAL
    if not journal.exists():
        shutil.rmtree(output.swap)
        return "discarded"
    known: dict[str, Any] = json.loads(journal.read_bytes())
    found = _Swap(
        writes=tuple(known["writes"]), deletes=tuple(known["deletes"]), backwards=known["backwards"]
    )
    _carry_out(output, found)
    return "discarded" if found.backwards else "completed"


def _stage(output: Output, intended: _Swap, contents: Mapping[str, bytes]) -> None:
    for side in ("new", "old"):
        (output.swap / side).mkdir(parents=True, exist_ok=True)
    for number, path in enumerate((*intended.writes, *intended.deletes)):
        if path in contents:
            (output.swap / "new" / str(number)).write_bytes(contents[path])
        with contextlib.suppress(FileNotFoundError):
            (output.swap / "old" / str(number)).write_bytes((output.root / path).read_bytes())


def _enter(output: Output, intended: _Swap) -> None:
    content = {
        "writes": intended.writes,
        "deletes": intended.deletes,
        "backwards": intended.backwards,
    }
    journal = output.swap / _JOURNAL
    new = journal.with_name(journal.name + _NEW_SUFFIX)
    new.write_bytes(json.dumps(content).encode())
    os.replace(new, journal)


def _carry_out(output: Output, intended: _Swap) -> None:
    """Put every file into the state that one side was staged with; to do so twice does no harm."""
    side = output.swap / ("old" if intended.backwards else "new")
    for number, path in enumerate((*intended.writes, *intended.deletes)):
        staged = side / str(number)
        if staged.exists():
            _copy(staged, output.root / path)
        else:
            _remove(output, path)
    (output.swap / _JOURNAL).unlink()
    # What is left counts for nothing now. Where it cannot be removed, the next run tries again.
    shutil.rmtree(output.swap, ignore_errors=True)


def _copy(staged: Path, path: Path) -> None:
    new = path.with_name(path.name + _NEW_SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    new.write_bytes(staged.read_bytes())
    os.replace(new, path)


def _remove(output: Output, path: str) -> None:
    """Delete a file, what an interrupted copy left beside it, and the folders that are empty then."""
    target = output.root / path
    for gone in (target, target.with_name(target.name + _NEW_SUFFIX)):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            gone.unlink()
    stop = output.root / (owned_directory(path) or "")
    folder = target.parent
    while folder != stop and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
