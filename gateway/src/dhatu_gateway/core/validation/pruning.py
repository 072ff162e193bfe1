"""Takes out of answers what no schema declares; what remains is decided per schema, once, at boot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from dhatu_gateway.core.validation.json_body import MAX_DEPTH
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.validation.sides import WRITE_ONLY

_NESTING = 16


class Pruner:
    """Removes undeclared members from the values of one schema.

    Declared is what any part of the schema names, be it behind `$ref`, `allOf`, `anyOf` or `oneOf`. An object
    whose schema names no member, or speaks of others (`additionalProperties`, `patternProperties`), is
    open: its members stay.
    """

    def __init__(self, schema: Any, schemas: Schemas) -> None:
        self._parts = list(_parts(schema, schemas, 0))
        self._schemas = schemas
        self._members: dict[str, Pruner] = {}
        self._others: Pruner | None = None
        self._items: Pruner | None = None
        self._closed = False
        self._ready = False

    def prune(self, value: Any, depth: int = 0) -> int:
        """Change the value in place; return how many members were removed."""
        if depth > MAX_DEPTH:
            return 0
        if value.__class__ is dict:
            return self._prune_object(value, depth)
        if value.__class__ is list:
            if not self._ready:
                self._prepare()
            return self._prune_items(value, depth)
        return 0

    def _prune_items(self, value: list[Any], depth: int) -> int:
        removed = 0
        if self._items is not None:
            for item in value:
                removed += self._items.prune(item, depth + 1)
        return removed

    def _prune_object(self, value: dict[str, Any], depth: int) -> int:
        if not self._ready:
            self._prepare()
        members = self._members
        removed = 0
        if self._closed:
            unknown = [name for name in value if name not in members]
            removed = len(unknown)
            for name in unknown:
                del value[name]
        for name, member in value.items():
            if type(member) is dict or type(member) is list:
                pruner = members.get(name, self._others)
                if pruner is not None:
                    removed += pruner.prune(member, depth + 1)
        return removed

    def _prepare(self) -> None:
        """Look one level down; not before it is needed, since schemas may hold themselves."""
        named: dict[str, list[Any]] = {}
        others: list[Any] = []
        items: list[Any] = []
        is_open = False
        for part in self._parts:
            for name, member in part.get("properties", {}).items():
                if member != WRITE_ONLY:
                    named.setdefault(name, []).append(member)
            for keyword in ("additionalProperties", "unevaluatedProperties"):
                if part.get(keyword, False) is not False:
                    is_open = True
                    others.append(part[keyword])
            if "patternProperties" in part:
                is_open = True
                others += part["patternProperties"].values()
            if "items" in part:
                items.append(part["items"])
            items += part.get("prefixItems", ())
        schemas = self._schemas
        self._members = {name: Pruner({"anyOf": found}, schemas) for name, found in named.items()}
        self._others = Pruner({"anyOf": others}, schemas) if others else None
        self._items = Pruner({"anyOf": items}, schemas) if items else None
        self._closed = bool(named) and not is_open
        self._ready = True


def _parts(schema: Any, schemas: Schemas, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _NESTING or not isinstance(schema, dict):
        return
    members = cast(dict[str, Any], schema)
    yield members
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in members.get(keyword, ()):
            yield from _parts(part, schemas, depth + 1)
    for keyword in ("then", "else"):
        yield from _parts(members.get(keyword), schemas, depth + 1)
    reference = members.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield from _parts(schemas.at(reference[1:]), schemas, depth + 1)
