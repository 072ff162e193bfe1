"""What the tests of discovery share: the fake Consul as a process, and a quick rhythm."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from dhatu_gateway.core.discovery.http import JsonClient, ServerAccess
from dhatu_gateway.core.discovery.source import Found, Rhythm
from dhatu_gateway.core.upstream.discovery import Endpoint

FAKE_CONSUL = Path(__file__).with_name("fake_consul.py")
QUICK = Rhythm(least_s=0.0, first_backoff_s=0.01, longest_backoff_s=0.05)


class FakeConsul:
    """A process with the fake agent, which can be paused, killed, and started again at the same address."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()
        self._http = httpx.Client(trust_env=False, timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        arguments = [sys.executable, str(FAKE_CONSUL), str(self.port)]
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._http.close()
        self.kill()

    def put(self, path: str, body: object, token: str = "") -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self._http.put(self.url + path, content=content, headers={"x-consul-token": token})
        assert answer.status_code == 200, answer.text

    def register(self, name: str, identifier: str, port: int, token: str = "", **fields: Any) -> None:
        definition = {"Name": name, "ID": identifier, "Address": "127.0.0.1", "Port": port, **fields}
        self.put("/v1/agent/service/register", definition, token)

    def deregister(self, identifier: str) -> None:
        self.put(f"/v1/agent/service/deregister/{identifier}", b"")

    def misbehave(self, **how: Any) -> list[str]:
        """From now on, until it is told otherwise; answers what it has been asked so far."""
        asked: list[str] = self._http.put(f"{self.url}/fake", content=json.dumps(how)).json()
        return asked

    def client(self, token: str = "") -> JsonClient:
        return JsonClient(consul_access(self.url, token))


def consul_access(url: str, token: str = "") -> ServerAccess:
    return ServerAccess(name="Consul", url=url, token=token, token_header="x-consul-token", token_prefix="")


class Seen:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.sets: list[list[str]] = []
        self.last: tuple[Endpoint, ...] = ()

    def __call__(self, endpoints: Sequence[Endpoint]) -> None:
        self.last = tuple(endpoints)
        self.sets.append([endpoint.authority for endpoint in endpoints])


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)


def found(*hosts: str, **fields: Any) -> Found:
    return Found(endpoints=tuple(Endpoint(host=host, port=80) for host in hosts), **fields)
