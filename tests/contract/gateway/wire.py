"""What stands on both sides of the gateway: a service that answers by a script, and the way from the SDK."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

_TIME_LEFT = re.compile(rb"(\r\nx-dhatu-timeout-ms: )\d+", re.IGNORECASE)

Fields = Mapping[str, str]
_LOST = (asyncio.IncompleteReadError, ConnectionError)


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or an answer, whole."""

    line: str
    fields: Fields
    data: bytes
    """As it came."""

    @property
    def status(self) -> int:
        return int(self.line.split(" ")[1])


async def read(reader: asyncio.StreamReader) -> Message:
    """Read one that says how long it is."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").rstrip().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert "transfer-encoding" not in fields
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Message(line, fields, head + body)


@dataclass
class Service:
    """Answers by a script."""

    script: Sequence[Mapping[str, Any]]
    requests: list[Message] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await read(reader)
                answer = self.script[min(len(self.requests), len(self.script) - 1)]
                self.requests.append(request)
                if answer.get("never"):
                    await reader.read()  # until the gateway has had enough
                    return
                writer.write(_encoded(answer))
        except _LOST:
            pass
        finally:
            writer.close()


def _encoded(answer: Mapping[str, Any]) -> bytes:
    body = json.dumps(answer.get("json", {})).encode()
    head = f"HTTP/1.1 {answer.get('status', 200)} Scripted\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Way:
    """From the SDK to the gateway: what goes along is noted, some answers are lost, and time is."""

    port: int
    """Of the gateway."""
    lose: int
    """Answers, from the first."""
    left: str
    """What is left of the callers' milliseconds; empty for all."""
    requests: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while True:
                request = await read(reader)
                self.requests.append(request)
                ours.write(
                    _TIME_LEFT.sub(rb"\g<1>%b" % self.left.encode(), request.data)
                    if self.left
                    else request.data
                )
                answer = await read(theirs)
                self.answers.append(answer)
                if len(self.answers) <= self.lose:
                    return
                writer.write(answer.data)
        except _LOST:
            pass
        finally:
            ours.close()
            writer.close()


@asynccontextmanager
async def listening(side: Service | Way) -> AsyncGenerator[int]:
    """Yields its port."""
    server = await asyncio.start_server(side.serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close()
