"""One of the two documents: references, sameness with the other, and an oracle for single values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ...document import Node
from ...ir.schema import Json
from ...pointer import of_reference
from ...validators import Validators

_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_LISTED: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_VALUES: Final = frozenset({"const", "enum"})
_SILENT: Final = frozenset(
    {
        *("title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly"),
        *("discriminator", "externalDocs", "xml", "$comment", "summary"),
    }
)
"""Keywords that assert nothing (JSON Schema 2020-12, validation, section 9; OpenAPI 3.1, Schema Object)."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A schema in one of the two documents."""

    side: Side
    node: Node
    made: bool = False
    """Written by nobody: see `facts.synthetic`."""

    @cached_property
    def key(self) -> tuple[int, str]:
        return (id(self.side), self.node.pointer)

    def get(self, keyword: str) -> Part | None:
        """The schema under a keyword."""
        node = self.node.get(keyword)
        return Part(side=self.side, node=node) if node is not None else None

    def listed(self, keyword: str) -> tuple[Part, ...]:
        """The schemas in an array under a keyword."""
        node = self.node.get(keyword)
        return tuple(Part(side=self.side, node=element) for element in node.elements()) if node else ()

    def named(self, keyword: str) -> dict[str, Part]:
        """The schemas by name in an object under a keyword."""
        node = self.node.get(keyword)
        members = node.members() if node else ()
        return {name: Part(side=self.side, node=member) for name, member in members}

    def value(self, keyword: str) -> Json:
        """What stands under a keyword; None where nothing does."""
        return self.node.value.get(keyword) if isinstance(self.node.value, dict) else None

    def number(self, keyword: str) -> int | float | None:
        """A number under a keyword."""
        value = self.value(keyword)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def accepts(self, value: Json) -> bool:
        """Whether the schema itself accepts a value, formats included."""
        return self.made or self.side.accepts(self.node.pointer, value)

    def same(self, other: Part) -> bool:
        """Whether two schemas are equal to the letter, and so is everything that they refer to."""
        if self.made or other.made:
            return False
        return self.side.same(self.node.value, other.side, other.node.value)


class Side:
    """A document whose schemas are compared."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self.root: Final = Node.of(document)
        self._document: Final = document
        self._validators: Validators | None = None
        self._digests: dict[int, str] = {}
        self._references: dict[int, frozenset[str]] = {}
        self._unstable: dict[int, frozenset[str]] = {}

    def part(self, pointer: str) -> Part:
        """The schema at a pointer that leads somewhere."""
        node = self.root.at(pointer)
        if node is None:
            raise KeyError(pointer)
        return Part(side=self, node=node)

    def follow(self, part: Part) -> Part | None:
        """What the `$ref` of a schema leads to; None where it leads nowhere or out of the document."""
        reference = part.value("$ref")
        pointer = of_reference(reference) if isinstance(reference, str) else None
        target = self.root.at(pointer) if pointer is not None else None
        return Part(side=self, node=target) if target is not None else None

    def accepts(self, pointer: str, value: Json) -> bool:
        """Whether the schema at a pointer accepts a value."""
        self._validators = self._validators or Validators(self._document)
        return not self._validators.errors(pointer, value)

    def digest(self, schema: Json) -> str:
        """A text that is equal for schemas that assert the same in the same order; computed once each."""
        if not isinstance(schema, dict):
            return json.dumps(schema, ensure_ascii=False, sort_keys=True)
        known = self._digests.get(id(schema))
        if known is None:
            inner = (
                json.dumps(key) + self._below(key, schema[key]) for key in sorted(schema) if not _silent(key)
            )
            known = self._digests[id(schema)] = hashlib.sha256("\n".join(inner).encode()).hexdigest()
        return known

    def _below(self, keyword: str, value: Json) -> str:
        if isinstance(value, dict) and keyword in _NAMED:
            return "\n".join(json.dumps(name) + self.digest(value[name]) for name in sorted(value))
        if isinstance(value, list) and keyword in _LISTED:
            return "\n".join(self.digest(element) for element in value)
        if keyword in _VALUES:
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        return self.digest(value)

    def references(self, value: Json) -> frozenset[str]:
        """Every `$ref` inside a value, properties of that name included: more than needed is safe."""
        if not isinstance(value, (dict, list)):
            return frozenset()
        known = self._references.get(id(value))
        if known is None:
            members = value.values() if isinstance(value, dict) else value
            own = value.get("$ref") if isinstance(value, dict) else None
            inner = [self.references(member) for member in members]
            known = frozenset[str]().union(*inner, {own} if isinstance(own, str) else ())
            self._references[id(value)] = known
        return known

    def same(self, value: Json, other: Side, other_value: Json) -> bool:
        """Whether two schemas are equal to the letter, and so is everything that they refer to."""
        if self.digest(value) != other.digest(other_value):
            return False
        references = self.references(value)
        return not references or references.isdisjoint(self._changed(other))

    def _changed(self, other: Side) -> frozenset[str]:
        """References that mean something else on the other side, directly or by what they refer to."""
        known = self._unstable.get(id(other))
        if known is None:
            known = self._unstable[id(other)] = _spread(self, other)
        return known


def _silent(keyword: str) -> bool:
    return keyword in _SILENT or keyword.startswith("x-")


def _spread(one: Side, other: Side) -> frozenset[str]:
    users: dict[str, set[str]] = {}
    changed: list[str] = []
    pending = [*one.references(one.root.value), *other.references(other.root.value)]
    for reference in dict.fromkeys(pending):
        pointer = of_reference(reference)
        mine = one.root.at(pointer) if pointer is not None else None
        theirs = other.root.at(pointer) if pointer is not None else None
        if mine is None or theirs is None or one.digest(mine.value) != other.digest(theirs.value):
            changed.append(reference)
        for used in one.references(mine.value) if mine else ():
            users.setdefault(used, set()).add(reference)
    reached = set(changed)
    while changed:
        for user in users.get(changed.pop(), ()):
            if user not in reached:
                reached.add(user)
                changed.append(user)
    return frozenset(reached)
