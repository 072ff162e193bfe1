"""Processes to be killed, paused and told to misbehave: a service twice, and the gateway in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.clients import PATIENCE_S, Load, Outcome, Repeated, Request, until
from chaos.specification import SERVICES
from gateway.processes.support import Running, gateway

SERVICE = Path(__file__).parent / "service.py"


class Endpoint:
    """One process of the service."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it anew, at its port; it is well and has seen nothing."""
        self._process = _started(self.name, self.port)

        async def is_up() -> bool:
            try:
                await self._ask("tell")
            except OSError:
                return False
            return True

        await until(is_up, "the service is up")

    def kill(self) -> None:
        """End it without a word, and wait until the system has closed what it had open."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    async def told(self, mode: str) -> None:
        await self._ask(mode)

    async def requests(self) -> int:
        """How many it has seen since its start."""
        return (await self._ask("tell"))["requests"]

    async def held(self) -> int:
        """How many wait in it."""
        return (await self._ask("tell"))["held"]

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    async def _ask(self, word: str) -> dict[str, int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET /control/{word} HTTP/1.1\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            async with asyncio.timeout(PATIENCE_S):
                answer: dict[str, int] = json.loads(await reader.readuntil(b"}"))
                return answer
        finally:
            writer.close()


def _started(name: str, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", str(SERVICE), name, str(port)])


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What stands, and who calls it."""

    a: Endpoint
    b: Endpoint
    gateway: Running

    @property
    def port(self) -> int:
        return self.gateway.port

    def load(self, target: str, method: str = "GET", **headers: str) -> Load:
        """Clients that have not begun yet; `target` is `SERVICE/OPERATION`."""
        return self.load_of(request(target, method, **headers))

    def load_of(self, what: Request) -> Load:
        return Load(lambda: Repeated(self.port, what))

    async def call(self, target: str, method: str = "GET", **headers: str) -> Outcome:
        """One call over a connection of its own."""
        return (await self.load(target, method, **headers).make(1, clients=1)).outcomes[0]

    async def hold(self, count: int) -> None:
        """Wait until so many calls wait in both endpoints together."""

        async def do() -> bool:
            return await self.a.held() + await self.b.held() == count

        await until(do, f"the service holds {count}")

    async def stays(self, target: str, status: int, method: str = "GET", **headers: str) -> None:
        """Wait until each of a number of calls, over connections of their own, is answered so."""

        async def is_so() -> bool:
            outcomes = [await self.call(target, method, **headers) for _ in range(8)]
            return {outcome.status for outcome in outcomes} == {status}

        await until(is_so, f"{target} is answered with {status}")


def request(target: str, method: str = "GET", **headers: str) -> Request:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(target=f"/api/v1/{target}", method=method, headers=fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A gateway that is up, and where its endpoints are to be: for one world after the other."""

    a: Endpoint
    b: Endpoint
    gateway: Running
    settings: Mapping[str, str]
    """What the gateway was started with, for others beside it."""

    @asynccontextmanager
    async def world(self) -> AsyncGenerator[World]:
        """Two endpoints that are well and have seen nothing, whatever became of the ones before."""
        for endpoint in (self.a, self.b):
            endpoint.kill()
        await asyncio.gather(self.a.start(), self.b.start())
        yield World(a=self.a, b=self.b, gateway=self.gateway)


@contextmanager
def stage(directory: Path, table: Path, **environment: str) -> Generator[Stage]:
    """Start a gateway and wait until it is ready; `table` is what `generate` has made."""
    a, b = (Endpoint(name, port) for name, port in zip("ab", quiet_ports(2), strict=True))
    urls = f"http://127.0.0.1:{a.port}, http://127.0.0.1:{b.port}"
    settings = {f"{name.upper()}_SERVICE_URL": urls for name in SERVICES}
    settings |= {"GATEWAY_TABLE": str(table), **environment}
    try:
        with gateway(directory, **settings) as running:
            running.logged("ready")
            try:
                yield Stage(a=a, b=b, gateway=running, settings=settings)
            finally:
                end(running)
    finally:
        a.kill()
        b.kill()


def end(running: Running) -> None:
    """Not by a kill, or the Valkey server that it has started would stay. The second signal cuts off."""
    while running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)


def quiet_ports(count: int) -> list[int]:
    """Free ones that the system gives to no client, so that they are free again after a kill."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(lowest // 2, lowest)
        with socket.socket() as held, contextlib.suppress(OSError):
            held.bind(("127.0.0.1", port))
            found.append(port)
    return found


@asynccontextmanager
async def world(directory: Path, table: Path, **environment: str) -> AsyncGenerator[World]:
    """Two endpoints and a gateway of its own, all of them ready."""
    with stage(directory, table, **environment) as stands:
        async with stands.world() as w:
            yield w
