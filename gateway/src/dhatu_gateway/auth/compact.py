"""Reads the parts of a JSON Web Token more strictly than the library that checks its signature.

The library takes the last of several equal members, reads padding and unused bits over, and takes NaN for a
number: so one signed token has many spellings, and two readers may see two things in it. Here it has one.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, NoReturn, cast

FORM = re.compile(rb"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
"""RFC 7515 section 7.1: three parts in base64url; an unsigned token has no third."""


class NotStrictError(ValueError):
    """The token is not written as RFC 7515 and RFC 8259 say, or in a way that can be read twice."""


def read_parts(token: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, which nobody has verified yet; raises `NotStrictError`."""
    form = FORM.fullmatch(token)
    if form is None:
        raise NotStrictError("a token is three parts in base64url")
    header, payload, _ = (_decoded(part) for part in form.groups())
    return read_object(header), read_object(payload)


def _decoded(part: bytes) -> bytes:
    try:
        data = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError as error:
        raise NotStrictError("a part is not base64url") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=") != part:
        raise NotStrictError("the unused bits of a part are not zero")
    return data


def read_object(text: bytes) -> dict[str, Any]:
    """A JSON object in which nothing is said twice; raises `NotStrictError`."""
    try:
        # The decoder would guess UTF-16 from bytes; a token is UTF-8.
        value: object = json.loads(text.decode(), object_pairs_hook=_members, parse_constant=_constant)
    except NotStrictError:
        raise
    except (ValueError, RecursionError) as error:
        raise NotStrictError("it is not JSON in UTF-8, or too deep") from error
    if not isinstance(value, dict):
        raise NotStrictError("it is not a JSON object")
    return cast(dict[str, Any], value)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictError("a member is written twice")
    return members


def _constant(name: str) -> NoReturn:
    raise NotStrictError(f"{name} is no JSON")
