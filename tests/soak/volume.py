"""A GiB down and a GiB up, to quick and to slow readers, in memory that stays flat: part of `make soak`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from dhatu_gateway.core.types import Body, MediaType, Route
from gateway.processes.support import Running, gateway

from soak.tables import VALIDATE, Versions

MIB = 1_048_576
MAY_GROW = 16 * MIB
"""What a run may take beside what the gateway has taken before it; a body that is held would take a GiB."""
PIECE = bytes(MIB)
NAP_S = 0.02
"""What a slow reader does after every few MiB: four times as long as a quick one needs for them."""
MIB_BETWEEN = 4
ANY = Body(required=False, media_types=(MediaType(media_type="*/*", schema="", kind="stream", parts=()),))

Direction = Literal["down", "up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One transfer."""

    direction: Direction
    slow: bool
    size: int
    """Bytes."""

    def __str__(self) -> str:
        return f"{self.size // MIB} MiB {self.direction}{', to a slow reader' if self.slow else ''}"

    async def read(self, wire: socket.socket, size: int) -> None:
        """Receive so many bytes; raises `EOFError` where fewer come."""
        loop, buffer, left = asyncio.get_running_loop(), bytearray(MIB), size
        while left:
            count = await loop.sock_recv_into(wire, memoryview(buffer)[: min(left, MIB)])
            if not count:
                raise EOFError(f"{left} bytes are missing")
            if self.slow and left // (MIB_BETWEEN * MIB) != (left - count) // (MIB_BETWEEN * MIB):
                await asyncio.sleep(NAP_S)
            left -= count


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    took_s: float
    before: int
    """Resident bytes of the gateway."""
    most: int

    @property
    def flat(self) -> bool:
        return self.most - self.before <= MAY_GROW

    def __str__(self) -> str:
        verdict = "flat" if self.flat else f"NOT FLAT: more than {MAY_GROW // MIB} MiB more"
        memory = f"{self.before / MIB:.1f} MiB before, at most {self.most / MIB:.1f}"
        return f"{self.took_s:5.1f} s, {memory}: {verdict}"


@dataclass
class Service:
    """Sends or takes what the run at hand says, on connections of their own."""

    run: Run
    failed: list[BaseException] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[int]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            accepting = asyncio.create_task(self._accept(listening))
            yield listening.getsockname()[1]
            for task in (accepting, *self._tasks):
                task.cancel()
            await asyncio.wait((accepting, *self._tasks))

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            wire, _ = await asyncio.get_running_loop().sock_accept(listening)
            self._tasks.add(asyncio.create_task(self._serve(wire)))

    async def _serve(self, wire: socket.socket) -> None:
        loop, run = asyncio.get_running_loop(), self.run
        with wire:
            await _head(wire)
            if run.direction == "up":
                await run.read(wire, run.size)
                await loop.sock_sendall(wire, _answer(0))
            else:
                await loop.sock_sendall(wire, _answer(run.size))
                await _send(wire, run.size)


def _answer(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % length


async def _head(wire: socket.socket) -> bytes:
    """Read a head, and nothing after it."""
    head, loop = b"", asyncio.get_running_loop()
    while not head.endswith(b"\r\n\r\n"):
        byte = await loop.sock_recv(wire, 1)
        if not byte:
            raise EOFError(f"it ended in its head: {head!r}")
        head += byte
    return head


async def _send(wire: socket.socket, size: int) -> None:
    for _ in range(size // MIB):
        await asyncio.get_running_loop().sock_sendall(wire, PIECE)


async def transfer(run: Run, port: int) -> None:
    """Do it as a client; raises where not every byte gets there."""
    loop, path = asyncio.get_running_loop(), f"/api/v1/soak/{run.direction}"
    with socket.socket() as wire:
        wire.setblocking(False)
        await loop.sock_connect(wire, ("127.0.0.1", port))
        if run.direction == "down":
            await loop.sock_sendall(wire, f"GET {path} HTTP/1.1\r\nHost: soak\r\n\r\n".encode())
        else:
            fields = f"Host: soak\r\nContent-Type: text/plain\r\nContent-Length: {run.size}\r\n"
            await loop.sock_sendall(wire, f"PUT {path} HTTP/1.1\r\n{fields}\r\n".encode())
            await _send(wire, run.size)
        answer = await _head(wire)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(answer.decode("latin-1"))
        if run.direction == "down":
            await run.read(wire, run.size)


async def measure(run: Run, service: Service, running: Running) -> Figures:
    """The memory of the gateway's one process, before the run and at most while it lasts."""
    service.run = run
    before, began_s = _resident_bytes(running), time.perf_counter()
    most, work = before, asyncio.create_task(transfer(run, running.port))
    while not work.done():
        await asyncio.wait((work,), timeout=0.02)
        most = max(most, _resident_bytes(running))
    await work
    return Figures(took_s=time.perf_counter() - began_s, before=before, most=most)


def _resident_bytes(running: Running) -> int:
    for line in Path(f"/proc/{running.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not say how large the gateway is")


def _line(direction: Direction, size: int) -> str:
    route = Route(
        operation=f"soak.{direction}",
        service="compression",
        version="v1",
        method="GET" if direction == "down" else "PUT",
        path=f"/api/v1/soak/{direction}",
        parameters=(),
        body=None if direction == "down" else ANY,
        answers=(),
        security=(),
        roles=(),
        timeout_s=600.0,
        max_body_bytes=size,
        rate_limits=(),
        validate=VALIDATE,
        deprecated=False,
        sunset="",
        cors=None,
        networks=None,
    )
    return json.dumps({"route": asdict(route), "document": {}})


async def run_all(directory: Path, size: int) -> bool:
    """Print the figures of each run; whether memory stayed flat in all of them."""
    table = directory / "table.jsonl"
    own = Versions.of(routes=0, changing=0).own
    table.write_text("\n".join((*own, _line("down", size), _line("up", size))) + "\n", encoding="utf-8")
    service, flat = Service(Run(direction="down", slow=False, size=0)), True
    async with service.serving() as port:
        url = f"http://127.0.0.1:{port}"
        with gateway(directory, GATEWAY_TABLE=str(table), COMPRESSION_SERVICE_URL=url) as running:
            await asyncio.to_thread(running.logged, "ready")
            directions: tuple[Direction, ...] = ("down", "up")
            for direction in directions:  # the first ones fill what stays full
                await measure(Run(direction=direction, slow=False, size=32 * MIB), service, running)
            for slow in (False, True):
                for direction in directions:
                    run = Run(direction=direction, slow=slow, size=size)
                    figures = await measure(run, service, running)
                    print(f"{run!s:32} {figures}")
                    flat = flat and figures.flat
            running.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(running.process.wait)
    return flat


def main() -> None:
    size = int(os.environ.get("SOAK_MIB", "1024")) * MIB
    with tempfile.TemporaryDirectory() as directory:
        if not asyncio.run(run_all(Path(directory), size)):
            sys.exit(1)


if __name__ == "__main__":
    main()
