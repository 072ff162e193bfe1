"""The bytes of a request: its head, and the framing of a streamed body."""

from __future__ import annotations

from typing import Final

from dhatu_gateway.core.upstream.types import UpstreamRequest

_METHODS_WITH_BODY: Final = frozenset({b"POST", b"PUT", b"PATCH"})
_join_field = b": ".join


class InvalidRequestHead(ValueError):
    """A target or header that would not stay on its line; the gateway must never get that far."""


def host_line(authority: str) -> bytes:
    """The end of the request line and the Host header: the same for every request to one endpoint."""
    return b" HTTP/1.1\r\nhost: " + authority.encode("ascii")


def request_head(request: UpstreamRequest, host: bytes) -> bytes:
    """Write the head of a request; `host` comes from `host_line`.

    Raises `InvalidRequestHead` where a value holds CR, LF, NUL or the target a space: every request passes
    here, so that no stage before it can let one request become two.
    """
    target = request.target
    lines = [request.method + b" " + target + host]
    lines.extend(map(_join_field, request.headers))
    if request.tunnel is not None:
        lines += (b"connection: Upgrade", b"upgrade: " + request.tunnel.protocol)
    elif request.stream is None:
        if request.body or request.method in _METHODS_WITH_BODY:
            lines.append(b"content-length: %d" % len(request.body))
    else:
        if request.content_length is None:
            lines.append(b"transfer-encoding: chunked")
        else:
            lines.append(b"content-length: %d" % request.content_length)
        if request.upload is not None and request.upload.expects_continue:
            lines.append(b"expect: 100-continue")
    if request.trailers is not None:
        lines += (b"te: trailers", b"connection: TE")
    lines.append(b"\r\n")
    head = b"\r\n".join(lines)
    line_ends = len(lines) + 1
    if head.count(b"\n") != line_ends or head.count(b"\r") != line_ends or b"\0" in head or b" " in target:
        raise InvalidRequestHead(
            "the request's target or one of its headers holds a line break, NUL or space"
        )
    return head


def chunk(data: bytes) -> bytes:
    """Frame one non-empty piece of a chunked body (RFC 9112 section 7.1).

    >>> chunk(b"dhatu")
    b'5\\r\\ndhatu\\r\\n'
    """
    return b"%x\r\n%b\r\n" % (len(data), data)
