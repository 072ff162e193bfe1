"""The gateway as deployed, all policies on, with limits so high that no load reaches them.

Beside the generated routes it has plain ones, as many as BENCH_ROUTES says: no credential, no limit, nothing
validated, bodies of any size.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import uvicorn
from dhatu_gateway.app import Gateway, generated_table
from dhatu_gateway.core.server.config import server_config
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import RateLimit, Route, Validate
from dhatu_gateway.settings import read_settings

CALLS_PER_WINDOW = 10**9
BURST = 10**8
CALLS_AT_ONCE = 10**5
LEASE = int(os.environ.get("BENCH_LEASE", "1"))
ROUTES = int(os.environ.get("BENCH_ROUTES", "0"))
LISTENER = os.environ.get("BENCH_LISTENER")
"""Number of a socket that it shares with other workers; without one it opens its own."""
UNSEEN = Validate(
    path="off",
    query="off",
    headers="off",
    cookies="off",
    body="off",
    response="off",
    undeclared="keep",
)


def unlimited(route: Route) -> Route:
    return replace(route, rate_limits=tuple(map(_unlimited, route.rate_limits)))


def _unlimited(limit: RateLimit) -> RateLimit:
    if limit.algorithm == "concurrency":
        return replace(limit, limit=CALLS_AT_ONCE, burst=CALLS_AT_ONCE)
    return replace(limit, limit=CALLS_PER_WINDOW, burst=BURST, lease=LEASE)


def plain(number: int) -> Iterator[Route]:
    """Routes of the compression service that ask for nothing: `/plain/0/{thing}` and so on."""
    for method in ("GET", "POST"):
        yield Route(
            operation=f"plain.{method}{number}",
            service="compression",
            version="",
            method=method,
            path=f"/plain/{number}/{{thing}}",
            parameters=(),
            body=None,
            answers=(),
            security=(),
            roles=(),
            timeout_s=300,
            max_body_bytes=10**12,
            rate_limits=(),
            validate=UNSEEN,
            deprecated=False,
            sunset="",
            cors=None,
            networks=None,
        )


def main() -> None:
    """Serves until the process is ended."""
    generated = generated_table()
    extra = tuple(route for number in range(ROUTES) for route in plain(number))
    table = replace(generated, routes=(*map(unlimited, generated.routes), *extra))
    settings = read_settings(os.environ, table.platform.services)
    gateway = Gateway(settings, table)
    config = server_config(
        gateway,
        limits=ServerLimits(),
        lifecycle=gateway.lifecycle,
        host=settings.host,
        port=settings.port,
    )
    sockets = None if LISTENER is None else [socket.socket(fileno=int(LISTENER))]
    uvicorn.Server(config).run(sockets)


if __name__ == "__main__":
    main()
