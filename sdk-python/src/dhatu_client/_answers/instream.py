"""Errors that a server reports among the items of a stream, after its answer has begun as a success."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from .._errors import StreamError
from .._problem import Problem, problem_of, read_problem
from .._wire import Answer

_PROBLEM = frozenset({"type", "title", "status", "detail"})
"""Members of problem details (RFC 9457) by which they are known."""
_ENVELOPE = frozenset({"error", "type", "status", "code", "message", "request_id"})
"""Members beside `error` of an object that holds nothing else."""


def stream_error(operation: str, answer: Answer, data: bytes) -> StreamError:
    """The error that such data speaks of: problem details, `{"error": {"message": ...}}`, or any text."""
    members = _object(data)
    if members is None:
        status, problem = answer.status, read_problem(answer.status, data)
        problem = Problem(status=status, title="Error", detail=problem.detail)
    else:
        said = _flat(members)
        status = _status(said, answer.status)
        problem = problem_of(status, said)
    return StreamError(
        operation=operation,
        status=status,
        problem=problem,
        request_id=problem.request_id or answer.request_id,
        headers=answer.headers,
    )


def is_error(data: bytes) -> bool:
    """Whether data that is not the item it should be speaks of an error."""
    members = _object(data)
    if members is None:
        return False
    if _says_error(members):
        return True
    if isinstance(members.get("message"), str) and "code" in members:
        return True
    return len(_PROBLEM & members.keys()) >= 2 and (_failed(members) or isinstance(members.get("title"), str))


def is_plain_error(data: bytes, item: object) -> bool:
    """Whether an item was accepted only because its type accepts anything, and is nothing but an error.

    Models keep members that they do not know, so that one without required members takes every object.
    """
    if b'"error"' not in data and b'"title"' not in data:
        return False
    unknown: object = cast("object", item) if type(item) is dict else getattr(item, "model_extra", None)
    if not unknown or not isinstance(unknown, Mapping):
        return False
    if "error" in unknown:
        members = _object(data) or {}
        return _says_error(members) and members.keys() <= _ENVELOPE
    return "title" in unknown and "status" in unknown and _failed(_object(data) or {})


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value: object = json.loads(data)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _says_error(members: Mapping[str, Any]) -> bool:
    error: object = members.get("error")
    return bool(error) and isinstance(error, str | dict)


def _failed(members: Mapping[str, Any]) -> bool:
    return _status(members, 0) >= 400


def _flat(members: dict[str, Any]) -> dict[str, Any]:
    """The members of problem details, whatever the API calls them."""
    inner: object = members.get("error")
    said = {**members, **cast("dict[str, Any]", inner)} if isinstance(inner, dict) else dict(members)
    names = [said.get(name) for name in ("title", "code", "type")]
    said["title"] = next((name for name in names if name and isinstance(name, str)), "Error")
    details = [said.get(name) for name in ("detail", "message")] + [inner]
    said["detail"] = next((text for text in details if text and isinstance(text, str)), "")
    return said


def _status(members: Mapping[str, Any], otherwise: int) -> int:
    for name in ("status", "code"):
        stated: object = members.get(name)
        if isinstance(stated, int) and 400 <= stated <= 599:
            return stated
    return otherwise
