"""The gateway as deployed, all policies on, with limits so high that no load reaches them.

Beside the generated routes it has plain ones, as many as BENCH_ROUTES says: no credential, no limit, nothing
validated, bodies of any size.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import uvloop
from dhatu_gateway.app import Gateway, generated_table
from dhatu_gateway.core.server.config import BACKLOG
from dhatu_gateway.core.types import RateLimit, Route, Service, Validate
from dhatu_gateway.settings import Settings, read_settings
from dhatu_gateway.work import server_of

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


def _patient(service: Service) -> Service:
    """One for whose connections any number of requests may wait; there are as many as usual."""
    connections = replace(service.upstream.connections, max_waiting=CALLS_AT_ONCE, connect_s=60)
    return replace(service, upstream=replace(service.upstream, connections=connections))


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
    services = tuple(map(_patient, generated.platform.services))
    platform = replace(generated.platform, services=services)
    table = replace(generated, platform=platform, routes=(*map(unlimited, generated.routes), *extra))
    settings = read_settings(os.environ, table.platform.services)
    gateway = Gateway(settings, table)
    with _listener(settings) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server_of(settings, gateway, {}, lambda: None).serve(sockets=[listener]))


def _listener(settings: Settings) -> socket.socket:
    if LISTENER is not None:
        return socket.socket(fileno=int(LISTENER))
    return socket.create_server((settings.host, settings.port), backlog=BACKLOG)


if __name__ == "__main__":
    main()
