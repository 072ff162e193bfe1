"""WebSockets (RFC 6455): which handshakes are passed on, and what becomes of the connection after that.

The gateway reads no frames. Behind the handshake, which is a request like any other, it passes bytes on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from dhatu_gateway.core.cors import CrossOrigin
from dhatu_gateway.core.exchange import UPGRADE, Exchange, Header, Stage
from dhatu_gateway.core.headers import connection_options
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Route
from dhatu_gateway.core.upstream.types import Tunnel

SWITCHED: Final[tuple[Header, ...]] = ((b"connection", b"Upgrade"), (b"upgrade", b"websocket"))
"""What the answer 101 has beside the service's own fields: both are about one connection only."""

_VERSION: Final = b"13"
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")


def build_websocket(route: Route, cross_origin: CrossOrigin) -> Stage | None:
    """Refuse what opens no WebSocket on an operation that is one; None on all others.

    Browsers ask nobody before they open one to another origin, and hand its page whatever comes. So the
    origin is checked here, by the rules for cross-origin requests (RFC 6455 section 10.2).
    """
    if route.websocket is None:
        return None

    def check_handshake(exchange: Exchange) -> None:
        fields = exchange.fields
        if (
            exchange.method != "GET"
            or UPGRADE not in exchange.scope.get("extensions", ())
            or b"websocket" not in connection_options(fields[b"upgrade"])
        ):
            raise ProblemError(
                "upgrade-required", "This operation is a WebSocket: ask for an upgrade.", headers=[*SWITCHED]
            )
        if fields.get(b"sec-websocket-version") != _VERSION:
            versions: list[Header] = [*SWITCHED, (b"sec-websocket-version", _VERSION)]
            raise ProblemError("upgrade-required", "WebSockets have version 13 here.", headers=versions)
        if _KEY.fullmatch(fields.get(b"sec-websocket-key", b"")) is None:
            detail = "Sec-WebSocket-Key must be 16 bytes in base64, once."
            raise ProblemError("malformed-request", detail)
        origin = fields.get(b"origin")
        if origin is not None and not cross_origin.allows(origin):
            raise ProblemError("forbidden", "Pages of this origin may not open this WebSocket.")

    return check_handshake


def tunnel_of(route: Route) -> Tunnel | None:
    """What a route asks its service to switch to."""
    if route.websocket is None:
        return None
    return Tunnel(protocol=b"websocket", idle_s=route.websocket.idle_s)


async def tunnelled(exchange: Exchange) -> AsyncIterator[bytes]:
    """What the client sends once the protocol has been switched, until it leaves."""
    while (message := await exchange.receive())["type"] != "http.disconnect":
        yield message["body"]
