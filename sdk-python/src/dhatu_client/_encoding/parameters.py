"""Parameters on the wire: OpenAPI's style and explode, which are the operators of RFC 6570."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from urllib.parse import quote

from .._call import ParameterSpec
from .._errors import ArgumentError
from .._media import is_json
from .values import Plain, to_json, to_plain

_UNRESERVED = "-._~"
# What RFC 6570's {+var} keeps, less what ends or splits a query, or stands for a space in it.
_RESERVED_IN_QUERY = _UNRESERVED + ":/?@!$'()*,;="
_HEADER_CHARACTERS = frozenset(string.printable) - frozenset("\r\n\x0b\x0c")

Pairs = list[tuple[str, str]]
"""Names and values, percent-encoded."""


def path_segment(spec: ParameterSpec, value: object) -> str:
    """The text that stands for `{name}` in the path, percent-encoded."""
    if spec.content_type:
        return encode(_content(spec, value))
    plain = to_plain(value)
    prefix = {"label": ".", "matrix": ";"}.get(spec.style, "")
    if plain in ("", [], {}) or (plain == [""] and not prefix):
        raise ArgumentError(f"{spec.argument} must not be empty: it is part of the path")
    separator = (prefix or ",") if spec.explode else ","
    name = encode(spec.name)
    if isinstance(plain, dict):
        members = _flat(spec, plain)
        if spec.explode:
            return prefix + separator.join(f"{key}={member}" for key, member in members)
        text = ",".join(part for pair in members for part in pair)
        return f";{name}={text}" if prefix == ";" else prefix + text
    items = _items(spec, plain) if isinstance(plain, list) else [_encoded(spec, plain)]
    if prefix != ";":
        return prefix + separator.join(items)
    if spec.explode:
        return "".join(f";{name}={item}" for item in items)
    return f";{name}={','.join(items)}"


def query_pairs(spec: ParameterSpec, value: object) -> Pairs:
    """The `name=value` pairs of a query parameter; none for an empty list or object."""
    name = encode(spec.name)
    if spec.content_type:
        return [(name, encode(_content(spec, value), keep=_kept(spec)))]
    plain = to_plain(value)
    if isinstance(plain, dict):
        return _object_pairs(spec, name, plain)
    if isinstance(plain, list):
        items = _items(spec, plain)
        if spec.explode and spec.style in ("form", "spaceDelimited", "pipeDelimited"):
            return [(name, item) for item in items]
        return [(name, _delimiter(spec).join(items))] if items else []
    return [(name, _encoded(spec, plain))]


def header_text(spec: ParameterSpec, value: object) -> str:
    """The value of a header: style simple, never percent-encoded (OpenAPI 3.1.1, appendix D)."""
    if spec.content_type:
        return checked_header(spec.name, _content(spec, value))
    return checked_header(spec.name, _bare(spec, value))


def cookie_pairs(spec: ParameterSpec, value: object) -> Pairs:
    """The `name=value` pairs of a cookie: style form, or cookie, which encodes nothing (OpenAPI 3.2)."""
    if spec.style != "cookie":
        return query_pairs(spec, value)
    if spec.content_type:
        return [(spec.name, checked_cookie(spec.name, _content(spec, value)))]
    plain = to_plain(value)
    if not spec.explode or not isinstance(plain, list | dict):
        return [(spec.name, checked_cookie(spec.name, _bare(spec, plain)))] if plain not in ([], {}) else []
    pairs = plain.items() if isinstance(plain, dict) else [(spec.name, item) for item in plain]
    return [(checked_cookie(name, name), checked_cookie(name, _scalar(spec, item))) for name, item in pairs]


def checked_cookie(name: str, text: str) -> str:
    """`text`, if it can be part of a cookie as it is (RFC 6265, section 4.1.1)."""
    if any(character in ' ";\\' for character in text):
        raise ArgumentError(f"the cookie {name} holds a space, quote, semicolon or backslash")
    return checked_header(name, text)


def checked_header(name: str, text: str) -> str:
    """`text`, if it can be the value of a header; the error never repeats it, since it may be a secret."""
    if any(character not in _HEADER_CHARACTERS and character < "\x80" for character in text):
        raise ArgumentError(f"the value of header {name} holds a line break or another control character")
    if text != text.strip():
        raise ArgumentError(f"the value of header {name} begins or ends with white space")
    return text


def encode(text: str, *, keep: str = _UNRESERVED) -> str:
    """Percent-encoded UTF-8 (RFC 3986): letters, digits and `keep` stay.

    >>> encode("a b/ś")
    'a%20b%2F%C5%9B'
    """
    try:
        return quote(text, safe=keep)
    except UnicodeEncodeError as error:
        raise ArgumentError("text cannot be sent as UTF-8: it holds a lone surrogate") from error


def _object_pairs(spec: ParameterSpec, name: str, members: dict[str, Plain]) -> Pairs:
    if spec.style == "deepObject":
        return list(_deep(spec, name, members))
    flat = _flat(spec, members)
    if spec.explode:
        return flat
    return [(name, _delimiter(spec).join(part for pair in flat for part in pair))] if flat else []


def _deep(spec: ParameterSpec, prefix: str, value: Plain) -> Iterable[tuple[str, str]]:
    """`filter[lang]=sa`, nested as deep as the value is; lists repeat the name. The brackets are encoded."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not key or "[" in key or "]" in key:
                raise ArgumentError(f"no name in {spec.argument} may be empty or hold a bracket")
            yield from _deep(spec, f"{prefix}%5B{encode(key)}%5D", member)
    elif isinstance(value, list):
        for item in value:
            yield from _deep(spec, prefix, item)
    else:
        yield prefix, _encoded(spec, value)


def _flat(spec: ParameterSpec, members: dict[str, Plain]) -> Pairs:
    keys = _items(spec, [*members], "=")
    return list(zip(keys, _items(spec, [*members.values()]), strict=True))


def _delimiter(spec: ParameterSpec) -> str:
    return {"spaceDelimited": "%20", "pipeDelimited": "%7C"}.get(spec.style, ",")


def _items(spec: ParameterSpec, items: list[Plain], more: str = "") -> list[str]:
    """The pieces of a list or object, each encoded, so that what stands between them is not in them."""
    delimiter = "" if spec.explode else {"spaceDelimited": " ", "pipeDelimited": "|"}.get(spec.style, "")
    texts = [_scalar(spec, item) for item in items]
    if delimiter and any(delimiter in text for text in texts):
        # Encoded or not, a server takes it for the end of the item (OpenAPI 3.1.1, Parameter Object).
        raise ArgumentError(f"no item of {spec.argument} may hold {delimiter!r}, which separates them")
    between = f",;{more}." if spec.location == "path" else f",{more}"
    keep = "".join(character for character in _kept(spec) if character not in between)
    if spec.location != "path" or spec.style != "label":
        return [encode(text, keep=keep) for text in texts]
    return [encode(text, keep=keep).replace(".", "%2E") for text in texts]


def _bare(spec: ParameterSpec, value: object) -> str:
    """A value in one text, pieces separated by commas, nothing encoded."""
    plain = to_plain(value)
    if not isinstance(plain, list | dict):
        return _scalar(spec, plain)
    pieces = [_scalar(spec, item) for item in (plain.values() if isinstance(plain, dict) else plain)]
    keys = list(plain) if isinstance(plain, dict) else []
    joins = "=" if keys and spec.explode else ","
    if any("," in piece for piece in (*pieces, *keys)) or any(joins in key for key in keys):
        raise ArgumentError(f"no part of {spec.argument} may hold a comma or what separates names and values")
    return (
        ",".join(f"{key}{joins}{piece}" for key, piece in zip(keys, pieces, strict=True))
        if keys
        else (",".join(pieces))
    )


def _encoded(spec: ParameterSpec, value: Plain) -> str:
    return encode(_scalar(spec, value), keep=_kept(spec))


def _kept(spec: ParameterSpec) -> str:
    """The characters that stay: allowReserved is for the query; in a path it must not end a segment."""
    if not spec.allow_reserved or spec.location not in ("query", "path"):
        return _UNRESERVED
    kept = _RESERVED_IN_QUERY
    return kept if spec.location == "query" else kept.replace("/", "").replace("?", "")


def _scalar(spec: ParameterSpec, value: Plain) -> str:
    """Text as it is, everything else as JSON writes it: `true`, `null`, `1.5`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        raise ArgumentError(
            f"{spec.argument} is nested deeper than a parameter of style {spec.style} can carry"
        )
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise ArgumentError(f"{spec.argument} must be a finite number") from error


def _content(spec: ParameterSpec, value: object) -> str:
    """The text of a `content` parameter: as JSON, unless it is text in another media type already."""
    if isinstance(value, str) and not is_json(spec.content_type):
        return value
    return to_json(value, where=spec.argument).decode("utf-8")
