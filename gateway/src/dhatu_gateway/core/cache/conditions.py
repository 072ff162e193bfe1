"""What a client already has, and whether it is still right (RFC 9110 section 13)."""

from __future__ import annotations

from collections.abc import Mapping

from dhatu_gateway.core.cache.directives import moment_s
from dhatu_gateway.core.cache.entries import Entry
from dhatu_gateway.core.exchange import Header
from dhatu_gateway.core.headers import CONNECTION_ONLY, connection_options

CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})
"""Answered by the cache, which asks the service by its own."""
_BYPASSING = frozenset({b"range", b"if-match", b"if-unmodified-since", b"if-range"})
NOT_MODIFIED_FIELDS = frozenset({b"cache-control", b"content-location", b"etag", b"expires", b"vary"})
"""What a 304 repeats (RFC 9110 section 15.4.5)."""


def is_left_to_the_service(fields: Mapping[bytes, bytes]) -> bool:
    """Whether the cache has nothing to do with a request.

    So it is with fields that `Connection` names: the service will not see them, yet answers are kept by them.
    """
    if not _BYPASSING.isdisjoint(fields):
        return True
    connection = fields.get(b"connection")
    return connection is not None and not connection_options(connection) <= CONNECTION_ONLY


def is_unchanged(entry: Entry, fields: Mapping[bytes, bytes]) -> bool:
    """Whether a client may be told 304 for what is kept."""
    etags = fields.get(b"if-none-match")
    if etags is not None:
        known = entry.field(b"etag")
        return known is not None and (
            etags.strip() == b"*" or _opaque(known) in {_opaque(tag) for tag in _tags(etags)}
        )
    since_s = moment_s(fields.get(b"if-modified-since"))
    changed_s = moment_s(entry.field(b"last-modified"))
    return since_s is not None and changed_s is not None and changed_s <= since_s


def validators(entry: Entry) -> list[Header]:
    """The fields by which the service is asked whether what is kept still holds."""
    etag, changed = entry.field(b"etag"), entry.field(b"last-modified")
    found: list[Header] = [(b"if-none-match", etag)] if etag is not None else []
    return [*found, (b"if-modified-since", changed)] if changed is not None else found


def _tags(field: bytes) -> list[bytes]:
    r"""Entity tags; a comma may stand inside of one.

    >>> _tags(b'"a,b", W/"c"')
    [b'"a,b"', b'W/"c"']
    """
    tags: list[bytes] = []
    rest = field
    while b'"' in rest:
        weak, _, after = rest.partition(b'"')
        value, closed, rest = after.partition(b'"')
        if closed:
            tags.append((b"W/" if weak.strip(b" ,\t") == b"W/" else b"") + b'"' + value + b'"')
    return tags


def _opaque(tag: bytes) -> bytes:
    """Weak comparison (RFC 9110 section 8.8.3.2)."""
    return tag.removeprefix(b"W/")
