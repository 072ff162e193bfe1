"""The gateway that is fuzzed: as deployed, with limits so high that no load reaches them, and with a probe.

The probe answers every connection to the Unix socket `FUZZ_PROBE` with what the process holds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import uvicorn
from dhatu_gateway.app import Gateway, generated_table
from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.server.config import server_config
from dhatu_gateway.core.types import Route
from dhatu_gateway.monitoring.logging import configure_logging
from dhatu_gateway.settings import read_settings

_OUT_OF_REACH = 10**8


def unlimited(route: Route) -> Route:
    """Leave the limits in their place, and let nobody reach them."""
    limits = (
        # How many are under way at once is another thing: one client after the other reaches no such limit.
        limit
        if limit.algorithm == "concurrency"
        else replace(limit, limit=_OUT_OF_REACH, burst=_OUT_OF_REACH)
        for limit in route.rate_limits
    )
    return replace(route, rate_limits=tuple(limits))


class Probe(asyncio.Protocol):
    """Tells once what the process holds, and closes."""

    def __init__(self, server: uvicorn.Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        gc.collect()
        held = {
            "resident_bytes": _resident_bytes(),
            "descriptors": len(os.listdir("/dev/fd")),
            "tasks": len(asyncio.all_tasks()),
            "connections": len(self._server.server_state.connections),
        }
        cast(asyncio.WriteTransport, transport).write(json.dumps(held).encode())
        transport.close()


class Probed:
    """The gateway, and the probe beside it as long as it lives."""

    def __init__(self, gateway: Gateway, path: str) -> None:
        self._gateway = gateway
        self._path = path
        self.server: uvicorn.Server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._gateway(scope, receive, send)
            return
        async with self._probe():
            await self._gateway(scope, receive, send)

    @asynccontextmanager
    async def _probe(self) -> AsyncGenerator[None]:
        loop = asyncio.get_running_loop()
        listening = await loop.create_unix_server(lambda: Probe(self.server), self._path)
        try:
            yield
        finally:
            listening.close()


def _resident_bytes() -> int:
    """Memory in use; where the system does not tell, the most that was ever in use."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Serve until the process is ended."""
    generated = generated_table()
    table = replace(generated, routes=tuple(map(unlimited, generated.routes)))
    settings = read_settings(os.environ, table.platform.services)
    gateway = Gateway(settings, table, finish=configure_logging())
    probed = Probed(gateway, os.environ["FUZZ_PROBE"])
    config = server_config(
        probed,
        limits=settings.connections,
        lifecycle=gateway.lifecycle,
        host=settings.host,
        port=settings.port,
    )
    probed.server = uvicorn.Server(config)
    probed.server.run()


if __name__ == "__main__":
    main()
