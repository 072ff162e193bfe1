"""Which heads of requests are refused before anything looks at what they ask for (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import httptools

from dhatu_gateway.core.exchange import TRAILERS_KEY, Header, Scope
from dhatu_gateway.core.problem import Kind, Problem
from dhatu_gateway.core.server.limits import ServerLimits

# Repeated, these could be read differently by the next program in the chain.
_SINGLE = frozenset(
    {b"authorization", b"content-length", b"content-type", b"expect", b"host", b"transfer-encoding"}
)
# Narrower than a reg-name of RFC 3986, which may hold quotes and escapes: services put it into links.
_HOST = re.compile(rb"[A-Za-z0-9._-]+(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?")
_AUTHORITY = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_VERSIONS = frozenset({"1.0", "1.1"})


@dataclass(slots=True)
class Head:
    """The head of a request as parsed; one is made for every request, so it is not frozen."""

    method: str
    target: bytes
    version: str
    headers: Sequence[Header]
    expects_continue: bool = False
    """Set by `check_head`: the client waits for 100 before it sends the body."""
    names_protocol: bool = False
    """Set by `check_head`: there is an Upgrade field."""


def check_head(head: Head, limits: ServerLimits) -> Problem | None:
    """Return why the head is refused, or None."""
    if len(head.headers) > limits.max_headers:
        return _refusal("headers-too-large", f"A request may have {limits.max_headers} header fields.")
    if len(head.target) > limits.max_target_bytes:
        return _refusal("uri-too-long", f"Path and query may have {limits.max_target_bytes} bytes together.")
    if head.version not in _VERSIONS:
        return _refusal("malformed-request", "Send HTTP/1.1.")
    fields = dict(head.headers)
    if len(fields) != len(head.headers):
        repeated = _repeated(head.headers)
        if repeated:
            return _refusal("malformed-request", f"The field {repeated} may be sent once.")
    host = fields.get(b"host")
    if host is None:
        if head.version == "1.1":
            return _refusal("malformed-request", "HTTP/1.1 requires a Host field.")
    elif _HOST.fullmatch(host) is None:
        return _refusal("malformed-request", "The Host field is not a host name with an optional port.")
    if b"upgrade" in fields:
        head.names_protocol = True
        if b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0":
            # llhttp takes the body for a part of the new protocol.
            return _refusal("malformed-request", "A request with a body cannot ask for an upgrade.")
    if b"expect" in fields:
        if fields[b"expect"].lower() != b"100-continue":
            return _refusal("expectation-failed", "Only Expect: 100-continue is understood.")
        head.expects_continue = head.version == "1.1"  # HTTP/1.0 knows no 100
    if head.method == "CONNECT":
        return _refusal("method-not-allowed", "This is not a tunnelling proxy.")
    return _check_transfer_encoding(head, fields) if b"transfer-encoding" in fields else None


def split_target(head: Head) -> tuple[bytes, bytes] | None:
    """Split the target into path and query; None where it is not a path or a URL (RFC 9112 section 3.2).

    A URL must name the host that the Host field names, since others in the chain may look at either.
    """
    target = head.target
    if target.startswith(b"/"):
        path, _, query = target.partition(b"?")
        return None if b"#" in target else (path, query)
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return None
    authority = _AUTHORITY.match(target)
    if authority is None or authority[1].lower() != dict(head.headers).get(b"host", authority[1]).lower():
        return None
    return (url.path or b"/", url.query or b"") if _HOST.fullmatch(authority[1]) else None


def keep_trailer(scope: Scope, trailer: Header, at_hand_bytes: int, limits: ServerLimits) -> Problem | None:
    """Put a trailer into the scope of its request; returns why it is refused, or None.

    `at_hand_bytes`: what has come with it. Trailers that come in many pieces are a matter of framing.
    """
    trailers: list[Header] = scope.setdefault(TRAILERS_KEY, [])
    trailers.append(trailer)
    if len(trailers) > limits.max_headers:
        return _refusal("headers-too-large", f"A body may have {limits.max_headers} trailers.")
    if at_hand_bytes > limits.max_framing_bytes < head_size_bytes(b"", trailers):
        return _refusal("headers-too-large", f"Trailers may have {limits.max_framing_bytes} bytes together.")
    return None


def head_size_bytes(target: bytes, headers: Sequence[Header]) -> int:
    return len(target) + sum(len(name) + len(value) for name, value in headers)


def _check_transfer_encoding(head: Head, fields: dict[bytes, bytes]) -> Problem | None:
    if b"content-length" in fields:
        return _refusal("malformed-request", "Content-Length and Transfer-Encoding exclude one another.")
    if head.version != "1.1":
        return _refusal("malformed-request", "HTTP/1.0 has no Transfer-Encoding.")
    if fields[b"transfer-encoding"].lower() != b"chunked":
        return _refusal("malformed-request", "The only Transfer-Encoding that is understood is chunked.")
    return None


def _repeated(headers: Sequence[Header]) -> str:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and name in _SINGLE:
            return name.decode("latin-1").title()
        seen.add(name)
    return ""


def _refusal(kind: Kind, detail: str) -> Problem:
    return Problem(kind=kind, detail=detail)
