"""Parameters on the wire: OpenAPI's style and explode, which are the operators of RFC 6570."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from urllib.parse import quote

from ._call import ParameterSpec
from ._errors import ArgumentError
from ._values import Plain, to_json, to_plain

_UNRESERVED = "-._~"
# What RFC 6570's {+var} keeps, less what ends or splits a query, or stands for a space in it.
_RESERVED_IN_QUERY = _UNRESERVED + ":/?@!$'()*,;="
_HEADER_CHARACTERS = frozenset(string.printable) - frozenset("\r\n\x0b\x0c")

Pairs = list[tuple[str, str]]
"""Names and values, percent-encoded."""


def path_segment(spec: ParameterSpec, value: object) -> str:
    """The text that stands for `{name}` in the path, percent-encoded."""
    plain = to_plain(value)
    if plain == "" or plain == [] or plain == {}:
        raise ArgumentError(f"{spec.argument} must not be empty: it is part of the path")
    if spec.content_type:
        return encode(_content(spec, value))
    prefix = {"label": ".", "matrix": ";"}.get(spec.style, "")
    separator = (prefix or ",") if spec.explode else ","
    name = encode(spec.name)
    if isinstance(plain, dict):
        members = _flat(spec, plain)
        if spec.explode:
            return prefix + separator.join(f"{key}={member}" for key, member in members)
        text = ",".join(part for pair in members for part in pair)
        return f";{name}={text}" if prefix == ";" else prefix + text
    items = [_encoded(spec, item) for item in (plain if isinstance(plain, list) else [plain])]
    if prefix != ";":
        return prefix + separator.join(items)
    if spec.explode:
        return "".join(f";{name}={item}" for item in items)
    return f";{name}={','.join(items)}"


def query_pairs(spec: ParameterSpec, value: object) -> Pairs:
    """The `name=value` pairs of a query parameter; none for an empty list or object."""
    name = encode(spec.name)
    if spec.content_type:
        return [(name, _kept(spec, _content(spec, value)))]
    plain = to_plain(value)
    if isinstance(plain, dict):
        return _object_pairs(spec, name, plain)
    if isinstance(plain, list):
        items = [_encoded(spec, item) for item in plain]
        if spec.explode and spec.style in ("form", "spaceDelimited", "pipeDelimited"):
            return [(name, item) for item in items]
        return [(name, _delimiter(spec).join(items))] if items else []
    return [(name, _encoded(spec, plain))]


def header_text(spec: ParameterSpec, value: object) -> str:
    """The value of a header: style simple, never percent-encoded (OpenAPI 3.1, appendix D)."""
    if spec.content_type:
        return checked_header(spec.name, _content(spec, value))
    plain = to_plain(value)
    if isinstance(plain, dict):
        members = [(key, _scalar(spec, member)) for key, member in plain.items()]
        if spec.explode:
            return checked_header(spec.name, ",".join(f"{key}={member}" for key, member in members))
        return checked_header(spec.name, ",".join(part for pair in members for part in pair))
    items = plain if isinstance(plain, list) else [plain]
    return checked_header(spec.name, ",".join(_scalar(spec, item) for item in items))


def cookie_pairs(spec: ParameterSpec, value: object) -> Pairs:
    """The `name=value` pairs of a cookie parameter: style form."""
    return query_pairs(spec, value)


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
            yield from _deep(spec, f"{prefix}%5B{encode(key)}%5D", member)
    elif isinstance(value, list):
        for item in value:
            yield from _deep(spec, prefix, item)
    else:
        yield prefix, _encoded(spec, value)


def _flat(spec: ParameterSpec, members: dict[str, Plain]) -> Pairs:
    return [(encode(key), _encoded(spec, member)) for key, member in members.items()]


def _delimiter(spec: ParameterSpec) -> str:
    return {"spaceDelimited": "%20", "pipeDelimited": "%7C"}.get(spec.style, ",")


def _encoded(spec: ParameterSpec, value: Plain) -> str:
    return _kept(spec, _scalar(spec, value))


def _kept(spec: ParameterSpec, text: str) -> str:
    return encode(text, keep=_RESERVED_IN_QUERY if spec.allow_reserved else _UNRESERVED)


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
    """The text of a `content` parameter: as JSON unless its media type is a text one."""
    if spec.content_type.startswith("text/") and isinstance(value, str):
        return value
    return to_json(value, where=spec.argument).decode("utf-8")
