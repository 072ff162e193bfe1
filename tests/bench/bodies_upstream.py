"""The service for large bodies: sends as many bytes as the path says, or takes as many as come."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import uvloop

PIECE = bytes(262_144)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_THANKS = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class LargeBodies(asyncio.Protocol):
    """One request after another: `GET /plain/0/<bytes>`, or anything with a Content-Length."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._expected = 0
        self._owed = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._expected:
            self._take(len(data))
            return
        self._head += data
        head, found, body = self._head.partition(b"\r\n\r\n")
        if not found:
            return
        self._head = b""
        length = _LENGTH.search(head)
        if head.startswith(b"GET"):
            size_bytes = int(head.split(b" ", 2)[1].rpartition(b"/")[2] or b"0")
            self._write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size_bytes)
            self._owed = size_bytes
            self._pay()
        else:
            self._expected = int(length[1]) if length is not None else 0
            self._take(len(body))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._pay()

    def _take(self, size_bytes: int) -> None:
        self._expected -= size_bytes
        if self._expected <= 0:
            self._write(_THANKS)

    def _pay(self) -> None:
        while self._owed and not self._paused:
            piece = PIECE[: self._owed]
            self._owed -= len(piece)
            self._write(piece)

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


async def main(port: int) -> None:
    """Serves until the process is ended."""
    server = await asyncio.get_running_loop().create_server(LargeBodies, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
