"""Clients that notice everything: what was answered, by whom, and whether a connection broke."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

PATIENCE_S = 60.0
"""No call may take longer, whatever has happened: nothing hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one call ended."""

    status: int
    """0 where the connection broke before the whole answer had come."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def by(self) -> str:
        """The service's process that answered; empty where none did."""
        if self.status != 200:
            return ""
        value: dict[str, object] = json.loads(self.body)
        return str(value.get("by", ""))

    @property
    def received(self) -> int:
        """How many bytes of a body the process that answered has got."""
        value: dict[str, int] = json.loads(self.body)
        return value["received"]

    @property
    def kind(self) -> str:
        """The last part of a problem's type; `by` or nothing for other answers."""
        if self.headers.get("content-type") != "application/problem+json":
            return self.by
        return str(json.loads(self.body)["type"]).rpartition("/")[2]


BROKEN = Outcome(status=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent."""

    target: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    """JSON; none where it is empty."""

    def encode(self) -> bytes:
        fields = [("Host", "chaos"), *self.headers]
        if self.method != "GET":
            fields.append(("Content-Length", str(len(self.body))))
        if self.body:
            fields.append(("Content-Type", "application/json"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"{self.method} {self.target} HTTP/1.1\r\n{lines}\r\n".encode() + self.body


class Connection:
    """One connection, opened when it is needed; after it broke the next call opens another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.port = 0
        """Its own, of the connection that is or was open."""

    async def open(self) -> None:
        self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        self.port = self._streams[1].get_extra_info("sockname")[1]

    async def call(self, request: Request) -> Outcome:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._call(request)
        except TimeoutError:
            self.close()
            raise
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return BROKEN

    async def _call(self, request: Request) -> Outcome:
        if self._streams is None:
            await self.open()
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(request.encode())
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        return Outcome(status=int(line.split(" ")[1]), headers=headers, body=body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Caller(Protocol):
    """Makes the same call whenever it is told to."""

    async def call(self) -> Outcome: ...

    def close(self) -> None: ...


class Repeated:
    """One request over one connection."""

    def __init__(self, port: int, request: Request) -> None:
        self._connection = Connection(port)
        self._request = request

    async def call(self) -> Outcome:
        return await self._connection.call(self._request)

    def close(self) -> None:
        self._connection.close()


@dataclass(slots=True)
class Load:
    """Clients that each make one call after the other."""

    client: Callable[[], Caller]
    """Makes one of them."""
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def kinds(self) -> Counter[tuple[int, str]]:
        """How many calls ended with which status and problem, or at which process."""
        return Counter((outcome.status, outcome.kind) for outcome in self.outcomes)

    @property
    def failed(self) -> dict[tuple[int, str], int]:
        """Those kinds that are no success."""
        return {kind: count for kind, count in self.kinds.items() if kind[0] != 200}

    async def make(self, calls: int, clients: int = 8) -> Load:
        """Make so many calls in all."""
        left = iter(range(calls))
        await asyncio.gather(*(self._client(lambda: next(left, None) is not None) for _ in range(clients)))
        return self

    @asynccontextmanager
    async def running(self, clients: int = 8) -> AsyncGenerator[None]:
        """Call without a pause during the block."""
        over = asyncio.Event()
        tasks = [asyncio.create_task(self._client(lambda: not over.is_set())) for _ in range(clients)]
        try:
            yield
        finally:
            over.set()
            await asyncio.gather(*tasks)

    async def further(self, calls: int) -> None:
        """Wait until so many more have ended."""
        target = len(self.outcomes) + calls

        async def have_ended() -> bool:
            return len(self.outcomes) >= target

        await until(have_ended, f"{calls} calls end")

    async def _client(self, go_on: Callable[[], bool]) -> None:
        client = self.client()
        while go_on():
            self.outcomes.append(await client.call())
        client.close()


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await true():  # noqa: ASYNC110 - another process knows, and tells of nothing
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


async def at_once(port: int, requests: Sequence[Request]) -> list[asyncio.Task[Outcome]]:
    """Send each over a connection of its own, and leave them under way."""

    async def one(request: Request) -> Outcome:
        connection = Connection(port)
        try:
            return await connection.call(request)
        finally:
            connection.close()

    return [asyncio.create_task(one(request)) for request in requests]
