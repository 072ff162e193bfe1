"""Child processes of a platform on one machine: started, awaited, ended, their logs kept."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

READY_WITHIN_S = 30.0
_POLL_S = 0.05
_STOP_WITHIN_S = 10.0
_LOG_TAIL_LINES = 20


class StartError(Exception):
    """A process ended or stayed silent before it was ready; the message holds the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """How to start one process and how to tell that it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health_url: str


class Process:
    """A running child process."""

    def __init__(self, spec: ProcessSpec, log_directory: Path) -> None:
        self.spec = spec
        self.log_path = log_directory / f"{spec.name}.log"
        with self.log_path.open("ab") as log:
            self._popen = subprocess.Popen(
                spec.command, env=dict(spec.environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def wait_ready(self, deadline_s: float) -> None:
        """Polls the health URL until it answers below 500.

        `deadline_s` is a reading of `time.monotonic`. Raises `StartError`.
        """
        while time.monotonic() < deadline_s:
            if self.exit_code is not None:
                raise StartError(f"{self.spec.name} ended with code {self.exit_code}.\n{self.log_tail()}")
            if _answers(self.spec.health_url):
                return
            time.sleep(_POLL_S)
        raise StartError(
            f"{self.spec.name} did not answer {self.spec.health_url} in time.\n{self.log_tail()}"
        )

    def log_tail(self) -> str:
        """The last lines that the process wrote."""
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_LOG_TAIL_LINES:])

    def stop(self) -> None:
        """Asks the process to end, then insists."""
        if self._popen.poll() is None:
            self._popen.terminate()
        try:
            self._popen.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


def start_all(specs: Sequence[ProcessSpec], log_directory: Path) -> list[Process]:
    """Starts every process at once and waits until all are ready; ends them all where one is not."""
    processes = [Process(spec, log_directory) for spec in specs]
    deadline_s = time.monotonic() + READY_WITHIN_S
    try:
        for process in processes:
            process.wait_ready(deadline_s)
    except BaseException:
        stop_all(processes)
        raise
    return processes


def stop_all(processes: Sequence[Process]) -> None:
    """Ends processes in the reverse of the order in which they were started."""
    for process in reversed(processes):
        process.stop()


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nobody used a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for held in sockets:
        # On all addresses: some servers refuse a port that a connection of another address still has.
        held.bind(("", 0))
    ports = [int(held.getsockname()[1]) for held in sockets]
    for held in sockets:
        held.close()
    return ports


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2.0):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
