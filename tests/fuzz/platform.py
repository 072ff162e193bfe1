"""What is fuzzed, started: a gateway in a process of its own, and services behind it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from dhatu_reference.processes import ProcessSpec, free_ports, start_all, stop_all
from dhatu_reference.stack import ALL_SCOPES, SERVICES, Stack

from .strict_service import Log, StrictService

_ROOT = Path(__file__).parents[1]
_TARGET = (sys.executable, "-m", "fuzz.target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A running gateway, and how to get in."""

    port: int
    key: str
    """Allows everything."""
    probe: Path
    """Where the gateway tells what it holds."""
    gateway_log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def in_flight(self) -> int:
        """Requests that services work on, as the gateway knows it."""
        status = httpx.get(f"{self.url}/api/v1/status", headers={"X-API-Key": self.key}).json()
        return sum(
            endpoint["in_flight"] for service in status["services"] for endpoint in service["endpoints"]
        )


@contextmanager
def with_reference_services(directory: Path) -> Generator[Platform]:
    """The whole platform, as the demo starts it."""
    environment = _environment(directory)
    with Stack(directory, gateway=_TARGET, environment=environment) as stack:
        yield Platform(
            port=int(stack.addresses.gateway.rpartition(":")[2]),
            key=stack.api_key,
            probe=Path(environment["FUZZ_PROBE"]),
            gateway_log=directory / "gateway.log",
        )


@contextmanager
def with_strict_service(directory: Path) -> Generator[tuple[Platform, Log]]:
    """A gateway by itself: all services are one that reads strictly."""
    (port,) = free_ports(1)
    with StrictService.serving() as service:
        url = f"http://127.0.0.1:{service.port}"
        environment = {
            **os.environ,
            **_environment(directory),
            **{f"{name.upper()}_SERVICE_URL": url for name in SERVICES},
            "GATEWAY_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "GATEWAY_DATABASE": str(directory / "gateway.sqlite3"),
            "JWT_SECRET_KEY": secrets.token_urlsafe(48),
        }
        key = _create_key(environment)
        target = ProcessSpec(
            name="gateway",
            command=_TARGET,
            environment=environment,
            health_url=f"http://127.0.0.1:{port}/api/v1/health/live",
        )
        processes = start_all([target], directory)
        try:
            yield (
                Platform(
                    port=port,
                    key=key,
                    probe=Path(environment["FUZZ_PROBE"]),
                    gateway_log=processes[0].log_path,
                ),
                service.log,
            )
        finally:
            stop_all(processes)


def _environment(directory: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(_ROOT), "FUZZ_PROBE": str(directory / "probe.sock")}


def _create_key(environment: Mapping[str, str]) -> str:
    scopes = [word for scope in ALL_SCOPES for word in ("--scope", scope)]
    command = [sys.executable, "-m", "dhatu_gateway", "keys", "create", "--name", "fuzz", "--quiet", *scopes]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
