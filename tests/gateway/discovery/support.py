"""What the tests of discovery share: the fake Consul as a process, and a quick rhythm."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from dhatu_gateway.auth.api_keys import ApiKeys, NewKey
from dhatu_gateway.auth.store.opening import open_store
from dhatu_gateway.core.discovery.http import JsonClient, ServerAccess
from dhatu_gateway.core.discovery.source import Found, Rhythm
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.settings import read_settings
from dhatu_gateway.table import generated_table

TESTS = Path(__file__).parents[2]
QUICK = Rhythm(least_s=0.0, first_backoff_s=0.01, longest_backoff_s=0.05)


class FakeConsul:
    """A process with the fake agent, which can be paused, killed, and started again at the same address."""

    def __init__(self, tls: Sequence[str] = (), verify: ssl.SSLContext | bool = True) -> None:
        """`tls` are the fake's files; `verify` is what this object itself asks it with."""
        self.port = 0
        self._tls = tls
        self._process: subprocess.Popen[str] | None = None
        self.start()
        self._http = httpx.Client(trust_env=False, timeout=10, verify=verify)

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def start(self) -> None:
        arguments = [sys.executable, "-m", "gateway.discovery.fake_consul", str(self.port), *self._tls]
        self._process = subprocess.Popen(arguments, cwd=TESTS, stdout=subprocess.PIPE, text=True)
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

    def get(self, path: str, token: str = "") -> Any:
        answer = self._http.get(self.url + path, headers={"x-consul-token": token})
        assert answer.status_code == 200, answer.text
        return answer.json()

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


def entry(consul: FakeConsul, identifier: str, token: str = "") -> dict[str, Any] | None:
    """What the agent has of a service, by its id."""
    found: dict[str, Any] = consul.get("/v1/agent/services", token)
    return found.get(identifier)


def checks(consul: FakeConsul) -> dict[str, str]:
    """Statuses of all checks."""
    return {name: check["Status"] for name, check in consul.get("/v1/agent/checks").items()}


async def admin_key(database: Path) -> str:
    """A key for a gateway with this database that may call everything."""
    settings = read_settings({"GATEWAY_DEMO": "1", "GATEWAY_DATABASE": str(database)}, ())
    store = await open_store(settings.database)
    try:
        platform = generated_table().platform
        scopes = frozenset(name for name, _ in platform.scopes)
        new = NewKey(name="test", owner="test", scopes=scopes, roles=frozenset({"admin"}))
        keys = ApiKeys(store, await store.secret("api-keys"))
        return (await keys.create(new, actor="test", now_s=time.time()))[1]
    finally:
        await store.close()
