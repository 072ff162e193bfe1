"""The gateway as deployed, all policies on, with limits so high that no load reaches them."""

from __future__ import annotations

import os
from dataclasses import replace

import uvicorn
from dhatu_gateway.app import Gateway, generated_table
from dhatu_gateway.core.server.config import server_config
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import Route
from dhatu_gateway.settings import read_settings

CALLS_PER_WINDOW = 10**9
BURST = 10**8
LEASE = int(os.environ.get("BENCH_LEASE", "1"))


def unlimited(route: Route) -> Route:
    limits = (
        limit  # nothing that is measured has one of how many are under way
        if limit.algorithm == "concurrency"
        else replace(limit, limit=CALLS_PER_WINDOW, burst=BURST, lease=LEASE)
        for limit in route.rate_limits
    )
    return replace(route, rate_limits=tuple(limits))


def main() -> None:
    """Serves until the process is ended."""
    generated = generated_table()
    table = replace(generated, routes=tuple(map(unlimited, generated.routes)))
    settings = read_settings(os.environ, table.platform.services)
    gateway = Gateway(settings, table)
    config = server_config(
        gateway,
        limits=ServerLimits(),
        lifecycle=gateway.lifecycle,
        host=settings.host,
        port=settings.port,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
