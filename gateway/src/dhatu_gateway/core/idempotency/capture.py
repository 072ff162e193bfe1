"""Watches one exchange that has an idempotency key: what was asked, and what was answered."""

from __future__ import annotations

import asyncio
import hashlib

from dhatu_gateway.core.exchange import Exchange, Header, Message
from dhatu_gateway.core.headers import without_own
from dhatu_gateway.core.idempotency.records import MAX_BODY_BYTES, KeptAnswer

_FRAMING = frozenset({b"transfer-encoding", b"connection", b"date", b"trailer"})


class Fingerprint:
    """What makes two requests the same: method, path, query and body, byte by byte."""

    def __init__(self, exchange: Exchange) -> None:
        self._hash = hashlib.sha256()
        for part in (exchange.method.encode(), exchange.path.encode(), exchange.query):
            self._hash.update(b"%d:" % len(part) + part)

    def add(self, body: bytes) -> None:
        """Take the next piece of the body."""
        self._hash.update(body)

    def value(self) -> str:
        """Of all that was added so far."""
        return self._hash.hexdigest()


class Capture:
    """Stands between the exchange and its client.

    Once the whole request has arrived, a client that goes away no longer ends the exchange: it may ask
    again under the same key, and is to be told what has come of it.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.fingerprint = Fingerprint(exchange)
        self._exchange = exchange
        self._receive, self._send = exchange.receive, exchange.send
        self._arrived = exchange.body is not None
        if exchange.body is not None:
            self.fingerprint.add(exchange.body)
        self._gone = False
        self._headers: tuple[Header, ...] = ()
        self._body: list[bytes] | None = []
        self._size_bytes = 0
        self._complete = False
        exchange.receive, exchange.send = self.receive, self.send

    async def receive(self) -> Message:
        """The request's events."""
        message = await self._receive()
        if message["type"] == "http.request":
            self.fingerprint.add(message.get("body", b""))
            self._arrived = self._arrived or not message.get("more_body", False)
        elif self._arrived:
            await asyncio.get_running_loop().create_future()  # until the answer is there, and this cancelled
        return message

    async def send(self, message: Message) -> None:
        """The answer's events."""
        if message["type"] == "http.response.start":
            self._headers = tuple(message["headers"])
        else:
            self._take(message.get("body", b""))
            self._complete = not message.get("more_body", False)
        if self._gone:
            return
        try:
            await self._send(message)
        except ConnectionResetError:
            self._gone = True

    def answer(self) -> KeptAnswer | None:
        """The whole answer; None while it is not complete."""
        if not self._complete:
            return None
        # What the gateway adds to an answer is about that one answer.
        said = without_own(self._headers, self._exchange.response_headers)
        return KeptAnswer(
            fingerprint=self.fingerprint.value(),
            status=self._exchange.status,
            headers=tuple(header for header in said if header[0] not in _FRAMING),
            body=b"".join(self._body) if self._body is not None else None,
        )

    def _take(self, body: bytes) -> None:
        self._size_bytes += len(body)
        if self._body is None or self._size_bytes > MAX_BODY_BYTES:
            self._body = None
        else:
            self._body.append(body)
