"""Clients that call without a pause over connections that stay open, and a service behind the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@asynccontextmanager
async def service() -> AsyncGenerator[str]:
    """Answers every GET with an empty object."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(HEAD)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()


class Connection:
    """One client; opens a new connection where the gateway has closed the last, as it has announced."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, target: str) -> int:
        """The status; raises where the call fails."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"GET {target} HTTP/1.1\r\nHost: soak\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await reader.readexactly(int(fields.get("content-length", 0)))
        if fields.get("connection") == "close":
            self.close()
        return int(head.split(" ", 2)[1])

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass
class Load:
    """What the clients have seen."""

    port: int
    target: Callable[[int], str]
    allowed: Callable[[int], frozenset[int]]
    """The statuses that are right for a route, whichever version serves."""
    routes: int
    calls: int = 0
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)
    _over: bool = False

    @asynccontextmanager
    async def running(self, clients: int) -> AsyncGenerator[None]:
        tasks = [asyncio.create_task(self._call(number)) for number in range(clients)]
        try:
            yield
        finally:
            self._over = True
            await asyncio.gather(*tasks)

    async def _call(self, first: int) -> None:
        connection, number = Connection(self.port), first * 17
        while not self._over:
            number = (number + 7) % self.routes
            began_s = time.perf_counter()
            try:
                status = await connection.get(self.target(number))
            except (OSError, EOFError) as error:
                self.failed.append(f"{self.target(number)}: {error!r}")
                connection.close()
                continue
            self.latencies_s.append(time.perf_counter() - began_s)
            self.calls += 1
            if status not in self.allowed(number):
                self.wrong.append(f"{self.target(number)}: {status}")
        connection.close()
