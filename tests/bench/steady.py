"""A client that keeps to a rate, whatever the answers do; prints the latencies.

Each request counts from the moment when it was due, not from when it could be sent: a server that stops for a
while must not be excused by the requests that were not sent meanwhile (Gil Tene: coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from typing import cast

import uvloop

from bench.load import LoadError, Request

CONNECTIONS = 64
TICK_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    p50_ms: float
    p99_ms: float


def run(port: int, request: Request, *, rate: float, duration_s: float, core: int) -> Latency:
    """Send `rate` requests per second from a process of its own; raises LoadError where one fails."""
    fields = {"Host": "bench", **request.headers, "Content-Length": str(len(request.body.encode()))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    raw = f"{request.method} {request.path} HTTP/1.1\r\n{lines}\r\n{request.body}"
    asked = json.dumps([port, raw, rate, duration_s])
    command = ["taskset", "-c", str(core), sys.executable, "-m", "bench.steady"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LoadError(f"the client that keeps to a rate failed: {done.stderr}")
    return Latency(**json.loads(done.stdout))


class Steady:
    """Sends what is due every millisecond, over whichever connection is free."""

    def __init__(self, raw: bytes, rate: float, duration_s: float) -> None:
        self.raw = raw
        self.took_s: list[float] = []
        self.free: deque[_Connection] = deque()
        self.due_s: deque[float] = deque()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rate = rate
        self._total = int(rate * duration_s)
        self._sent = 0
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    def tick(self) -> None:
        now_s = self._loop.time()
        owed = min(self._total, int((now_s - self._began_s) * self._rate))
        for number in range(self._sent, owed):
            self.due_s.append(self._began_s + (number + 1) / self._rate)
        self._sent = owed
        self.send()
        if self._sent < self._total:
            self._loop.call_later(TICK_S, self.tick)

    def send(self) -> None:
        while self.due_s and self.free:
            self.free.popleft().send(self.due_s.popleft())

    def answered(self, connection: _Connection, due_s: float) -> None:
        self.took_s.append(self._loop.time() - due_s)
        self.free.append(connection)
        self.send()
        if len(self.took_s) == self._total:
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    def __init__(self, steady: Steady) -> None:
        self._steady = steady
        self._transport: asyncio.Transport | None = None
        self._due_s = 0.0
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._steady.free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._steady.done.done():
            self._steady.done.set_exception(LoadError("a connection was closed"))

    def send(self, due_s: float) -> None:
        assert self._transport is not None
        self._due_s = due_s
        self._transport.write(self._steady.raw)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) >= int(length):
            self._data = b""
            if not head.startswith(b"HTTP/1.1 200") and not self._steady.done.done():
                self._steady.done.set_exception(LoadError(head.decode("latin-1")))
            self._steady.answered(self, self._due_s)


async def _main() -> None:
    port, raw, rate, duration_s = json.loads(sys.stdin.read())
    loop = asyncio.get_running_loop()
    steady = Steady(raw.encode(), rate, duration_s)
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Connection(steady), "127.0.0.1", port)
    steady.tick()
    await steady.done
    took_ms = sorted(1000 * took_s for took_s in steady.took_s)
    found = {"p50_ms": took_ms[len(took_ms) // 2], "p99_ms": took_ms[len(took_ms) * 99 // 100]}
    print(json.dumps(found))


if __name__ == "__main__":
    uvloop.run(_main())
