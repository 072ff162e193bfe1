"""Formats that JSON Schema leaves to others: those of OpenAPI's registry that are about numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

_BOUNDS: Final = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
"""https://spec.openapis.org/registry/format/"""

_DATA: Final = frozenset({"enum", "const"})


def with_bounds(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the bounds of integers of a certain size; itself where it has none."""
    return cast(dict[str, Any], _bounded(document))


def _bounded(value: Any) -> Any:
    if isinstance(value, list):
        items = cast(Iterable[Any], value)
        bounded = [_bounded(item) for item in items]
        return bounded if any(new is not old for new, old in zip(bounded, items, strict=True)) else items
    if not isinstance(value, dict):
        return value
    members = cast(dict[str, Any], value)
    changed = {
        name: new
        for name, member in members.items()
        if name not in _DATA and (new := _bounded(member)) is not member
    }
    bounds = _bounds_of(members)
    if bounds is not None:
        changed["allOf"] = [*changed.get("allOf", members.get("allOf", ())), bounds]
    return members | changed if changed else members


def _bounds_of(schema: dict[str, Any]) -> dict[str, int] | None:
    written, types = schema.get("format"), schema.get("type")
    if not isinstance(written, str) or written not in _BOUNDS:
        return None
    if types not in ("integer", "number") and not (isinstance(types, list) and "integer" in types):
        return None
    least, most = _BOUNDS[written]
    return {"minimum": least, "maximum": most}
