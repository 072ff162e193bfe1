"""Which headers travel on and which belong to one connection only (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from typing import Final

from dhatu_gateway.core.upstream_types import Headers

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


def filter_request_headers(headers: Headers, dropped: frozenset[bytes] = REQUEST_DROPPED) -> Headers:
    """Return what a service may see of a request's headers, as a new list.

    `dropped` must contain `REQUEST_DROPPED`; add names of credentials that end at the gateway.
    """
    return _without_named_by_connection([h for h in headers if h[0] not in dropped], headers)


def filter_response_headers(headers: Headers) -> Headers:
    """Return what a client may see of an answer's headers, as a new list; its framing stays."""
    return _without_named_by_connection([h for h in headers if h[0] not in HOP_BY_HOP], headers)


def connection_options(value: bytes) -> frozenset[bytes]:
    """Split the value of a Connection header.

    >>> sorted(connection_options(b"Close, X-Trace"))
    [b'close', b'x-trace']
    """
    return frozenset(option.strip() for option in value.lower().split(b","))


def _without_named_by_connection(kept: Headers, headers: Headers) -> Headers:
    if len(kept) == len(headers):
        return kept
    for name, value in headers:
        if name == b"connection":
            named = connection_options(value) - CONNECTION_ONLY
            if named:
                kept = [h for h in kept if h[0] not in named]
    return kept
