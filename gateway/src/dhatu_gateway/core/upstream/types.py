"""What a caller hands to `Upstream.forward`, and what it gets back through its sink."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from dhatu_gateway.core.upstream.member import Member

Headers: TypeAlias = list[tuple[bytes, bytes]]
"""Lower-case names and values, in order."""

SWITCHING: Final = 101
"""Status of the answer that switches to another protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamLimits:
    """How long and how much, for every endpoint of one service."""

    connect_s: float = 2.0
    """Also bounds the wait for a free connection."""
    first_byte_s: float = 30.0
    """From the end of the request to the head of the answer."""
    idle_s: float = 30.0
    """Between two reads of an answer, or while the service does not read what is sent to it."""
    keep_alive_s: float = 4.0
    """How long an unused connection is kept; below the 5 s after which uvicorn closes its side."""
    disconnect_check_s: float = 0.25
    """How long to wait for an answer before asking whether the client is still there."""
    max_connections: int = 128
    """Per endpoint."""
    max_pending: int = 1024
    """Requests that may wait for a connection, per endpoint."""
    max_header_bytes: int = 65_536
    max_headers: int = 128
    continue_s: float = 1.0
    """How long to wait for 100 (Continue) before a body is sent without it."""
    high_water_bytes: int = 65_536
    """Bytes of an answer held for a slow client before reading from the service pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """That a request asks for another protocol, and how long its connection is kept after that."""

    protocol: bytes
    """As in the Upgrade field, lower case: `websocket`."""
    idle_s: float
    """How long neither side may send a byte."""


class Upload(Protocol):
    """What can be learnt of a client whose body is streamed."""

    @property
    def expects_continue(self) -> bool:
        """Whether it waits for 100 (Continue), which the first step of `stream` sends."""
        ...

    async def left(self) -> None:
        """Return when the client has closed its connection; takes nothing of its body."""
        ...

    def trailers(self) -> Headers:
        """Return the trailers to send, once `stream` is at its end."""
        ...


@dataclass(slots=True)
class UpstreamRequest:
    """One request to send.

    Not frozen and not keyword-only, unlike everything else: one is made per request, and this is half the
    price.
    """

    method: bytes
    """Upper case."""
    target: bytes
    """Canonical path, and the query with its question mark if there is one."""
    headers: Headers
    """Passed on as they are, so without those in `headers.REQUEST_DROPPED`: no Host, no framing."""
    body: bytes
    """The whole body; ignored where `stream` is given."""
    deadline_s: float
    """On the clock of the `Upstream` (monotonic): when the whole exchange has to be over."""
    stream: AsyncIterator[bytes] | None = None
    """The body in pieces. What it raises ends the exchange and comes out of `forward` unchanged."""
    content_length: int | None = None
    """Length of `stream` where the client announced one; None sends it chunked."""
    upload: Upload | None = None
    """Who sends `stream`; None where nobody knows."""
    trailers: Headers | None = None
    """Takes those of the answer before its last piece is passed on; None where nobody wants them."""
    first_byte_s: float = inf
    """How long this attempt may take to the head of its answer, where less than the limits say."""
    impatient: bool = False
    """Whether `deadline_s` is the caller's own: that it has passed says nothing about the service."""
    repeatable: bool = False
    """Whether it may be sent again, and can be."""
    repeated: bool = False
    """Whether its caller says that it is not the first attempt."""
    affinity: bytes = b""
    """What a consistent hash goes by."""
    subset: str = ""
    """Tag of the endpoints to prefer; empty for those without a subset's."""
    avoid: tuple[Member, ...] = ()
    """Endpoints to be tried only where no other is left."""
    tunnel: Tunnel | None = None
    """Where it asks to switch protocols; then `stream` is what the client sends after the switch, and it ends
    where the client leaves."""
    member: Member | None = None
    """The endpoint that it was sent to last; set by `forward`."""


class ResponseSink(Protocol):
    """Where an answer goes: the client's side of one exchange."""

    def start(self, status: int, headers: Headers) -> None:
        """Take the head of the answer; called once, before any `body`.

        `headers` is the sink's to change: end-to-end headers only, in the order received. Send it together
        with the first `body`, which follows at once (empty where no byte of the body has arrived yet).
        """
        ...

    async def body(self, chunk: bytes, more: bool) -> None:
        """Pass on a piece of the body, and return when the client can take the next.

        `more=False` comes exactly once, at the end of a complete answer, and never for a truncated one.
        Raise `ClientDisconnected` to give up.
        """
        ...

    async def client_gone(self) -> None:
        """Return when the client has closed its connection; cancelled when the answer is over.

        Only called for an exchange that takes long, after the request body has been read to its end.
        """
        ...
