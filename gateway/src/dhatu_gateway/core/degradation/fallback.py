"""An answer that the specification gives for the time when a service cannot."""

from __future__ import annotations

from dhatu_gateway.core.exchange import Exchange, Header, Message, Send
from dhatu_gateway.core.forward import Terminal
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Fallback, Route

FAILURES = frozenset({500, 502, 503, 504})


def build_fallback(route: Route, terminal: Terminal, header_prefix: str) -> Terminal:
    """Wrap what answers a route; the same where x-dhatu gives it no fallback."""
    if route.fallback is None:
        return terminal
    return _Guarded(route.fallback, terminal, f"{header_prefix}Degraded".lower().encode("ascii"))


class _Guarded:
    def __init__(self, fallback: Fallback, terminal: Terminal, mark: bytes) -> None:
        self._terminal = terminal
        self._status = fallback.status
        self._body = fallback.body.encode()
        self._headers: tuple[Header, ...] = (
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
            # It says nothing about the next answer.
            (b"cache-control", b"no-store"),
            (mark, b"fallback"),
        )

    async def __call__(self, exchange: Exchange) -> None:
        send = exchange.send
        withheld = Withheld(send)
        exchange.send = withheld.take
        try:
            await self._terminal(exchange)
        except ProblemError as error:
            if withheld.passed or error.problem.status not in FAILURES:
                raise
        else:
            if withheld.passed:
                return
        finally:
            exchange.send = send
        exchange.status = self._status
        headers = [*self._headers, *exchange.response_headers]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


class Withheld:
    """Passes an answer on, unless it is a failure, of which nothing is passed on."""

    def __init__(self, send: Send) -> None:
        self.passed = False
        self._send = send

    async def take(self, message: Message) -> None:
        """Take the answer's events."""
        if message["type"] == "http.response.start":
            self.passed = message["status"] not in FAILURES
        if self.passed:
            await self._send(message)
