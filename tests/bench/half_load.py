"""What the gateway adds to a call at half of the load that it can take, beside calls without it.

All of it runs before anything else on the machine, where the system lets it: else the tail tells how long
others had the core.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench import gateway, proxies, steady
from bench.load import LoadError, run
from bench.report import Figure, report

ROUNDS = 3
SECONDS = 2


def main() -> int:
    """Measures and reports; returns the exit code."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # what it starts inherits this
    except PermissionError:
        print("Not allowed to run at real-time priority: the tail is that of the whole machine.")
    try:
        with tempfile.TemporaryDirectory(prefix="dhatu-bench-") as directory:
            site = gateway.Site(directory=Path(directory), **gateway.ports())
            with proxies.running(site) as subjects:
                report(_figures(*measure(site, {subject.name: subject for subject in subjects})))
    except LoadError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    return 0


def measure(
    site: gateway.Site, subjects: dict[str, proxies.Subject]
) -> tuple[float, dict[str, list[steady.Latency]]]:
    """Half of what the gateway can take, and the latencies at that rate: of the service alone, and behind."""
    full = subjects["gateway, all policies"]
    load = run(
        full.base_url,
        full.request,
        connections=gateway.CONNECTIONS,
        duration_s=SECONDS,
        core=gateway.LOAD_CORE,
    )
    rate = load.requests_per_s / 2
    called = {"direct": (site.upstream_port, full.request)}
    for name, subject in subjects.items():
        called[name] = urlsplit(subject.base_url).port or 0, subject.request
    found: dict[str, list[steady.Latency]] = {name: [] for name in called}
    for _ in range(ROUNDS):
        for name, (port, request) in called.items():
            found[name].append(
                steady.run(port, request, rate=rate, duration_s=SECONDS, core=gateway.LOAD_CORE)
            )
    return rate, found


def _figures(rate: float, found: dict[str, list[steady.Latency]]) -> list[Figure]:
    p50 = {name: median(latency.p50_ms for latency in of_one) for name, of_one in found.items()}
    p99 = {name: median(latency.p99_ms for latency in of_one) for name, of_one in found.items()}
    lines = [Figure(name="half load: rate", value=rate, unit="requests/s")]
    for name in found:
        for what, values in (("p50", p50), ("p99", p99)):
            added = values[name] - values["direct"]
            lines.append(Figure(name=f"half load: {name}, {what}", value=values[name], unit="ms"))
            if name != "direct":
                lines.append(Figure(name=f"half load: {name}, {what} added", value=added, unit="ms"))
    return lines


if __name__ == "__main__":
    sys.exit(main())
