"""Which headers travel on and which belong to one connection only (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from typing import Final

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
