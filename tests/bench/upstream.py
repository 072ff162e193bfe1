"""The service behind every proxy that is measured: answers any request at once, as cheaply as Python can."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

_BODY = b'{"algorithm":"zstd","data":"KLUv/SAF","original_bytes":5,"compressed_bytes":6,"ratio":0.83}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


class InstantAnswer(asyncio.Protocol):
    """One answer for each complete request; understands Content-Length and nothing else."""

    def __init__(self) -> None:
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._pending += data
        while (size := _request_size(self._pending)) <= len(self._pending):
            self._pending = self._pending[size:]
            self._transport.write(_ANSWER)
            if not self._pending:
                return


def _request_size(data: bytes) -> int:
    """Bytes of the first request in `data`; more than there are where it is incomplete."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return len(data) + 1
    head = data[:head_end].lower()
    at = head.find(b"content-length:")
    body_size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return head_end + 4 + body_size


async def main(port: int) -> None:
    """Serves until the process is ended."""
    server = await asyncio.get_running_loop().create_server(InstantAnswer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
