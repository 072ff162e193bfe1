"""Comparing JSON values as JSON, and finding where they part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ..document import Map
from ..ir.schema import Json
from ..pointer import join


def canonical(value: Json) -> str:
    """Text that is equal for equal JSON only: Python holds 1, 1.0 and True for the same."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def first_difference(first: Json, second: Json) -> str:
    """JSON Pointer of the first place where two values differ; empty where they differ as a whole.

    >>> first_difference({"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]})
    '/required/0'
    """
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            if key not in first or key not in second:
                return join(key)
            if canonical(first[key]) != canonical(second[key]):
                return join(key) + first_difference(first[key], second[key])
    if isinstance(first, list) and isinstance(second, list):
        for index, (one, other) in enumerate(zip(first, second, strict=False)):
            if canonical(one) != canonical(other):
                return f"/{index}" + first_difference(one, other)
    return ""


def map_at(parent: Mapping[str, Json], key: str) -> Map:
    """A member that the merge itself has put there as an object."""
    value = parent[key]
    if not isinstance(value, Map):
        raise TypeError(f"{key} of the merged document is no object")
    return value


def maps_of(value: Json) -> Iterator[tuple[str, Map]]:
    """The members of an object that are objects themselves."""
    for key, member in value.items() if isinstance(value, Map) else ():
        if isinstance(member, Map):
            yield key, member
