"""A gateway in processes of its own, and clients that notice every call that fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0


@dataclass
class Running:
    """A gateway that was started by its command."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)
    """What it has logged."""

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def workers(self) -> set[int]:
        """Their ids, by what the system says of the parent's children that serve."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(child) for child in found if "--multiprocessing-fork" in _command(int(child))}

    def logged(self, text: str) -> None:
        """Wait until it has logged something."""
        until(lambda: any(text in line for line in self.lines), f"nothing logged: {text}")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def until(true: Any, otherwise: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline_s, otherwise
        time.sleep(0.02)


def command(directory: Path, *words: str) -> str:
    """Run `dhatu-gateway` beside a gateway of that folder; returns what it prints."""
    words = (sys.executable, "-m", "dhatu_gateway", *words)
    return subprocess.run(words, cwd=directory, check=True, capture_output=True, text=True).stdout


@contextmanager
def gateway(directory: Path, **environment: str) -> Generator[Running]:
    """Run `dhatu-gateway serve` until the end of the block."""
    settings = {"GATEWAY_DEMO": "1", "GATEWAY_PORT": "0", "REDIS_URL": "", "TMPDIR": str(directory)}
    process = subprocess.Popen(
        [sys.executable, "-m", "dhatu_gateway", "serve"],
        env={**os.environ, **settings, **environment},
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    announced = re.search(r"http://[^\s]+:(\d+)", process.stderr.readline())
    assert announced is not None
    running = Running(process, int(announced[1]))
    reading = threading.Thread(target=running.lines.extend, args=(process.stderr,), daemon=True)
    reading.start()
    try:
        yield running
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stderr.close()


@dataclass
class Load:
    """Clients with connections that stay open, who call without a pause."""

    port: int
    path: str = "/nowhere"
    """Refused by the router, before any limit."""
    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return sum(self.statuses.values())

    @contextmanager
    def running(self, clients: int) -> Generator[None]:
        """Call during the block; in threads, since the block waits."""
        self._over = threading.Event()
        threads = [threading.Thread(target=self._call) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _call(self) -> None:
        connection: HTTPConnection | None = None
        while not self._over.is_set():
            connection = connection or HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
            try:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
            except Exception as error:  # each is what this is here to find
                self.failures.append(repr(error))
                connection.close()
                connection = None
                continue
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            if answer.will_close:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()
