"""Through a document by the kinds of its objects, making a changed copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from ..diagnostics import Diagnostics
from ..document import Map, Node, Seq
from ..ir.schema import Json
from ..pointer import of_reference
from .shapes import EVERY_KEY, SHAPES

Transform: TypeAlias = "Callable[[Map, Rewriter], None]"
"""Changes one object of the copy; its members have been changed before."""

ANY: Final = "any"
"""The kind under which a transform is listed that every object goes through."""


class Rewriter:
    """Copies a document and changes each object by the transforms of its kind, in their order."""

    def __init__(
        self, document: Map, transforms: Mapping[str, tuple[Transform, ...]], diagnostics: Diagnostics
    ) -> None:
        self.root = Node.of(document)
        """The document as it was written."""
        self.diagnostics = diagnostics
        self._original = document
        self._transforms = transforms
        self._done: dict[tuple[int, str], Map] = {}

    def document(self) -> Map:
        """The changed copy of the whole."""
        return self._object(self._original, "document")

    def rewrite(self, value: Json, kind: str) -> Json:
        """The changed copy of a value of this kind; one that YAML aliases share stays shared."""
        return self._object(value, kind) if isinstance(value, Map) else value

    def followed(self, value: Json, kind: str) -> Json:
        """The changed copy of what a chain of `$ref` leads to; the value itself where it is no reference."""
        seen: set[str] = set()
        while isinstance(value, Map) and isinstance(reference := value.get("$ref"), str):
            pointer = of_reference(reference)
            target = self.root.at(pointer) if pointer is not None and pointer not in seen else None
            if target is None or pointer is None:
                return value
            seen.add(pointer)
            value = self.rewrite(target.value, kind)
        return value

    def _object(self, value: Map, kind: str) -> Map:
        known = self._done.get((id(value), kind))
        if known is not None:
            return known
        copy = self._done[id(value), kind] = Map(value.source)
        shape = SHAPES.get(kind, {})
        for key in value:
            form, inner = shape.get(key, ("", ""))
            if not inner and not key.startswith("x-"):
                form, inner = shape.get(EVERY_KEY, ("", ""))
            copy.put(key, self._member(value[key], form, inner), value.places[key])
        for transform in (*self._transforms.get(ANY, ()), *self._transforms.get(kind, ())):
            transform(copy, self)
        return copy

    def _member(self, value: Json, form: str, kind: str) -> Json:
        if form == "one":
            return self.rewrite(value, kind)
        if form == "list" and isinstance(value, Seq):
            elements = Seq(value.source)
            for element, place in zip(value, value.places, strict=True):
                elements.put(self.rewrite(element, kind), place)
            return elements
        if form == "map" and isinstance(value, Map):
            members = Map(value.source)
            for key in value:
                members.put(key, self.rewrite(value[key], kind), value.places[key])
            return members
        return value


def rename(value: Map, old: str, new: str) -> None:
    """Give a member another key, in its old position."""
    members = [(key, value[key], value.places[key]) for key in value]
    value.clear()
    for key, member, places in members:
        value.put(new if key == old else key, member, places)


def set_aside(value: Map, *keys: str) -> None:
    """Keep members that 3.1 does not know under the prefix that OpenAPI reserves for itself."""
    for key in keys:
        if key in value:
            rename(value, key, f"x-oai-{key}")
