"""Problem details (RFC 9457), read leniently: a broken error body must not hide the error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

_MAX_TEXT = 500
_MAX_PARTS = 5
_KNOWN = frozenset({"type", "title", "status", "detail", "instance", "request_id", "errors"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One part of the request that was refused."""

    location: str
    """body, path, query, header or cookie."""
    name: str
    """Name of the parameter, or the JSON Pointer (RFC 6901) into the body."""
    detail: str

    def __str__(self) -> str:
        return f"{self.location} {self.name} {self.detail}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, in the server's words."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    instance: str = ""
    request_id: str = ""
    errors: tuple[FieldError, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further members of the problem, as they came."""

    def summary(self) -> str:
        """One line: the title, and the refused parts or else the detail."""
        parts = "; ".join(str(error) for error in self.errors[:_MAX_PARTS])
        more = len(self.errors) - _MAX_PARTS
        said = f"{parts}; and {more} more" if more > 0 else parts or self.detail.removesuffix(".")
        return ": ".join(part for part in (self.title, said) if part)


def read_problem(status: int, content: bytes) -> Problem:
    """The problem that an error's body describes, or one made up from the status and its first line.

    >>> read_problem(404, b'{"title": "Not found", "detail": "No document doc_1."}').summary()
    'Not found: No document doc_1'
    >>> read_problem(502, b"<html>").summary()
    'Bad Gateway: <html>'
    """
    try:
        body: object = json.loads(content)
    except ValueError:
        text = content.decode("utf-8", "replace").strip()
        return Problem(title=_phrase(status), status=status, detail=_short(text.split("\n", 1)[0]))
    if not isinstance(body, dict):
        return Problem(title=_phrase(status), status=status, detail=_short(json.dumps(body)))
    return problem_of(status, cast("dict[str, Any]", body))


def problem_of(status: int, members: dict[str, Any]) -> Problem:
    """The problem that the members of an object describe."""
    errors: object = members.get("errors")
    listed = cast("list[object]", errors) if isinstance(errors, list) else []
    return Problem(
        type=_text(members, "type") or "about:blank",
        title=_text(members, "title") or _phrase(status),
        status=status,
        detail=_text(members, "detail"),
        instance=_text(members, "instance"),
        request_id=_text(members, "request_id"),
        errors=tuple(_field_error(cast("dict[str, Any]", item)) for item in listed if isinstance(item, dict)),
        extensions={name: value for name, value in members.items() if name not in _KNOWN},
    )


def _field_error(members: dict[str, Any]) -> FieldError:
    return FieldError(
        location=_text(members, "location"), name=_text(members, "name"), detail=_text(members, "detail")
    )


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _phrase(status: int) -> str:
    from http import HTTPStatus  # builds an enumeration of them all

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown status"


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
