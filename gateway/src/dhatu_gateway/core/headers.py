"""Which headers travel on and which belong to one connection only (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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


def by_name(headers: Sequence[Header]) -> dict[bytes, bytes]:
    """Index headers, repeated ones joined (RFC 9110 section 5.3; for Cookie, RFC 9113 section 8.2.3).

    >>> by_name([(b"accept", b"a"), (b"accept", b"b")])
    {b'accept': b'a, b'}
    """
    fields = dict(headers)
    if len(fields) == len(headers):
        return fields
    fields = dict[bytes, bytes]()
    for name, value in headers:
        known = fields.get(name)
        glue = b"; " if name == b"cookie" else b", "
        fields[name] = value if known is None else known + glue + value
    return fields


def last_chunk(trailers: Iterable[Header]) -> bytes:
    r"""End a chunked body; raises `ValueError` where a trailer would not stay on its line.

    >>> last_chunk([(b"digest", b"abc")])
    b'0\r\ndigest: abc\r\n\r\n'
    """
    lines = [b"0", *map(b": ".join, trailers), b"\r\n"]
    last = b"\r\n".join(lines)
    if last.count(b"\n") != len(lines) or last.count(b"\r") != len(lines) or b"\0" in last:
        raise ValueError("a trailer has a line break or a NUL in it")
    return last


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


def headers_written(headers: Iterable[Header]) -> list[list[str]]:
    """Headers for JSON, byte for byte."""
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def headers_read(pairs: Iterable[Iterable[str]]) -> tuple[Header, ...]:
    r"""What `headers_written` has made of headers.

    >>> headers_read(headers_written([(b"etag", b"\xe9")]))
    ((b'etag', b'\xe9'),)
    """
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)
