"""Backpressure on a client's connection, both ways, and its end."""

from __future__ import annotations

import asyncio

from dhatu_gateway.core.server.clock import ConnectionClock


class Flow:
    """Whether bytes may come in and go out; `stall_s` is how long a client may refuse to read."""

    __slots__ = (
        "_clock",
        "_drained",
        "_ended",
        "_loop",
        "_lost",
        "_read_paused",
        "_stall_s",
        "_transport",
        "write_paused",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        clock: ConnectionClock,
        loop: asyncio.AbstractEventLoop,
        *,
        stall_s: float,
    ) -> None:
        self.write_paused = False
        self._transport = transport
        self._clock = clock
        self._loop = loop
        self._stall_s = stall_s
        self._read_paused = False
        self._drained: asyncio.Future[None] | None = None
        self._ended: asyncio.Future[None] | None = None
        """Done when the connection is lost; made for who waits for that first."""
        self._lost = False

    def pause_reading(self) -> None:
        """Let the client wait; its time is not counted meanwhile."""
        if not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._clock.pause()
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._read_paused and not self._transport.is_closing():
            self._read_paused = False
            self._clock.resume()
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    async def writable(self) -> None:
        """Return when the client has read enough of what was written; one that does not is cut off."""
        if not self.write_paused or self._transport.is_closing():
            return
        if self._drained is None or self._drained.done():
            self._drained = self._loop.create_future()
        stalled = self._loop.call_later(self._stall_s, self._transport.abort)
        try:
            await asyncio.shield(self._drained)
        finally:
            stalled.cancel()

    def end(self) -> None:
        """The connection is lost."""
        self._lost = True
        self.resume_writing()
        if self._ended is not None:
            self._ended.set_result(None)

    async def left(self) -> None:
        """Return when the client has closed the connection, be its request read or not."""
        if self._ended is None:
            self._ended = self._loop.create_future()
            if self._lost:
                self._ended.set_result(None)
        await asyncio.shield(self._ended)
