"""The gateway beside Envoy and a naive proxy: same core, same upstream, same requests, runs interleaved.

The gateway verifies a JWT, checks its scope, takes a token from a bucket, validates the JSON body, chooses
the endpoint and counts; Envoy verifies the same JWT and takes a token from its local bucket.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import jwt
from dhatu_reference.processes import free_ports

from . import envoy
from .load import Load, LoadError, Request, describe_wrk, run
from .report import Figure, report

PROXY_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 32
ROUNDS = 3
SECONDS = 4
SECRET = "a secret of the benchmark alone, long enough for HS256"
BODY = '{"text": "dharmakṣetre kurukṣetre samavetā yuyutsavaḥ"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where everything of one benchmark runs."""

    directory: Path
    upstream_port: int
    gateway_port: int
    envoy_port: int
    naive_port: int

    @property
    def targets(self) -> Mapping[str, str]:
        """Base URL of each proxy, by name."""
        ports = {"gateway": self.gateway_port, "envoy": self.envoy_port, "naive": self.naive_port}
        return {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}

    @property
    def environment(self) -> dict[str, str]:
        upstream = f"http://127.0.0.1:{self.upstream_port}"
        return {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "UPSTREAM_URL": upstream,
            "COMPRESSION_SERVICE_URL": upstream,
            "GATEWAY_PORT": str(self.gateway_port),
            "GATEWAY_DATABASE": str(self.directory / "gateway.sqlite3"),
            "JWT_SECRET_KEY": SECRET,
            "REDIS_URL": "",
        }


def main() -> int:
    """Measures and reports; returns the exit code."""
    try:
        print(describe_wrk())
        print(f"{ROUNDS} rounds of {SECONDS} s, {CONNECTIONS} connections, proxies on core {PROXY_CORE}\n")
        with tempfile.TemporaryDirectory(prefix="dhatu-bench-") as directory:
            site = Site(directory=Path(directory), **ports())
            with running(site) as request:
                loads = measure(site, request)
    except LoadError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    report(figures(loads))
    return 0


def measure(site: Site, request: Request) -> dict[str, list[Load]]:
    """Runs the load against each proxy in turn, several times over."""
    loads: dict[str, list[Load]] = {name: [] for name in site.targets}
    for _ in range(ROUNDS):
        for name, base_url in site.targets.items():
            loads[name].append(
                run(base_url, request, connections=CONNECTIONS, duration_s=SECONDS, core=LOAD_CORE)
            )
    return loads


def figures(loads: Mapping[str, list[Load]]) -> list[Figure]:
    """Medians over the rounds; the gateway's with their ratios to the others."""
    rate = {name: median(load.requests_per_s for load in of_one) for name, of_one in loads.items()}
    p50 = {name: median(load.p50_ms for load in of_one) for name, of_one in loads.items()}
    p99 = {name: median(load.p99_ms for load in of_one) for name, of_one in loads.items()}
    lines: list[Figure] = []
    for against in ("envoy", "naive"):
        lines.append(_compared("requests_per_s", rate, "requests/s", against))
        lines.append(_compared("p50", p50, "ms", against))
        lines.append(_compared("p99", p99, "ms", against))
    for name in ("envoy", "naive"):
        lines.append(Figure(name=f"{name}.requests_per_s", value=rate[name], unit="requests/s"))
        lines.append(Figure(name=f"{name}.p50", value=p50[name], unit="ms"))
        lines.append(Figure(name=f"{name}.p99", value=p99[name], unit="ms"))
    return lines


def _compared(measure_name: str, values: Mapping[str, float], unit: str, against: str) -> Figure:
    return Figure(
        name=f"gateway.{measure_name}_vs_{against}",
        value=values["gateway"],
        unit=unit,
        ratio=values["gateway"] / values[against],
        against=f"{against}.{measure_name}",
    )


@contextmanager
def running(site: Site) -> Generator[Request]:
    """Starts the upstream and the proxies, each pinned to its core; yields the request to send."""
    python = sys.executable
    with ExitStack() as stack:
        key = create_key(site)
        stack.enter_context(
            process(site, LOAD_CORE, (python, "-m", "bench.upstream", str(site.upstream_port)))
        )
        stack.enter_context(process(site, PROXY_CORE, (python, "-m", "bench.unlimited_gateway")))
        naive = (python, "-m", "uvicorn", "bench.naive:app", "--port", str(site.naive_port))
        stack.enter_context(process(site, PROXY_CORE, (*naive, "--log-level", "warning", "--no-access-log")))
        wait_for(f"http://127.0.0.1:{site.gateway_port}/api/v1/health/live")
        token = buy_token(site.gateway_port, key)
        stack.enter_context(envoy_process(site, token))
        request = Request(
            path="/api/v1/compress",
            method="POST",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=BODY,
        )
        for base_url in site.targets.values():
            wait_for(base_url)
        yield request


def envoy_process(site: Site, token: str) -> _Running:
    claims = jwt.decode(token, options={"verify_signature": False})
    config = site.directory / "envoy.json"
    envoy.write_config(
        config,
        port=site.envoy_port,
        upstream_port=site.upstream_port,
        secret=SECRET,
        issuer=claims["iss"],
        audience=claims["aud"],
    )
    binary = str(Path(sys.executable).with_name("envoy"))
    command = (binary, "-c", str(config), "--concurrency", "1", "--log-level", "error")
    return process(site, PROXY_CORE, command)


class _Running:
    """A process that is ended with its block."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen

    def __enter__(self) -> int:
        """Return its id."""
        return self._popen.pid

    def __exit__(self, *error: object) -> None:
        self._popen.terminate()
        self._popen.wait()


def process(
    site: Site,
    core: int,
    command: tuple[str, ...],
    changes: Mapping[str, str] | None = None,
    files: tuple[int, ...] = (),
) -> _Running:
    """A process on one core, its environment that of the site with some changes; it inherits these files."""
    log = (site.directory / "log").open("ab")
    with log:
        pinned = ["taskset", "-c", str(core), *command]
        environment = {**site.environment, **(changes or {})}
        return _Running(subprocess.Popen(pinned, env=environment, stdout=log, stderr=log, pass_fds=files))


def create_key(site: Site) -> str:
    command = [sys.executable, "-m", "dhatu_gateway", "keys", "create", "--quiet"]
    done = subprocess.run(
        [*command, "--name", "bench", "--scope", "compression:use"],
        env=site.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def buy_token(port: int, key: str) -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/v1/auth/token",
        json={"grant_type": "api_key", "api_key": key},
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def wait_for(url: str) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            httpx.get(url)
            return
        except httpx.TransportError as error:
            if time.monotonic() > deadline_s:
                raise LoadError(f"{url} does not answer") from error
            time.sleep(0.1)


def ports() -> dict[str, int]:
    names = ("upstream_port", "gateway_port", "envoy_port", "naive_port")
    return dict(zip(names, free_ports(len(names)), strict=True))


if __name__ == "__main__":
    sys.exit(main())
