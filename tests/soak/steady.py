"""Minutes of calls of every kind, and what they do to the memory of the gateway: part of `make soak`."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import linear_regression, median

from chaos.clients import Connection, Outcome, Request
from chaos.sockets import resident_bytes
from chaos.specification import generate
from chaos.world import World, request, world

SAMPLE_EVERY_S = 5.0
WARM_UP = 0.2
"""Of the time, in which pools, caches and counters fill."""
MAX_GROWTH = 1.03
"""The last quarter of the time beside the first after warming up."""

_numbers = itertools.count()

_KEYED = frozenset({200, 503})
"""Refused where the server that keeps the keys does not answer in 250 ms, as on a busy machine."""
CALLS: Mapping[str, tuple[Callable[[], Request], frozenset[int]]] = {
    "read": (lambda: request("plain/items"), frozenset({200})),
    "read, checked endpoints": (lambda: request("checked/items"), frozenset({200})),
    "read in attempts": (lambda: request("plain/tried"), frozenset({200})),
    "read much": (lambda: request("wide/large"), frozenset({200})),
    "add": (lambda: request("plain/items", "POST"), frozenset({200})),
    "start under a key": (lambda: request("plain/jobs", "POST", Idempotency_Key=_key()), _KEYED),
    "start again": (lambda: request("plain/jobs", "POST", Idempotency_Key="again"), _KEYED),
    "read what is kept": (lambda: request("plain/kept"), frozenset({200})),
    "what is not asked for": (lambda: request(f"plain/kept?page={next(_numbers)}"), frozenset({400})),
    "over the limit": (lambda: request("plain/limited"), frozenset({200, 429})),
    "a wrong key": (
        lambda: Request(target="/api/v1/status", headers=(("X-API-Key", _key()),)),
        frozenset({401}),
    ),
    "no such path": (lambda: Request(target=f"/api/v1/{_key()}"), frozenset({404})),
    "another connection": (lambda: request("plain/items", Connection="close"), frozenset({200})),
}
"""What is called, and what may be answered."""


def _key() -> str:
    return f"k{next(_numbers)}"


class Calls:
    """One client for each kind, over a connection of its own, one call after the other."""

    def __init__(self, port: int) -> None:
        self.made: Counter[str] = Counter()
        self.refused = 0
        """Of those under keys."""
        self.wrong: Counter[tuple[str, int]] = Counter()
        self._port = port

    async def until(self, over: asyncio.Event) -> None:
        await asyncio.gather(*(self._make(name, over) for name in CALLS))

    async def _make(self, name: str, over: asyncio.Event) -> None:
        what, expected = CALLS[name]
        connection = Connection(self._port)
        while not over.is_set():
            outcome: Outcome = await connection.call(what())
            self.made[name] += 1
            self.refused += outcome.status == 503
            if outcome.status not in expected:
                self.wrong[name, outcome.status] += 1
        connection.close()


async def _measure(w: World, seconds: float) -> tuple[Calls, dict[int, list[int]]]:
    calls, over = Calls(w.port), asyncio.Event()
    running = asyncio.create_task(calls.until(over))
    workers = sorted(w.gateway.workers())
    sizes: dict[int, list[int]] = {worker: [] for worker in workers}
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        await asyncio.sleep(SAMPLE_EVERY_S)
        for worker in workers:
            sizes[worker].append(resident_bytes(worker))
    over.set()
    await running
    assert sorted(w.gateway.workers()) == workers, "a worker has ended"
    return calls, sizes


def _tell(worker: int, sizes: list[int]) -> bool:
    """Print what became of a worker's memory; whether it stayed as it was."""
    later = [size / 2**20 for size in sizes[int(WARM_UP * len(sizes)) :]]
    quarter = max(1, len(later) // 4)
    first, last = median(later[:quarter]), median(later[-quarter:])
    minutes = [number * SAMPLE_EVERY_S / 60 for number in range(len(later))]
    slope = linear_regression(minutes, later).slope if len(later) > 1 else 0.0
    print(f"worker {worker}: {first:.1f} MiB, then {last:.1f} MiB; {1024 * slope:+.1f} KiB a minute")
    return last <= first * MAX_GROWTH


async def run(seconds: float, directory: Path) -> bool:
    """Two workers, with a server that they share; whether all went as it should."""
    table = generate(directory / "platform")
    async with world(directory, table, GATEWAY_WORKERS="2") as w:
        calls, sizes = await _measure(w, seconds)
    print(
        f"{sum(calls.made.values()):,} calls: " + ", ".join(f"{n:,} {name}" for name, n in calls.made.items())
    )
    print(f"refused while the shared server was slow: {calls.refused}")
    print(f"answered otherwise than they should be: {dict(calls.wrong) or 'none'}")
    flat = [_tell(worker, found) for worker, found in sizes.items()]
    return all(flat) and not calls.wrong


def main() -> None:
    """Ten minutes; SOAK_SECONDS says otherwise."""
    with tempfile.TemporaryDirectory() as directory:
        good = asyncio.run(run(float(os.environ.get("SOAK_SECONDS", "600")), Path(directory)))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
