"""Which process has which connection, as the system tells."""

from __future__ import annotations

import os
from pathlib import Path

_ESTABLISHED = "01"


def ports_of_clients(process: int, port: int) -> frozenset[int]:
    """The other ends of the connections to a port that a process has accepted."""
    links: set[str] = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            links.add(os.readlink(descriptor))
        except OSError:  # closed meanwhile
            continue
    found: set[int] = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, state, *rest = line.split()
        is_ours = state == _ESTABLISHED and int(here.rpartition(":")[2], 16) == port
        if is_ours and f"socket:[{rest[5]}]" in links:
            found.add(int(there.rpartition(":")[2], 16))
    return frozenset(found)


def resident_bytes(process: int) -> int:
    """How much memory a process has, without what it has in common with others."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the system does not say")
