"""A service in a process of its own, that is well, slow, confused or gone, as it is told.

`python service.py NAME PORT`. A GET of `/control/MODE` sets how it answers from now on; `/control/tell` only
tells, as each of them does, what it has seen: `{"requests": how many, "held": how many wait}`.

| mode | an ordinary request gets |
|---|---|
| `well` | 200 and `{"by": NAME, "number": which request it was, "received": bytes of its body}` |
| `hold` | nothing, until the mode changes; then what that says. `/jobs` is answered as by `well` |
| `corrupt` | bytes that are no HTTP |
| `reset` | the head of an answer and a part of its body, then the connection is reset |
| `fail` | 503 |
| `ill` | as `well`, but `/health` answers 503 |

`/large` is always answered with 4 MiB, more than what the system keeps for a connection.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys

LARGE = 4 * 1024 * 1024
"""Bytes."""


_LARGE = bytes(LARGE)


class Service:
    """All its connections."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._mode = "well"
        self._changed = asyncio.Event()
        self._requests = 0
        self._held = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._answer(*await _request(reader), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, target: str, received: int, writer: asyncio.StreamWriter) -> None:
        if target.startswith("/control/"):
            self._obey(target.removeprefix("/control/"))
            writer.write(_json(200, {"requests": self._requests, "held": self._held}))
        elif target == "/health":
            writer.write(_json(503 if self._mode == "ill" else 200, {}))
        elif target.endswith("/large"):
            head = f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {LARGE}\r\n\r\n"
            writer.write(head.encode())
            writer.write(_LARGE)
        else:
            self._requests += 1
            if not target.endswith("/jobs"):
                await self._wait()
            await self._misbehave({"number": self._requests, "received": received}, writer)

    def _obey(self, word: str) -> None:
        if word != "tell":
            self._mode = word
            self._changed.set()
            self._changed = asyncio.Event()

    async def _wait(self) -> None:
        while self._mode == "hold":
            self._held += 1
            await self._changed.wait()
            self._held -= 1

    async def _misbehave(self, seen: dict[str, int], writer: asyncio.StreamWriter) -> None:
        match self._mode:
            case "corrupt":
                writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
            case "reset":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart")
                await writer.drain()
                # With no time to linger the system sends a reset in place of an orderly end.
                wire: socket.socket = writer.get_extra_info("socket")
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            case "fail":
                writer.write(_json(503, {}))
            case _:
                writer.write(_json(200, {"by": self._name, **seen}))


async def _request(reader: asyncio.StreamReader) -> tuple[str, int]:
    """Read one request; its target, and how many bytes its body had."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.rstrip().split("\r\n")
    received = 0
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "content-length":
            received = len(await reader.readexactly(int(value)))
    return line.split(" ")[1], received


def _json(status: int, value: object) -> bytes:
    body = json.dumps(value).encode()
    head = (
        f"HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def main(name: str, port: int) -> None:
    server = await asyncio.start_server(Service(name).serve, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
