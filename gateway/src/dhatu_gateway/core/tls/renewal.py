"""What is made of files, and made anew when they change.

Nobody is told of a change and no task waits for one: whoever needs the value looks, at most every two
seconds. So a new certificate holds with the first connection after that, and a process that nobody calls
does nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")

LOOK_S = 2.0
"""How long a change may go unnoticed."""

_Signature: TypeAlias = tuple[tuple[int, ...] | None, ...]

_logger = logging.getLogger("dhatu.tls")


class Renewed(Generic[T]):
    """The newest value that could be made; files that cannot be used leave the one before in its place."""

    def __init__(
        self,
        what: str,
        files: Iterable[Path],
        make: Callable[[], T],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the first value; raises what `make` raises. `what` is how the log calls it."""
        self._what = what
        self._files = tuple(files)
        self._make = make
        self._clock = clock
        # Taken before the files are read: a change in between is found at the next look.
        self._signature = self._sign()
        self._value = make()
        self._look_at_s = clock() + LOOK_S
        self._complaint = ""

    def get(self) -> T:
        """Return the value, after a look at the files if the last one is some time ago."""
        now_s = self._clock()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._look()
        return self._value

    def _look(self) -> None:
        signature = self._sign()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._value = self._make()
        except (OSError, ValueError) as error:
            # Half a renewal has many signatures, and one complaint.
            if str(error) != self._complaint:
                self._complaint = str(error)
                _logger.error("%s: the change is not taken up, what held before holds: %s", self._what, error)
            return
        self._complaint = ""
        _logger.info("%s: taken up anew", self._what)

    def _sign(self) -> _Signature:
        return tuple(map(_signature, self._files))


def _signature(file: Path) -> tuple[int, ...] | None:
    """What changes with a file, also where a link now leads to another; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
