"""A provider that answers whatever a test wants, byte by byte, on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

Answer: TypeAlias = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Misbehaving:
    """What it answers by path, and what it has been asked."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """Method and path of each."""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    await self._answer(reader, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
        self.bodies.append(await reader.readexactly(int(fields.get("content-length", "0"))))
        method, path, _ = head.split(" ", 2)
        self.requests.append(f"{method} {path}")
        self.heads.append(head)
        answer = self.answers.get(path, response(404, b"{}"))
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(writer)

    def count(self, path: str) -> int:
        return sum(request.endswith(f" {path}") for request in self.requests)


def response(status: int, body: bytes, content_type: str = "application/json", *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *fields]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def json_response(document: object, status: int = 200) -> bytes:
    return response(status, json.dumps(document).encode())


async def drip(writer: asyncio.StreamWriter) -> None:
    """Never end an answer, and never stop sending either."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


async def flood(writer: asyncio.StreamWriter) -> None:
    """Send without end, in chunks, so that no length gives it away."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


@contextlib.asynccontextmanager
async def misbehaving(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Misbehaving]:
    provider = Misbehaving()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(provider.handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
