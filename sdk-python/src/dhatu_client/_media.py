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


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON or built on it (RFC 6839).

    >>> is_json("application/geo+json"), is_json("application/jsonl")
    (True, False)
    """
    kind = essence(media_type)
    return kind == "application/json" or kind.endswith("+json")


def parameter_of(media_type: str, name: str) -> str:
    """A parameter of a media type; empty where there is none.

    >>> parameter_of('text/plain; charset="UTF-8"', "charset")
    'UTF-8'
    """
    return _parameters(media_type).get(name, "")


def same_parameters(described: str, media_type: str) -> bool:
    """Whether a media type has every parameter that its description has.

    >>> same_parameters("text/x; v=2", "text/x; charset=utf-8; v=2"), same_parameters("text/x; v=2", "text/x")
    (True, False)
    """
    return _parameters(described).items() <= _parameters(media_type).items()


def _parameters(media_type: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in media_type.split(";")[1:])
    return {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
