"""Large bodies, down and up, through the gateway and through nginx: bandwidth, and its price."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from dhatu_reference.processes import free_ports

from bench import gateway, nginx
from bench.bodies_upstream import PIECE
from bench.load import LoadError
from bench.processor import processor_s
from bench.report import Figure, report

SIZE_BYTES = 64 * 2**20
ROUNDS = 5

Transfer = Callable[[int], None]


def main() -> int:
    """Measures and reports; returns the exit code."""
    try:
        with tempfile.TemporaryDirectory(prefix="dhatu-bench-") as directory, ExitStack() as stack:
            site = gateway.Site(directory=Path(directory), **gateway.ports())
            report(_figures(measure(start(site, stack))))
    except LoadError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    return 0


def start(site: gateway.Site, stack: ExitStack) -> dict[str, tuple[int, int]]:
    """Start the service and the proxies; returns port and process id of each proxy."""
    upstream = (sys.executable, "-m", "bench.bodies_upstream", str(site.upstream_port))
    stack.enter_context(gateway.process(site, gateway.LOAD_CORE, upstream))
    command = (sys.executable, "-m", "bench.unlimited_gateway")
    ours = gateway.process(site, gateway.PROXY_CORE, command, {"BENCH_ROUTES": "1"})
    found = {"gateway": (site.gateway_port, stack.enter_context(ours))}
    gateway.wait_for(f"http://127.0.0.1:{site.gateway_port}/api/v1/health/live")
    port = free_ports(1)[0]
    other = nginx.command(site.directory, port=port, upstream_port=site.upstream_port)
    if other is None:
        print(nginx.MISSING)
        return found
    found["nginx"] = (port, stack.enter_context(gateway.process(site, gateway.PROXY_CORE, other)))
    gateway.wait_for(f"http://127.0.0.1:{port}/plain/0/1")
    return found


def measure(proxies: Mapping[str, tuple[int, int]]) -> dict[tuple[str, str], tuple[float, float]]:
    """Seconds and processor seconds of one transfer, by proxy and direction: medians."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for direction, transfer in (("down", _download), ("up", _upload)):
            for name, (port, pid) in proxies.items():
                spent_s, began_s = processor_s(pid), time.perf_counter()
                transfer(port)
                took_s = time.perf_counter() - began_s
                found.setdefault((name, direction), []).append((took_s, processor_s(pid) - spent_s))
    return {
        key: (median(took for took, _ in runs), median(spent for _, spent in runs))
        for key, runs in found.items()
    }


def _figures(found: Mapping[tuple[str, str], tuple[float, float]]) -> list[Figure]:
    lines: list[Figure] = []
    for (name, direction), (took_s, spent_s) in found.items():
        than = found.get(("nginx", direction)) if name != "nginx" else None
        against = None if than is None else f"nginx, {direction}"
        lines += (
            Figure(
                name=f"bodies: {name}, {direction}",
                value=SIZE_BYTES / 1e6 / took_s,
                unit="MB/s",
                ratio=None if than is None else than[0] / took_s,
                against=against,
            ),
            Figure(
                name=f"bodies: {name}, {direction}, processor",
                value=1e6 * spent_s / (SIZE_BYTES / 1e6),
                unit="us/MB",
                ratio=None if than is None else spent_s / max(than[1], 0.01),
                against=against,
            ),
        )
    return lines


def _download(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(b"GET /plain/0/%d HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n" % SIZE_BYTES)
        room = memoryview(bytearray(2**20))
        size_bytes = 0
        while got := link.recv_into(room):
            size_bytes += got
    if size_bytes < SIZE_BYTES:
        raise LoadError(f"{size_bytes} of {SIZE_BYTES} bytes came: {bytes(room[:200])!r}")


def _upload(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        head = b"POST /plain/0/up HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        link.sendall(head % SIZE_BYTES)
        for _ in range(SIZE_BYTES // len(PIECE)):
            link.sendall(PIECE)
        answer = b""
        while got := link.recv(4096):
            answer += got
    if not answer.startswith(b"HTTP/1.1 200"):
        raise LoadError(f"the upload was answered with {answer[:200]!r}")


if __name__ == "__main__":
    sys.exit(main())
