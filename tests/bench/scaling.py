"""Whether a request costs the same with more routes, connections and workers; and how much memory they take.

Compared is processor time per request: with the load generator and the service on the same few cores,
requests per second would tell how many cores there are. Several processes accept from one socket, as workers
do.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from bench import gateway, proxies
from bench.load import Load, LoadError, Request, describe_wrk, run
from bench.processor import memory_mb, processor_s
from bench.proxies import Cost, Subject
from bench.report import Figure, report

ROUTES = (10, 1_000, 5_000)
CONNECTIONS = (10, 100, 1_000, 5_000)
WORKERS = (1, 2)
ROUNDS = 3
SHORT_S, LONG_S = 2, 8
"""Two runs whose difference is what requests cost without the opening and closing of connections."""
STEP_S = 0.2


def main() -> int:
    """Measures and reports; returns the exit code."""
    try:
        print(describe_wrk())
        with tempfile.TemporaryDirectory(prefix="dhatu-bench-") as directory:
            site = gateway.Site(directory=Path(directory), **gateway.ports())
            for part in (over_routes, over_connections, over_workers):
                with ExitStack() as stack:
                    upstream = (sys.executable, "-m", "bench.upstream", str(site.upstream_port))
                    stack.enter_context(gateway.process(site, gateway.LOAD_CORE, upstream))
                    report(part(site, stack))
    except LoadError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Processes that accept from one socket."""

    url: str
    pids: tuple[int, ...]


def start(site: gateway.Site, stack: ExitStack, *, routes: int = 1, workers: int = 1) -> Crew:
    """Start so many workers with so many plain routes; each worker on the proxies' core."""
    pids: list[int] = []
    with closing(socket.create_server(("127.0.0.1", 0), backlog=2_048)) as listener:
        listener.set_inheritable(True)
        changes = {"BENCH_ROUTES": str(routes), "BENCH_LISTENER": str(listener.fileno())}
        command = (sys.executable, "-m", "bench.unlimited_gateway")
        for _ in range(workers):
            worker = gateway.process(site, gateway.PROXY_CORE, command, changes, (listener.fileno(),))
            pids.append(stack.enter_context(worker))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    gateway.wait_for(f"{url}/api/v1/health/live")
    return Crew(url=url, pids=tuple(pids))


def over_routes(site: gateway.Site, stack: ExitStack) -> list[Figure]:
    """The last of so many routes is asked for."""
    subjects: list[Subject] = []
    for routes in ROUTES:
        crew = start(site, stack, routes=routes)
        last = Request(path=f"/plain/{routes - 1}/thing", headers={})
        subjects.append(Subject(name=f"{routes} routes", base_url=crew.url, pids=crew.pids, request=last))
    return _beside_first(proxies.measure(tuple(subjects), ROUNDS))


def over_connections(site: gateway.Site, stack: ExitStack) -> list[Figure]:
    """So many connections that all have a request under way; and few of them beside many that are idle."""
    crew = start(site, stack)
    one = Subject(name="", base_url=crew.url, pids=crew.pids, request=Request(path="/plain/0/x", headers={}))
    subjects = [replace(one, name=f"{many} connections", connections=many) for many in CONNECTIONS]
    costs = _steady(subjects)
    host, port = crew.url.removeprefix("http://").split(":")
    for _ in range(CONNECTIONS[-1]):
        stack.enter_context(closing(socket.create_connection((host, int(port)))))
    name = f"{CONNECTIONS[0]} connections beside {CONNECTIONS[-1]} idle ones"
    beside_idle = replace(one, name=name, connections=CONNECTIONS[0])
    return _beside_first({**costs, **_steady([beside_idle])})


def _steady(subjects: Sequence[Subject]) -> dict[str, Cost]:
    """Medians over the rounds of what requests cost where all connections are open.

    Five thousand connections have as many requests under way when the load ends, and are closed after it:
    that is waited for, or whoever comes next would be charged with it.
    """
    found: dict[str, list[Cost]] = {subject.name: [] for subject in subjects}
    for _ in range(ROUNDS):
        for subject in subjects:
            (few, short_s), (many, long_s) = (_loaded(subject, seconds) for seconds in (SHORT_S, LONG_S))
            requests = many.requests - few.requests
            if requests <= 0:
                raise LoadError(f"{subject.name}: the machine is too busy, a longer run had no more requests")
            cost_us = 1e6 * (long_s - short_s) / requests
            cost = Cost(requests_per_s=many.requests_per_s, processor_us=cost_us, p99_ms=many.p99_ms)
            found[subject.name].append(cost)
    return {name: proxies.median_of(costs) for name, costs in found.items()}


def _loaded(subject: Subject, seconds: int) -> tuple[Load, float]:
    """One run, and the processor time until all that it left behind is done."""
    before_s = _at_rest_s(subject)
    load = run(
        subject.base_url,
        subject.request,
        connections=subject.connections,
        duration_s=seconds,
        core=gateway.LOAD_CORE,
    )
    return load, _at_rest_s(subject) - before_s


def _at_rest_s(subject: Subject) -> float:
    """Processor time of its processes so far, once they have nothing to do."""
    spent_s = sum(map(processor_s, subject.pids))
    while True:
        time.sleep(STEP_S)
        before_s, spent_s = spent_s, sum(map(processor_s, subject.pids))
        if spent_s - before_s < 0.02 * STEP_S + 0.011:  # a tick of the clock is 10 ms
            return spent_s


def over_workers(site: gateway.Site, stack: ExitStack) -> list[Figure]:
    """The same load on one worker and on two; their memory before and after."""
    request = Request(path="/plain/0/x", headers={})
    subjects: list[Subject] = []
    lines: list[Figure] = []
    for workers in WORKERS:
        crew = start(site, stack, workers=workers)
        subjects.append(
            Subject(name=f"workers: {workers}", base_url=crew.url, pids=crew.pids, request=request)
        )
    before = {subject.name: _memory(subject) for subject in subjects}
    costs = proxies.measure(tuple(subjects), ROUNDS)
    for subject in subjects:
        lines += _memory_figures(subject.name, "at rest", before[subject.name])
        lines += _memory_figures(subject.name, "after load", _memory(subject))
    return [*_beside_first(costs), *lines]


def _memory(subject: Subject) -> tuple[float, float]:
    """Of the worker that has most."""
    return max(memory_mb(pid) for pid in subject.pids)


def _memory_figures(name: str, when: str, memory: tuple[float, float]) -> list[Figure]:
    pss, rss = memory
    return [
        Figure(name=f"scaling: {name}, PSS {when}", value=pss, unit="MB/worker"),
        Figure(name=f"scaling: {name}, RSS {when}", value=rss, unit="MB/worker"),
    ]


def _beside_first(costs: Mapping[str, Cost]) -> list[Figure]:
    first = next(iter(costs))
    return [
        figure
        for name, cost in costs.items()
        for figure in proxies.beside(name, cost, first, costs, room="scaling")
    ]


if __name__ == "__main__":
    sys.exit(main())
