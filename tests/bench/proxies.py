"""The gateway and Envoy beside nginx: plain, and with every policy on.

Besides requests per second, what one request costs in processor time: that is what a machine that does other
things meanwhile disturbs least.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from dhatu_reference.processes import free_ports

from bench import gateway, nginx
from bench.load import LoadError, Request, describe_wrk, run
from bench.processor import processor_s
from bench.report import Figure, report

ROUNDS = 5
SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is measured: where it is, whose processor time counts, and what is sent."""

    name: str
    base_url: str
    pids: tuple[int, ...]
    request: Request
    connections: int = gateway.CONNECTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Medians over the rounds."""

    requests_per_s: float
    processor_us: float
    """Per request."""
    p99_ms: float


def main() -> int:
    """Measures and reports; returns the exit code."""
    try:
        print(describe_wrk())
        with tempfile.TemporaryDirectory(prefix="dhatu-bench-") as directory:
            site = gateway.Site(directory=Path(directory), **gateway.ports())
            with running(site) as subjects:
                costs = measure(subjects)
    except LoadError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    report(figures(costs))
    return 0


def measure(subjects: tuple[Subject, ...], rounds: int = ROUNDS) -> dict[str, Cost]:
    """Load each subject in turn, several times over."""
    found: dict[str, list[Cost]] = {subject.name: [] for subject in subjects}
    for _ in range(rounds):
        for subject in subjects:
            before_s = sum(map(processor_s, subject.pids))
            load = run(
                subject.base_url,
                subject.request,
                connections=subject.connections,
                duration_s=SECONDS,
                core=gateway.LOAD_CORE,
            )
            spent_s = sum(map(processor_s, subject.pids)) - before_s
            found[subject.name].append(
                Cost(
                    requests_per_s=load.requests_per_s,
                    processor_us=1e6 * spent_s / load.requests,
                    p99_ms=load.p99_ms,
                )
            )
    return {name: median_of(costs) for name, costs in found.items()}


def median_of(costs: list[Cost]) -> Cost:
    return Cost(
        requests_per_s=median(cost.requests_per_s for cost in costs),
        processor_us=median(cost.processor_us for cost in costs),
        p99_ms=median(cost.p99_ms for cost in costs),
    )


def figures(costs: Mapping[str, Cost]) -> list[Figure]:
    """Each beside nginx, where there is one."""
    return [figure for name, cost in costs.items() for figure in beside(name, cost, "nginx", costs)]


def beside(name: str, cost: Cost, other: str, costs: Mapping[str, Cost], room: str = "proxy") -> list[Figure]:
    """Requests per second and their cost, compared with those of another subject."""
    than = costs.get(other) if name != other else None

    def figure(what: str, value: float, unit: str, against: float | None) -> Figure:
        ratio = None if against is None else value / against
        return Figure(
            name=f"{room}: {name}, {what}",
            value=value,
            unit=unit,
            ratio=ratio,
            against=None if ratio is None else other,
        )

    return [
        figure("rate", cost.requests_per_s, "requests/s", None if than is None else than.requests_per_s),
        figure("processor", cost.processor_us, "us/request", None if than is None else than.processor_us),
    ]


@contextmanager
def running(site: gateway.Site) -> Generator[tuple[Subject, ...]]:
    """Start the service, nginx and the gateway; yields what is to be loaded."""
    with ExitStack() as stack:
        key = gateway.create_key(site)
        upstream = (sys.executable, "-m", "bench.upstream", str(site.upstream_port))
        stack.enter_context(gateway.process(site, gateway.LOAD_CORE, upstream))
        gateway.wait_for(f"http://127.0.0.1:{site.upstream_port}/")
        command = (sys.executable, "-m", "bench.unlimited_gateway")
        pid = stack.enter_context(gateway.process(site, gateway.PROXY_CORE, command, {"BENCH_ROUTES": "1"}))
        url = site.targets["gateway"]
        gateway.wait_for(f"{url}/api/v1/health/live")
        body = {"Content-Type": "application/json"}
        bare = Request(path="/plain/0/thing", method="POST", headers=body, body=gateway.BODY)
        token = gateway.buy_token(site.gateway_port, key)
        bearer = {"Authorization": f"Bearer {token}"}
        full = Request(path="/api/v1/compress", method="POST", headers={**body, **bearer}, body=gateway.BODY)
        envoy = stack.enter_context(gateway.envoy_process(site, token))
        gateway.wait_for(site.targets["envoy"])
        subjects = [
            Subject(name="gateway, plain", base_url=url, pids=(pid,), request=bare),
            Subject(name="gateway, all policies", base_url=url, pids=(pid,), request=full),
            Subject(name="envoy", base_url=site.targets["envoy"], pids=(envoy,), request=full),
        ]
        port = free_ports(1)[0]
        other = nginx.command(site.directory, port=port, upstream_port=site.upstream_port)
        if other is None:
            print(nginx.MISSING)
        else:
            there = stack.enter_context(gateway.process(site, gateway.PROXY_CORE, other))
            base_url = f"http://127.0.0.1:{port}"
            gateway.wait_for(base_url)
            subjects.insert(0, Subject(name="nginx", base_url=base_url, pids=(there,), request=bare))
        yield tuple(subjects)


if __name__ == "__main__":
    sys.exit(main())
