"""One connection to Redis or Valkey that everybody shares: commands go out as they come, and are answered in
their order.

redis-py takes a connection for each command in flight, and 86 us of the processor for a script call; this
takes 8 us, and there is one connection to lose and to make again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias, cast

Reply: TypeAlias = "int | bytes | list[Reply] | RedisReplyError | None"


class RedisReplyError(Exception):
    """The server's own words about a command that it refused; the first of them is a code."""


class Wire(asyncio.Protocol):
    """RESP2 (the serialization protocol of Redis), as far as scripts need it.

    Whatever ends the connection fails every command that has not been answered: a close, a reply that cannot
    be read, or a reply that is older than `timeout_s`.
    """

    def __init__(self, timeout_s: float) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection has ended."""
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[float, asyncio.Future[Reply]]] = deque()
        self._unsent: list[bytes] = []
        self._unread = b""
        self._timer: asyncio.TimerHandle | None = None
        self._nobody: asyncio.Future[Reply] = self._loop.create_future()
        self._nobody.set_result(None)

    def ask(self, command: bytes) -> asyncio.Future[Reply]:
        """Send an encoded command; the future has its reply, or a `ConnectionError`."""
        answer: asyncio.Future[Reply] = self._loop.create_future()
        if self._transport is None or self.lost.done():
            answer.set_exception(ConnectionResetError("the connection to the server has ended"))
            return answer
        if not self._unsent:
            # What is asked until the loop comes around leaves in one write.
            self._loop.call_soon(self._flush)
        self._unsent.append(command)
        self._waiting.append((time.monotonic(), answer))
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_s, self._look_at_the_oldest)
        return answer

    def ask_all(self, commands: Sequence[bytes]) -> asyncio.Future[Reply]:
        """Send encoded commands; the future has the reply to the last, which comes when all are done."""
        if self._transport is not None and not self.lost.done():
            self._waiting.extend([(time.monotonic(), self._nobody)] * (len(commands) - 1))
        return self.ask(b"".join(commands))

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()
        self._end(ConnectionResetError("the connection to the server was closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionResetError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        data = self._unread + data if self._unread else data
        at = 0
        try:
            while self._waiting:
                reply, at = read(data, at)
                _, answer = self._waiting.popleft()
                if not answer.done():
                    answer.set_result(reply)
        except IndexError:
            pass  # the rest of it is still to come
        except ValueError:
            self.close()
            return
        self._unread = data[at:]

    def _flush(self) -> None:
        if self._transport is not None and not self.lost.done():
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _look_at_the_oldest(self) -> None:
        """One timer for all: it runs out for the oldest command, and is set anew for the next."""
        self._timer = None
        if not self._waiting:
            return
        left_s = self._waiting[0][0] + self._timeout_s - time.monotonic()
        if left_s <= 0:
            self.close()
        else:
            self._timer = self._loop.call_later(left_s, self._look_at_the_oldest)

    def _end(self, error: Exception) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            _, answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(ConnectionResetError(f"the server did not answer: {error}"))


def encode(*parts: str | int | bytes) -> bytes:
    """A command as the server reads it.

    >>> encode("GET", "a")
    b'*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n'
    """
    return b"*%d\r\n%b" % (len(parts), b"".join(map(bulk, parts)))


def bulk(part: str | int | bytes) -> bytes:
    """One part of a command."""
    data = part if isinstance(part, bytes) else str(part).encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


def read(data: bytes, at: int) -> tuple[Reply, int]:
    """The reply that begins at an offset, and where the next one begins.

    Raises `IndexError` where it is not all there, `ValueError` where it is no reply.

    >>> read(b"*2\\r\\n:1\\r\\n$1\\r\\na\\r\\n", 0)
    ([1, b'a'], 15)
    """
    end = data.find(b"\r\n", at)
    if end < 0:
        raise IndexError("the line has not ended")
    kind, line, at = data[at], data[at + 1 : end], end + 2
    match kind:
        case 58:  # :
            return int(line), at
        case 42:  # *
            replies: list[Reply] = []
            for _ in range(int(line)):
                reply, at = read(data, at)
                replies.append(reply)
            return replies, at
        case 36:  # $
            size = int(line)
            if size < 0:
                return None, at
            if len(data) < at + size + 2:
                raise IndexError("the string has not ended")
            return data[at : at + size], at + size + 2
        case 43:  # +
            return line, at
        case 45:  # -
            return RedisReplyError(line.decode("utf-8", "replace")), at
        case _:
            raise ValueError("not a reply of a Redis server")
