"""The Content-Type of a request, read so that the service cannot read it otherwise (RFC 9110 section 8.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dhatu_gateway.core.problem import ProblemError

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rf'[ \t]*;[ \t]*({_TOKEN})=({_TOKEN}|"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t -~])*+")'
_VALUE = re.compile(rf"({_TOKEN}(?:/{_TOKEN})?)((?:{_PARAMETER})*+)[ \t]*;?[ \t]*")
_PARAMETERS = re.compile(_PARAMETER)
_ESCAPED = re.compile(r"\\(.)")

UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


@dataclass(frozen=True, slots=True)
class ContentType:
    """A media type in lower case, and its parameters: names in lower case, values as they are meant."""

    name: str
    parameters: Mapping[str, str]


def parse_content_type(field: bytes) -> ContentType:
    """Read the field; raises `ProblemError` (415) where it is not one media type."""
    found = _parse(field)
    if found is None or "/" not in found.name:
        raise ProblemError(
            "unsupported-media-type", "The field Content-Type does not hold one media type in proper form."
        )
    return found


def parse_parameters(field: bytes, name: str) -> Mapping[str, str] | None:
    """Read the parameters of a field such as Content-Disposition; None where it does not hold this value."""
    found = _parse(field)
    return found.parameters if found is not None and found.name == name else None


def _parse(field: bytes) -> ContentType | None:
    found = _VALUE.fullmatch(field.decode("latin-1").strip(" \t"))
    if found is None:
        return None
    parameters: dict[str, str] = {}
    for written, value in _PARAMETERS.findall(found[2]):
        name = written.lower()
        if name in parameters:
            return None  # two readers would take one each
        parameters[name] = _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
    return ContentType(found[1].lower(), parameters)


def require_utf_8(content_type: ContentType, what: str) -> None:
    """Refuse any other charset: the gateway and the service would read different texts."""
    if content_type.parameters.get("charset", "utf-8").lower() not in UTF_8:
        raise ProblemError("unsupported-media-type", f"{what} must be sent in UTF-8.")
