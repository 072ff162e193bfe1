"""The gateway's processes: they start together, share what they must, and leave nothing behind."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dhatu_gateway.deployment import Deployment
from dhatu_gateway.serve import serve
from dhatu_gateway.settings import SettingsError, read_settings
from gateway.tls.authorities import Authority, Files, Leaf

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
        announced = re.search(r"https?://\S+", process.stderr.readline())
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


def test_workers_serve_over_tls_and_take_up_a_renewed_certificate(tmp_path: Path) -> None:
    files, new = Files(tmp_path), Authority("New servers")
    tls = {
        "GATEWAY_TLS_CERTIFICATE_FILE": str(files.certificate),
        "GATEWAY_CLIENT_CA_FILE": str(files.client_ca),
        "GATEWAY_CLIENT_CERTIFICATES": "optional",
        "GATEWAY_WORKERS": "2",
    }
    with gateway(tmp_path, **tls) as (process, url):
        try:
            assert url.startswith("https://")
            port = int(url.rpartition(":")[2])
            status, headers = ask_over_tls(port, files.caller())
            assert (status, headers["strict-transport-security"]) == (200, "max-age=31536000")
            files.write("gateway.pem", new.issue(Leaf(sans=("DNS:gateway.test",))))
            trusting = files.caller(None, new)
            answers: list[int] = []
            while len(answers) < 8:  # until each worker has looked again, after two seconds
                try:
                    answers.append(ask_over_tls(port, trusting)[0])
                except ssl.SSLCertVerificationError:
                    answers.clear()
                    time.sleep(0.05)
            assert answers == [200] * 8
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def ask_over_tls(port: int, context: ssl.SSLContext) -> tuple[int, dict[str, str]]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as bare,
        context.wrap_socket(bare, server_hostname="gateway.test") as wire,
    ):
        wire.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        reply = http.client.HTTPResponse(wire)
        reply.begin()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {"GATEWAY_DEMO": "1", "GATEWAY_PORT": str(taken.getsockname()[1])}
        with pytest.raises(SettingsError, match=r"GATEWAY_HOST, GATEWAY_PORT: cannot listen on"):
            serve(Deployment(settings=read_settings(environment, ()), table=None))
