"""Ten thousand idle connections and a thousand slow readers, and what each costs: part of `make soak`."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
from pathlib import Path

from chaos.crowd import Crowd, run
from chaos.specification import generate

SPARE_FILES = 500
"""Beyond connections: what a process opens besides."""


def main() -> None:
    """Run, tell, and fail where anybody was affected."""
    wanted = Crowd(
        idle=int(os.environ.get("SOAK_IDLE", "10000")),
        slow=int(os.environ.get("SOAK_SLOW", "1000")),
        calls=int(os.environ.get("SOAK_CALLS", "2000")),
    )
    crowd = _within_limits(wanted)
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(run(crowd, Path(directory), generate(Path(directory) / "platform")))
    print(
        f"{crowd.idle} idle connections: {figures.idle_bytes / 1024:.1f} KiB each, {figures.idle_lost} lost"
    )
    print(f"{crowd.slow} slow readers: {figures.slow_bytes / 1024:.1f} KiB each, {figures.slow_cut} cut off")
    print(f"{3 * crowd.calls} calls of others beside them, failed: {figures.failed or 'none'}")
    if figures.failed or figures.idle_lost or figures.slow_cut:
        sys.exit(1)


def _within_limits(crowd: Crowd) -> Crowd:
    """Raise the number of files that may be open; where that is not enough, do with fewer, and say so."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # The gateway has two connections for each slow reader.
    idle = min(crowd.idle, most - 2 * crowd.slow - SPARE_FILES)
    if idle < crowd.idle:
        print(f"only {most} files may be open here: {idle} idle connections instead of {crowd.idle}")
    return Crowd(idle=idle, slow=crowd.slow, calls=crowd.calls)


if __name__ == "__main__":
    main()
