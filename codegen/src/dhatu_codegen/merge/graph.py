"""What components say once every reference is followed, as one graph over the documents of all services.

A vertex is an object of OpenAPI; its data are the values and names that it holds itself, its edges lead to
the objects within it and to those that it refers to. An object that is nothing but a `$ref` is what it leads
to, so a schema that is written in place equals one that is referred to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from ..document import Map
from ..ir.schema import Json
from ..pointer import escape, join
from ..upgrade.shapes import EVERY_KEY, SHAPES
from .partition import partition
from .service import Service, implied_values, schema_component
from .values import canonical, first_difference

_KIND_OF: Final = {kind: inner for kind, (_, inner) in SHAPES["components"].items()}


class Graph:
    """Grows by `vertex`; then `classes` says which vertices are equal."""

    def __init__(self, tags: Mapping[tuple[str, str], str]) -> None:
        self._tags = tags
        """(service, tag): the name of the tag in the merged document."""
        self._data: list[dict[str, Json]] = []
        self._edges: list[dict[str, int]] = []
        self._known: dict[tuple[str, int | str, str], int] = {}
        self._waiting: list[tuple[int, Service, Map, str]] = []
        self._classes: list[int] = []

    def vertex(self, service: Service, value: Json, kind: str) -> int:
        """The vertex of a value of this kind (a key of SHAPES), and of all that it leads to."""
        found = self._vertex(service, value, kind)
        while self._waiting:
            self._fill(*self._waiting.pop())
        return found

    def component(self, service: Service, kind: str, name: str) -> int:
        """The vertex of a component."""
        return self.vertex(service, service.components[kind, name].value, _KIND_OF.get(kind, kind))

    def compare(self) -> None:
        """Find out which vertices are equal; call it when all are there."""
        signatures = [
            canonical([data, list[Json](sorted(edges))])
            for data, edges in zip(self._data, self._edges, strict=True)
        ]
        self._classes = partition(
            signatures, [[edges[key] for key in sorted(edges)] for edges in self._edges]
        )

    def class_of(self, vertex: int) -> int:
        """Equal for vertices that say the same."""
        return self._classes[vertex]

    def difference(self, first: int, second: int) -> str:
        """The shortest way, references followed, to where two vertices part; empty at once or never."""
        queue, seen = deque([(first, second, "")]), {(first, second)}
        while queue:
            one, other, path = queue.popleft()
            ways, more = self._edges[one], self._edges[other]
            if canonical(self._data[one]) != canonical(self._data[other]):
                return path + first_difference(self._data[one], self._data[other])
            if ways.keys() != more.keys():
                return f"{path}/{min(ways.keys() ^ more.keys())}"
            for key in sorted(ways):
                pair = (ways[key], more[key])
                if self._classes[pair[0]] != self._classes[pair[1]] and pair not in seen:
                    seen.add(pair)
                    queue.append((*pair, path if key == "$ref" else f"{path}/{key}"))
        return ""

    def _vertex(self, service: Service, value: Json, kind: str) -> int:
        seen: set[int] = set()
        while isinstance(value, Map) and len(value) == 1 and "$ref" in value and id(value) not in seen:
            seen.add(id(value))
            target = service.at(value["$ref"])
            if target is None:
                break
            value = target.value
        held = id(value) if isinstance(value, Map) else canonical(value)
        key = (service.name, held, kind)
        if key not in self._known:
            self._known[key] = len(self._data)
            self._data.append({} if isinstance(value, Map) else {"": value})
            self._edges.append({})
            if isinstance(value, Map):
                self._waiting.append((self._known[key], service, value, kind))
        return self._known[key]

    def _fill(self, vertex: int, service: Service, value: Map, kind: str) -> None:
        data, edges = self._data[vertex], self._edges[vertex]
        for key, member in value.items():
            if kind == "schema" and key == "discriminator" and isinstance(member, Map):
                data[key] = {name: part for name, part in member.items() if name != "mapping"}
                for name, target in _told_apart(service, value):
                    edges[join(key, "mapping", name)[1:]] = self._vertex(service, target, "schema")
            elif kind == "operation" and key == "tags" and isinstance(member, list):
                data[key] = [self._tags.get((service.name, str(tag)), tag) for tag in member]
            elif key in ("$ref", "operationRef") and (referred := service.at(member)) is not None:
                inner = "operation" if key == "operationRef" else kind
                edges[key] = self._vertex(service, referred.value, inner)
            elif kind == "securityRequirement" and ("securitySchemes", key) in service.components:
                data[key] = member
                scheme = service.components["securitySchemes", key].value
                edges[key] = self._vertex(service, scheme, "securityScheme")
            else:
                data[key], inside = _parted(kind, key, member)
                for name, inner_value, inner in inside:
                    edges[name] = self._vertex(service, inner_value, inner)


def _parted(kind: str, key: str, member: Json) -> tuple[Json, list[tuple[str, Json, str]]]:
    """What a member says itself, and the objects within it: name of the edge, value, kind."""
    shape = SHAPES.get(kind, {})
    form, inner = shape.get(key, ("", ""))
    if not inner and not key.startswith("x-"):
        form, inner = shape.get(EVERY_KEY, ("", ""))
    name = escape(key)
    if form == "one" and isinstance(member, Map):
        return None, [(name, member, inner)]
    if form == "list" and isinstance(member, list):
        return len(member), [(f"{name}/{index}", element, inner) for index, element in enumerate(member)]
    if form == "map" and isinstance(member, Map):
        return None, [(f"{name}/{escape(each)}", value, inner) for each, value in member.items()]
    return member, []


def _told_apart(service: Service, schema: Map) -> list[tuple[str, Json]]:
    """(value of the discriminating property, the schema that it stands for), implied values included."""
    discriminator = schema["discriminator"]
    mapping = discriminator.get("mapping") if isinstance(discriminator, Map) else None
    found: list[tuple[str, Json]] = []
    mapped: set[str] = set()
    for value, target in mapping.items() if isinstance(mapping, Map) else ():
        named = service.components.get(("schemas", str(target)))
        node = named or service.at(target)
        found.append((value, node.value if node else target))
        mapped.add(str(target) if named else schema_component(target))
    implied = implied_values(service, schema, service.schema_names.get(id(schema), ""))
    found.extend(
        (name, service.components["schemas", name].value)
        for name in implied
        if name not in mapped and ("schemas", name) in service.components
    )
    return found
