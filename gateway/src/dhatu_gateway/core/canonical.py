"""One form of the request path, on which everything is decided and which is what the upstream gets.

Whatever two programs could read differently is refused: encoded or reversed slashes, dot segments in any
disguise, empty segments, control bytes. What RFC 3986 section 6.2.2 calls equivalent is made equal.
"""

from __future__ import annotations

import re

from dhatu_gateway.core.problem import ProblemError

# pchar of RFC 3986 section 3.3, and the slash.
_ALLOWED = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Slash, backslash, control bytes and DEL, encoded once or, with %25 for %, any number of times.
_HIDDEN = re.compile(rb"%(?:25)*(?:2F|5C|[01][0-9A-F]|7F)", re.IGNORECASE)
# A segment that is `.` or `..` in any number of encodings; what follows `;` is dropped by some servers.
_DOT_SEGMENT = re.compile(rb"/(?:\.|%(?:25)*2E){1,2}(?=/|;|%(?:25)*3B|\Z)", re.IGNORECASE)


def canonical_path(raw: bytes) -> str:
    """Return the canonical form of a path as it came, without its query.

    Idempotent. Unreserved characters are decoded, other escapes are in upper case.
    Raises `ProblemError` (400) for a path that has no single meaning.

    >>> canonical_path(b"/api/v1/corpus/%64oc%2a")
    '/api/v1/corpus/doc%2A'
    """
    if _ALLOWED.fullmatch(raw) is None:
        raise _refusal(_what_is_not_allowed(raw))
    if b"//" in raw:
        raise _refusal("it has an empty segment (//)")
    if _DOT_SEGMENT.search(raw):
        raise _refusal("it has a dot segment (. or ..), which may be encoded")
    if b"%" not in raw:
        return raw.decode("ascii")
    if _HIDDEN.search(raw):
        raise _refusal("it has an encoded slash, backslash or control character")
    try:
        _ESCAPE.sub(_decoded, raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal("its escapes are not UTF-8") from error
    return _ESCAPE.sub(_normalised, raw).decode("ascii")


def _decoded(escape: re.Match[bytes]) -> bytes:
    return bytes((int(escape[1], 16),))


def _normalised(escape: re.Match[bytes]) -> bytes:
    value = int(escape[1], 16)
    return bytes((value,)) if value in _UNRESERVED else escape[0].upper()


def _what_is_not_allowed(raw: bytes) -> str:
    if not raw.startswith(b"/"):
        return "it must start with a slash"
    if b"\\" in raw:
        return "it has a backslash"
    match = _ALLOWED.match(raw)
    position = match.end() if match else 0
    if raw[position : position + 1] == b"%":
        return f"the per cent sign at position {position} is not followed by two hexadecimal digits"
    return f"the byte 0x{raw[position]:02X} at position {position} must be percent-encoded"


def _refusal(reason: str) -> ProblemError:
    return ProblemError("malformed-request", f"The path is refused: {reason}.")
