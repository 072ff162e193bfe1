"""How a value is written into a parameter: `style` and `explode` of OpenAPI 3.1, section 4.8.12.

Each reader takes what stands in the request, still percent-encoded where the location encodes, and gives the
value for the schema. Delimiters are looked for before anything is decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, unquote_plus

from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Parameter
from dhatu_gateway.core.validation.json_body import PROTOTYPE, parse_json
from dhatu_gateway.core.validation.values import Shape

Decode = Callable[[str], str]
Reader = Callable[[str], Any]
"""Raises `ValueError`, with words for the caller, where the text is not written as it must be."""

_DELIMITERS: dict[str, tuple[str, ...]] = {
    "spaceDelimited": ("%20", "+"),
    "pipeDelimited": ("|", "%7C", "%7c"),
}


def decode_query(text: str) -> str:
    """Decode a name or a value of a query (WHATWG URL, application/x-www-form-urlencoded)."""
    return _strictly(unquote_plus, text) if "%" in text or "+" in text else text


def decode_path(text: str) -> str:
    """Decode a segment of a path."""
    return _strictly(unquote, text) if "%" in text else text


def verbatim(text: str) -> str:
    """Headers and cookies are not encoded."""
    return text


def _strictly(function: Callable[..., str], text: str) -> str:
    try:
        return function(text, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8") from error


def build_reader(parameter: Parameter, shape: Shape, decode: Decode) -> Reader:
    """Return the reader of one written value."""
    if parameter.content_type:
        return lambda text: _json(decode(text))
    if shape.kind == "scalar":
        scalar = shape.scalar
        strip = _prefix_stripper(parameter)
        if strip is None and decode is verbatim:
            return scalar
        return lambda text: scalar(decode(strip(text) if strip else text))
    split = _splitter(parameter)
    strip = _prefix_stripper(parameter)
    read = _read_array if shape.kind == "array" else _read_object
    pairs = parameter.explode and parameter.style in ("simple", "label", "matrix")
    return lambda text: read(split(strip(text) if strip else text), shape, decode, pairs)


def _read_array(parts: list[str], shape: Shape, decode: Decode, pairs: bool) -> list[Any]:
    return [shape.scalar(decode(part)) for part in parts]


def _read_object(parts: list[str], shape: Shape, decode: Decode, pairs: bool) -> dict[str, Any]:
    if pairs:
        entries = [part.partition("=")[::2] for part in parts]
    elif len(parts) % 2:
        raise ValueError("must be written as name,value,name,value")
    else:
        entries = list(zip(parts[::2], parts[1::2], strict=True))
    return read_members([(decode(name), decode(value)) for name, value in entries], shape)


def read_members(entries: list[tuple[str, str]], shape: Shape) -> dict[str, Any]:
    """Make an object of decoded names and values."""
    members = {name: shape.properties.get(name, str)(value) for name, value in entries}
    if len(members) != len(entries):
        raise ValueError("names a member twice")
    if PROTOTYPE in members:
        raise ValueError("has a member with a name that none may have")
    return members


def _prefix_stripper(parameter: Parameter) -> Callable[[str], str] | None:
    prefix = {"label": ".", "matrix": f";{parameter.name}="}.get(parameter.style)
    if prefix is None or (parameter.style == "matrix" and parameter.explode):
        return None

    def strip(text: str) -> str:
        if not text.startswith(prefix):
            raise ValueError(f"must start with {prefix}")
        return text[len(prefix) :]

    return strip


def _splitter(parameter: Parameter) -> Callable[[str], list[str]]:
    if parameter.style == "matrix" and parameter.explode:
        own = f"{parameter.name}="
        return lambda text: [part.removeprefix(own) for part in text.removeprefix(";").split(";")]
    if parameter.style == "label" and parameter.explode:
        return lambda text: text.split(".")
    delimiters = _DELIMITERS.get(parameter.style)
    if delimiters is None:
        return lambda text: text.split(",") if text else []
    first, *others = delimiters

    def split(text: str) -> list[str]:
        for other in others:
            text = text.replace(other, first)
        return text.split(first) if text else []

    return split


def _json(text: str) -> Any:
    try:
        return parse_json(text.encode("utf-8", "surrogateescape"))
    except ProblemError as error:
        raise ValueError(error.problem.errors[0].detail) from error
