"""What the gateway's process holds, and whether it has let go of everything."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path

RELEASED_WITHIN_S = 60.0
_GROWTH_BYTES = 96 * 2**20
"""Caches fill up, allocators keep what they had once; 100,000 requests that leak 1 KiB each are beyond it."""
_POOLED = 64
"""Connections to services, stores and other processes that are kept for the next request."""
_OF_SERVICES = 8
"""Connections of clients that live on: the dashboard service calls the gateway too."""
_POLL_S = 0.05


class Fault(AssertionError):
    """The gateway did what it must never do; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a process holds at one moment."""

    resident_bytes: int
    descriptors: int
    tasks: int
    connections: int
    """Of clients."""


def held_by(probe: Path) -> Held:
    """Ask the probe of a target; raises `Fault` where it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(RELEASED_WITHIN_S)
            asking.connect(str(probe))
            return Held(**json.loads(b"".join(iter(lambda: asking.recv(4096), b""))))
    except (OSError, ValueError) as error:
        raise Fault(f"the gateway does not answer its probe: {error!r}") from error


def check_released(probe: Path, before: Held) -> Held:
    """Wait until the process holds no more than before; raises `Fault` where it keeps something."""
    deadline_s = time.monotonic() + RELEASED_WITHIN_S
    while rest := kept(now := held_by(probe), before):
        if time.monotonic() > deadline_s:
            raise Fault(f"{RELEASED_WITHIN_S:.0f} s after the last request the gateway still has {rest}")
        time.sleep(_POLL_S)
    return now


def kept(now: Held, before: Held) -> str:
    if now.connections > _OF_SERVICES:
        return f"{now.connections} connections of clients"
    if now.tasks > before.tasks + _POOLED:
        return f"{now.tasks} tasks, {before.tasks} before"
    if now.descriptors > before.descriptors + _POOLED:
        return f"{now.descriptors} descriptors, {before.descriptors} before"
    if now.resident_bytes > before.resident_bytes + _GROWTH_BYTES:
        mib = 2**20
        return f"{now.resident_bytes // mib} MiB in use, {before.resident_bytes // mib} before"
    return ""


def check_log(path: Path) -> None:
    """Raise `Fault` where the gateway has logged an error: something that nobody has foreseen."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if '"level":"error"' in line or '"level":"critical"' in line:
                raise Fault(f"the gateway has logged an error: {line[:3000]}")
