"""Media types (RFC 9110, section 8.3)."""

from __future__ import annotations


def essence(content_type: str) -> str:
    """The media type without its parameters, in lower case.

    >>> essence("Text/HTML; charset=utf-8")
    'text/html'
    """
    return content_type.partition(";")[0].strip().lower()


def matches(media_range: str, media_type: str) -> bool:
    """Whether a media type, without parameters, lies in a range such as `image/*`.

    >>> matches("image/*", "image/png"), matches("*/*", "text/html"), matches("image/png", "image/gif")
    (True, True, False)
    """
    media_range = essence(media_range)
    if media_range in ("*/*", media_type):
        return True
    return media_range.endswith("/*") and media_type.startswith(media_range[:-1])
