"""One request and what the stages have learnt about it so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from dhatu_gateway.core.types import Route

Message: TypeAlias = MutableMapping[str, Any]
"""An ASGI event; its values differ by type, hence Any."""
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]
"""A field name in lower case and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls, once a credential has been verified."""

    id: str
    """Stable, and unique among kinds: `user:ada`, `key:4f1c`, `cert:indexer`. Limits count by it."""
    kind: Literal["user", "api_key", "oidc", "certificate"]
    scopes: frozenset[str]
    roles: frozenset[str]


class Exchange:
    """A request on its way through the stages; made by the edge, changed by the stages, never shared."""

    __slots__ = (
        "body",
        "client_address",
        "client_network",
        "deadline_at_s",
        "fields",
        "headers",
        "method",
        "on_end",
        "path",
        "path_values",
        "principal",
        "query",
        "receive",
        "refusal",
        "request_id",
        "response_headers",
        "route",
        "scope",
        "send",
        "started_at_s",
        "status",
    )

    scope: Scope
    receive: Receive
    send: Send
    method: str
    """As sent, upper case; `HEAD` may be served by a `GET` route."""
    path: str
    """Canonical: what is routed, authorised and forwarded."""
    query: bytes
    """As sent, without the question mark."""
    headers: list[Header]
    """As sent, in order; names in lower case."""
    fields: dict[bytes, bytes]
    """The same by name; repeated fields are joined as RFC 9110 section 5.3 says."""
    route: Route
    path_values: tuple[str, ...]
    """Values of the template's variables in its order, percent-encoded as in `path`."""
    principal: Principal | None
    client_address: str
    """Of the peer, or of the client of a trusted proxy; empty where the peer has none."""
    client_network: str
    """What limits count by: the address, of IPv6 its /64."""
    request_id: str
    started_at_s: float
    """On the monotonic clock, like `deadline_at_s`."""
    deadline_at_s: float
    body: bytes | None
    """The whole body where a stage has read it; None while it is still to be streamed from `receive`."""
    response_headers: list[Header]
    """Added to whatever answer is sent."""
    refusal: Exception | None
    """What the handler of one of the gateway's own operations raised instead of answering."""
    on_end: list[Callable[[], None]]
    """What is called once when the exchange is over, however it ended; only on routes that hold something."""
    status: int
    """Of the answer; 0 until it has started."""


class ClientConnection(Protocol):
    """What the server tells of the connection that a request came on."""

    async def left(self) -> None:
        """Return when the client has closed it, be its request read or not."""
        ...


UPGRADE = "dhatu.upgrade"
"""Among the extensions of a scope: the client asks for another protocol, and an answer 101 switches to it.

What it sends after that comes as parts of a body, which its leaving ends; what is sent to it goes as it is.
"""
CONNECTION_KEY = "dhatu.connection"
"""Where a scope holds its `ClientConnection`."""
TRAILERS_KEY = "dhatu.trailers"
"""Where a scope holds the trailers of its request, names in lower case, once its body is at its end.

Absent where there are none."""
SCOPE_KEY = "dhatu.exchange"
"""Where the handler of one of the gateway's own operations finds the exchange in its ASGI scope."""

Stage: TypeAlias = Callable[[Exchange], Awaitable[None] | None]
"""Looks at an exchange, changes it, or refuses it by raising `ProblemError`.

What it returns is awaited unless it is None, so a stage that seldom needs I/O seldom pays for it.
"""
