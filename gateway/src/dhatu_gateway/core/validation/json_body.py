"""JSON as it may come from anybody: what two readers could take for two things is refused (RFC 7493)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

import orjson

from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.validation.refusals import pointer_token, refusal

MAX_DEPTH = 64
"""Levels of arrays and objects; beyond any honest body, well below what a parser's stack holds."""
MAX_NUMBER_LENGTH = 64
"""Characters of a number with a fraction or an exponent."""

PROTOTYPE = "__proto__"
"""As a member, and as `constructor.prototype`, it changes what every object has, where a service in
JavaScript copies a body member by member."""

_CONTAINERS = frozenset({dict, list})
_LEAST, _MOST = -(2**63), 2**64 - 1
"""Integers beyond are rounded by some readers and not by others."""
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * (len(str(_LEAST)) - 1)
"""As many digits as the least integer has; the greatest has one more."""


def read_json(body: bytes) -> Any:
    """Read a JSON text as it is; raises `ProblemError` that says where it is malformed."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise _whole(detail) from error


def parse_json(body: bytes) -> Any:
    """Read a JSON text from a stranger; raises `ProblemError` that says what is wrong with it, and where."""
    value: Any = read_json(body)
    # Each of these tests can only fail to clear an honest body, which then is looked at closely.
    if value.__class__ is dict and body.count(b"{") == 1 and b"[" not in body:
        members = len(value)  # nothing nested, as in most bodies
        reaches = PROTOTYPE in value
        is_long = float in map(type, value.values()) and may_have_long_numbers(body)
    else:
        members = _count_members(value)
        reaches = b"proto" in body or b"\\u" in body
        is_long = may_have_long_numbers(body)
    if members != body.count(b":") and members != _outside_strings(body).count(b":"):
        raise refusal(_faults(body))
    if reaches:
        errors = list(_forbidden(value, ""))
        if errors:
            raise refusal(errors)
    if is_long and _has_long_numbers(body):
        errors = _faults(body)
        if errors:
            raise refusal(errors)
    return value


def may_have_long_numbers(body: bytes) -> bool:
    """Whether there are digits enough for a number beyond 64 bits, in a string perhaps."""
    return _LONG in body.translate(_ZEROS)


def is_forbidden(name: str, members: dict[str, Any]) -> bool:
    """Whether a member reaches for the prototype of all objects."""
    inner = members[name]
    return name == PROTOTYPE or (name == "constructor" and isinstance(inner, dict) and "prototype" in inner)


def _count_members(value: Any) -> int:
    """Count the members of all objects; raises `ProblemError` where they are nested too deep."""
    if type(value) not in _CONTAINERS:
        return 0
    members = 0
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        children: list[Any] = []
        for each in level:
            inner = each
            if each.__class__ is dict:  # `type(each)` would tell type checkers of a dict of who knows what
                members += len(each)
                inner = each.values()
            children += [child for child in inner if type(child) in _CONTAINERS]
        if not children:
            return members
        level = children
    raise _whole(f"is nested more than {MAX_DEPTH} levels deep")


def _outside_strings(body: bytes) -> bytes:
    """Return a valid JSON text without its strings."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(body.split(b'"')[::2])


def _has_long_numbers(body: bytes) -> bool:
    zeros = _outside_strings(body).translate(_ZEROS)
    return _LONG + b"0" in zeros or b"-" + _LONG in zeros


class _Repeats(dict[str, Any]):
    """An object, with the names that it had more than once."""

    repeated: tuple[str, ...] = ()


class _TooLong:
    """Stands for a number that is not read exactly everywhere."""


def _faults(body: bytes) -> list[FieldError]:
    """Find repeated names and overlong numbers with their places; slow, for bodies that have some."""
    value = json.loads(body, object_pairs_hook=_object, parse_int=_integer, parse_float=_number)
    return [FieldError(location="body", name=name, detail=detail) for name, detail in _walk(value, "")]


def _object(pairs: list[tuple[str, Any]]) -> _Repeats:
    found = _Repeats(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        found.repeated = tuple(
            dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # adds and goes on
        )
    return found


def _integer(text: str) -> int | _TooLong:
    if len(text) > len(str(_LEAST)):
        return _TooLong()
    number = int(text)
    return number if _LEAST <= number <= _MOST else _TooLong()


def _number(text: str) -> float | _TooLong:
    return float(text) if len(text) <= MAX_NUMBER_LENGTH else _TooLong()


def _walk(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, _TooLong):
        yield (
            pointer,
            f"is a number beyond 64 bits or {MAX_NUMBER_LENGTH} characters, which not all readers keep",
        )
    elif isinstance(value, _Repeats):
        for name in value.repeated:
            yield f"{pointer}/{pointer_token(name)}", "is there more than once"
        for name, member in value.items():
            yield from _walk(member, f"{pointer}/{pointer_token(name)}")
    elif isinstance(value, list):
        items = cast(Iterable[Any], value)
        for index, item in enumerate(items):
            yield from _walk(item, f"{pointer}/{index}")


def _forbidden(value: Any, pointer: str, depth: int = 0) -> Iterator[FieldError]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        members = cast(dict[str, Any], value)
        for name, member in members.items():
            place = f"{pointer}/{pointer_token(name)}"
            if is_forbidden(name, members):
                yield FieldError(location="body", name=place, detail="is a name that no member may have")
            else:
                yield from _forbidden(member, place, depth + 1)
    elif isinstance(value, list):
        items = cast(Iterable[Any], value)
        for index, item in enumerate(items):
            yield from _forbidden(item, f"{pointer}/{index}", depth + 1)


def _whole(detail: str) -> ProblemError:
    return ProblemError(
        "invalid-request",
        f"The body {detail}.",
        errors=[FieldError(location="body", name="", detail=detail)],
    )
