"""How long the event loop stands still while a table of many routes takes over: part of `make soak`."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from dhatu_gateway.app import open_site
from dhatu_gateway.composing import Around, Serving, open_serving
from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.deployment import Deployment, load_table, read_deployment, read_table_of
from dhatu_gateway.processes.garbage import building

from soak.tables import Versions

TICK_S = 0.001
RETIRING_S = 1.0
"""In which what was served before is let go."""


class Stalls:
    """Wakes up every millisecond and notes for how long this thread has worked meanwhile.

    Its own time and not that of the clock: on a busy machine others are on turn for longer than that.
    """

    def __init__(self) -> None:
        self.worked_s: list[float] = []
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            began_s = time.thread_time()
            await asyncio.sleep(TICK_S)
            self.worked_s.append(time.thread_time() - began_s)

    def told(self) -> str:
        self._task.cancel()
        worked_s = sorted(self.worked_s)
        most = ", ".join(f"{1e3 * worked:.1f}" for worked in reversed(worked_s[-3:]))
        return f"longest stalls {most} ms, p99 {1e3 * worked_s[int(0.99 * len(worked_s))]:.1f} ms"


async def measure(directory: Path, routes: int) -> None:
    """Take over a table of which nothing, some, or everything is new."""
    table = directory / "table.jsonl"
    environment = {
        "GATEWAY_DEMO": "1",
        "GATEWAY_TABLE": str(table),
        "GATEWAY_DATABASE": str(directory / "keys.sqlite3"),
    }
    versions = Versions.of(routes=routes, changing=min(250, routes))
    versions.write(table, 0)
    async with AsyncExitStack() as stack:
        deployment = read_deployment(environment)
        before = read_table_of(deployment)
        with building():
            reloads = await stack.enter_async_context(
                open_site(deployment.settings, before, Around(lifecycle=Lifecycle()))
            )
        for name, version, secret in (
            ("nothing is new", 0, ""),
            ("some routes are new", 1, ""),
            ("the keys of tokens are", 1, "x" * 40),
            ("all routes are new", 2, "x" * 40),
        ):
            if version == 2:
                Versions(own=versions.own, routes=routes, changing=0).write(table, 0)
                table.write_text(table.read_text().replace('"timeout_s": 5.0', '"timeout_s": 6.0'))
            else:
                versions.write(table, version)
            changed = read_deployment(environment | ({"JWT_SECRET_KEY": secret} if secret else {}))

            async def build(before: Serving, deployment: Deployment = changed) -> Serving:
                loaded = await load_table(deployment, before.table)
                return await open_serving(before.parts.opened, deployment.settings, loaded, before)

            stalls, began_s = Stalls(), time.process_time()
            with building():  # as every process does
                await reloads.prepare(build)
            reloads.commit()
            took_s = time.process_time() - began_s
            await asyncio.sleep(RETIRING_S)
            print(f"{routes} routes, {name:24} {took_s:6.2f} s of work, {stalls.told()}")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(Path(directory), int(os.environ.get("SOAK_ROUTES", "5000"))))


if __name__ == "__main__":
    main()
