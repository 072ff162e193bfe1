"""Rebuild when the specs change, until somebody presses Ctrl-C.

Files are asked for their times five times a second: no dependency, and the same on network file systems and
in containers, where notifications get lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from .manifest import files_below, owned_directory

POLL_S: Final = 0.2
QUIET_S: Final = 0.05
"""How long nothing may change before a rebuild begins: editors write a file in several steps."""
_MAX_QUIET_POLLS: Final = 8
"""After so many looks a rebuild begins even while files go on changing."""

Snapshot: TypeAlias = Mapping[str, tuple[int, int]]
"""Time of the last change in ns, and size in bytes, by path."""


def snapshot(root: Path, read: Iterable[str] = ()) -> Snapshot:
    """What the files of spec/ look like from outside, and those in `read` wherever they lie."""
    found: dict[str, tuple[int, int]] = {}
    written = {path for path in files_below(root, "spec") if owned_directory(path) is None}
    for path in sorted(written | set(read)):
        try:
            status = (root / path).stat()
        except OSError:
            continue  # gone between the listing and now, which the next look sees as a change
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def watch(look: Callable[[], Snapshot], rebuild: Callable[[], None], sleep: Callable[[float], None]) -> None:
    """Rebuild at once, and after every change, until `sleep` or a rebuild raises KeyboardInterrupt.

    A change during a rebuild leads to another one: what counts is what was seen before it began.
    """
    try:
        seen = look()
        rebuild()
        while True:
            sleep(POLL_S)
            now = look()
            if now != seen:
                seen = _settled(now, look, sleep)
                rebuild()
    except KeyboardInterrupt:
        return


def _settled(now: Snapshot, look: Callable[[], Snapshot], sleep: Callable[[float], None]) -> Snapshot:
    for _ in range(_MAX_QUIET_POLLS):
        sleep(QUIET_S)
        again = look()
        if again == now:
            break
        now = again
    return now
