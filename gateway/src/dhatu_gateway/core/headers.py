"""Which headers travel on and which belong to one connection only (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from dhatu_gateway.core.exchange import Header

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

REQUEST_DROPPED: Final = HOP_BY_HOP | {b"host", b"content-length", b"expect", b"http2-settings"}
"""Hop-by-hop, or written by the gateway itself (Host and the framing), or answered by it (Expect)."""

CONNECTION_ONLY: Final = frozenset({b"close", b"keep-alive", b"", b"content-length"})
"""Options of a Connection header that drop nothing; among them the length, which is never dropped by name."""


def connection_options(value: bytes) -> frozenset[bytes]:
    """Split the value of a Connection header.

    >>> sorted(connection_options(b"Close, X-Trace"))
    [b'close', b'x-trace']
    """
    return frozenset(option.strip() for option in value.lower().split(b","))


def without_own(headers: Iterable[Header], own: Iterable[Header]) -> tuple[Header, ...]:
    """What a service has said, without what the gateway has added to that one answer, once each.

    >>> without_own([(b"vary", b"accept"), (b"etag", b"1"), (b"vary", b"accept")], [(b"vary", b"accept")])
    ((b'etag', b'1'), (b'vary', b'accept'))
    """
    left = Counter(own)
    said: list[Header] = []
    for header in headers:
        if left[header]:
            left[header] -= 1
        else:
            said.append(header)
    return tuple(said)
