"""Stands between a service's answer and the client: passes it on, or holds it back, and keeps a copy."""

from __future__ import annotations

from collections.abc import Callable

from dhatu_gateway.core.cache.entries import MAX_BODY_BYTES
from dhatu_gateway.core.exchange import Exchange, Header, Message
from dhatu_gateway.core.headers import without_own


class Recording:
    """Takes the answer's events in place of the exchange's `send`."""

    def __init__(self, exchange: Exchange, is_held_back: Callable[[int], bool]) -> None:
        """`is_held_back` is asked about the status: such an answer never reaches the client."""
        self.status = 0
        self.headers: tuple[Header, ...] = ()
        """Those of the service."""
        self.held_back = False
        self._exchange = exchange
        self._send = exchange.send
        self._is_held_back = is_held_back
        self._parts: list[bytes] | None = []
        self._size_bytes = 0
        self._complete = False
        exchange.send = self._take

    @property
    def body(self) -> bytes | None:
        """The whole body; None where it is not complete, or too large to be kept."""
        return b"".join(self._parts) if self._complete and self._parts is not None else None

    def release(self) -> None:
        """Let the exchange send to its client again."""
        self._exchange.send = self._send

    async def _take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = without_own(message["headers"], self._exchange.response_headers)
            self.held_back = self._is_held_back(self.status)
            if self.held_back:
                # Nothing has been said to the client yet.
                self._exchange.status = 0
        else:
            self._keep(message.get("body", b""))
            self._complete = not message.get("more_body", False)
        if not self.held_back:
            await self._send(message)

    def _keep(self, body: bytes) -> None:
        self._size_bytes += len(body)
        if self._parts is None or self._size_bytes > MAX_BODY_BYTES:
            self._parts = None
        else:
            self._parts.append(body)
