"""JSON Pointers (RFC 6901), and the fragment form that `$ref` uses."""

from __future__ import annotations

from urllib.parse import quote, unquote


def escape(token: str) -> str:
    """One token as it stands in a pointer.

    >>> escape("/api/v1/~me")
    '~1api~1v1~1~0me'
    """
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """The key that one token of a pointer names."""
    return token.replace("~1", "/").replace("~0", "~")


def join(*keys: str) -> str:
    """The pointer through these keys.

    >>> join("paths", "/a", "get")
    '/paths/~1a/get'
    """
    return "".join(f"/{escape(key)}" for key in keys)


def tokens(pointer: str) -> tuple[str, ...]:
    """The keys that a pointer goes through.

    >>> tokens("/paths/~1a/get")
    ('paths', '/a', 'get')
    """
    return tuple(unescape(token) for token in pointer.split("/")[1:])


def of_reference(reference: str) -> str | None:
    """The pointer in a `$ref` to the same document; None where it leads elsewhere.

    >>> of_reference("#/components/schemas/A%20B")
    '/components/schemas/A B'
    """
    if reference == "#" or reference.startswith("#/"):
        return unquote(reference[1:])
    return None


def to_reference(pointer: str) -> str:
    """The `$ref` that leads to a pointer of the same document."""
    return "#" + quote(pointer, safe="/~!$&'()*+,;=:@-._")
