"""The gateway's processes: they start together, share what they must, and leave nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dhatu_gateway.serve import serve
from dhatu_gateway.settings import SettingsError, read_settings

WITHOUT_SERVICES = {"GATEWAY_DEMO": "1", "GATEWAY_PORT": "0", "REDIS_URL": ""}


@contextmanager
def gateway(directory: Path, **environment: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run `dhatu-gateway serve`; yields the process and its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dhatu_gateway", "serve"],
        env={**os.environ, **WITHOUT_SERVICES, "TMPDIR": str(directory), **environment},
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        announced = re.search(r"http://\S+", process.stderr.readline())
        assert announced is not None
        yield process, announced[0]
    finally:
        process.kill()
        process.communicate()


def ask(url: str) -> tuple[str, dict[str, str]]:
    # The listening socket exists before the workers: whoever comes early waits in its queue.
    with urllib.request.urlopen(url, timeout=30) as reply:
        return reply.read().decode(), dict(reply.headers)


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_until_it_is_told_to_stop(workers: int, tmp_path: Path) -> None:
    with gateway(tmp_path, GATEWAY_WORKERS=str(workers)) as (process, url):
        body, headers = ask(f"{url}/api/v1/health")
        checks = [check["name"] for check in json.loads(body)["checks"]]
        assert ("redis" in checks) is (workers > 1)
        assert "x-request-id" in {name.lower() for name in headers}
        assert "server" not in {name.lower() for name in headers}
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(("dhatu-", "valkey-"))] == []


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {"GATEWAY_DEMO": "1", "GATEWAY_PORT": str(taken.getsockname()[1])}
        with pytest.raises(SettingsError, match=r"GATEWAY_HOST, GATEWAY_PORT: cannot listen on"):
            serve(read_settings(environment, ()))
