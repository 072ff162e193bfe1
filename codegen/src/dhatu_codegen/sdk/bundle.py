"""One document out of many: what lies in other files, or in odd places of the same one, becomes a component.

Afterwards every reference leads to `#/components/<section>/<name>`, so that a cycle of schemas, across files
or not, is a cycle of names. Values are moved and not copied: each knows its own file and line. Path items
are put where they are used, since OpenAPI 3.0 has no components for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, count
from typing import Final, TypeAlias
from urllib.parse import unquote

from ..diagnostics import Diagnostics
from ..document import Map, Node, Seq
from ..ir.name import Name
from ..ir.schema import Json
from ..ir.source import SourceRef
from ..naming import nearest, pascal
from ..openapi_types import inner
from ..pointer import join as pointer_to
from ..pointer import to_reference, tokens, unescape
from ..reading.load import load_document, load_from
from ..reading.locations import Boundary, join, stem

Address: TypeAlias = tuple[str, str]
"""Location of a document, and a JSON Pointer in it."""

_UNTELLING: Final = frozenset(
    {"paths", "components", "schemas", "responses", "content", "schema", "properties", "definitions", "$defs"}
)
_COMPONENT_DEPTH: Final = 3
"""Tokens of /components/schemas/Name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What a reference leads to."""

    address: Address
    node: Node


def bundle(boundary: Boundary, diagnostics: Diagnostics) -> Map | None:
    """The document at the boundary's start, whole; None where it cannot be read."""
    document = load_document(boundary, diagnostics)
    if document is not None:
        _Bundler(document, boundary, diagnostics).run()
    return document


class _Bundler:
    """Walks every object once, in document order, and rewrites the references that it meets."""

    def __init__(self, document: Map, boundary: Boundary, diagnostics: Diagnostics) -> None:
        self._document = document
        self._boundary = boundary
        self._diagnostics = diagnostics
        self._loaded: dict[str, Json] = {boundary.start: document}
        self._homes: dict[Address, tuple[str, str]] = {}
        self._seen: set[int] = set()
        self._waiting: list[tuple[str, Node]] = []

    def run(self) -> None:
        root = Node.of(self._document)
        components = root.get("components")
        for section, group in components.members() if components else ():
            for name, member in group.members():
                self._settle(section, name, member)
        self._waiting.append(("document", root))
        while self._waiting:
            kind, node = self._waiting.pop()
            if isinstance(node.value, Map) and id(node.value) not in self._seen:
                self._seen.add(id(node.value))
                self._visit(kind, node.value, node)
                # Last in, first out: in document order.
                self._waiting += reversed(list(inner(node, kind)))

    def _settle(self, section: str, name: str, member: Node) -> None:
        """A component that is nothing but a reference to another place: what lies there has this name."""
        group = Node.of(self._document).at(pointer_to("components", section))
        if group is None or not isinstance(group.value, Map) or not _is_mere_reference(member.value):
            return
        target = self._target(member, section)
        if target is not None and target.address not in self._homes and not self._component(target.address):
            self._homes[target.address] = (section, name)
            group.value.put(name, target.node.value, (member.source, target.node.place))

    def _visit(self, kind: str, value: Map, node: Node) -> None:
        if kind == "pathItems":
            self._put_in_place(value, node)
        elif isinstance(value.get("$ref"), str):
            target = self._target(node, kind)
            if target is None:
                del value["$ref"]
            else:
                value.put("$ref", self._reference(kind, target), value.places["$ref"])
        if kind == "schemas" and isinstance(value.get("discriminator"), Map):
            self._map_variants(node)

    def _put_in_place(self, item: Map, node: Node) -> None:
        """A path item that lies elsewhere is written out; what stands beside its reference wins."""
        if not isinstance(item.get("$ref"), str):
            return
        target = self._target(node, "pathItems")
        del item["$ref"]
        found = target.node.value if target else None
        if not isinstance(found, Map):
            place = item.places["$ref"][1]
            self._diagnostics.add("DH051", "the path item is not there: its operations would be lost", place)
            return
        for key in found:
            if key not in item:
                item.take(found, key)

    def _map_variants(self, node: Node) -> None:
        """Names that a discriminator takes from references keep their meaning when these are rewritten."""
        discriminator = node.get("discriminator")
        value = discriminator.value if discriminator else None
        if discriminator is None or not isinstance(value, Map):
            return
        mapping = value.get("mapping")
        written = mapping if isinstance(mapping, Map) else Map(value.source)
        for name, reference in list(written.items()):
            if isinstance(reference, str):
                text = f"#/components/schemas/{reference}" if _is_name(reference) else reference
                self._map(written, name, text)
        listed = [node.get("oneOf"), node.get("anyOf")]
        for variant in [element for group in listed if group for element in group.elements()]:
            reference = variant.text("$ref")
            if _last(reference) and reference not in written.values():
                self._map(written, _last(reference), reference, implied=True)
        if written:
            value.put("mapping", written, value.places.get("mapping"))

    def _map(self, mapping: Map, name: str, reference: str, *, implied: bool = False) -> None:
        """Let a name lead where a reference leads; an implied one is written only where it would be lost."""
        holder = Map(mapping.source)
        holder.put("$ref", reference, mapping.places.get(name))
        target = self._target(Node.of(holder), "schemas")
        found = self._reference("schemas", target) if target is not None else reference
        if not implied or (name not in mapping and _last(found) != name and found not in mapping.values()):
            mapping.put(name, found, mapping.places.get(name))

    def _reference(self, kind: str, target: _Target) -> str:
        """The reference to a component that is the target, and is made where there is none."""
        home = self._component(target.address) or self._homes.get(target.address)
        if home is None:
            group = self._section(kind)
            home = (kind, _free(_name_of(target.address), group))
            self._homes[target.address] = home
            group.put(home[1], target.node.value, (target.node.source, target.node.place))
            self._waiting.append((kind, target.node))
        return to_reference(pointer_to("components", *home))

    def _component(self, address: Address) -> tuple[str, str] | None:
        """(section, name) of a component of the start document."""
        path = tokens(address[1])
        if address[0] == self._boundary.start and len(path) == _COMPONENT_DEPTH and path[0] == "components":
            return path[1], path[2]
        return None

    def _section(self, kind: str) -> Map:
        parent = self._document
        for key in ("components", kind):
            found = parent.get(key)
            if not isinstance(found, Map):
                found = Map(parent.source)
                parent.put(key, found)
            parent = found
        return parent

    def _target(self, holder: Node, kind: str) -> _Target | None:
        """What the reference of an object leads to, through files that hold nothing but a reference."""
        followed: set[Address] = set()
        while True:
            written = holder.get("$ref")
            if written is None or not isinstance(written.value, str):
                return None
            found = self._step(written, written.value, kind)
            if found is None:
                return None
            if found.address in followed:
                self._diagnostics.add("DH022", f"{written.value} leads back to itself", written.place)
                return None
            followed.add(found.address)
            if not _is_mere_reference(found.node.value) or self._component(found.address):
                return found
            holder = found.node

    def _step(self, written: Node, reference: str, kind: str) -> _Target | None:
        """One reference, resolved against the file that it was written in (RFC 3986, section 5)."""
        before, _, fragment = reference.partition("#")
        location = join(written.place.file, before) if before else written.place.file
        if location not in self._loaded:
            self._loaded[location] = load_from(
                self._boundary, location, self._diagnostics, named_at=written.place
            )
        document, pointer = self._loaded[location], unquote(fragment)
        if document is None:
            return None  # reported when it was loaded
        node = _root(document, location).at(pointer) if not pointer or pointer[0] == "/" else None
        if node is None or not _is_object(node, kind) or self._holds_components(location, pointer):
            hint = _nearby(document, location, pointer)
            self._diagnostics.add("DH022", f"{reference} leads nowhere", written.place, hint=hint)
            return None
        return _Target(address=(location, pointer), node=node)

    def _holds_components(self, location: str, pointer: str) -> bool:
        """Whether it is the document itself or a section of it, which would become a component of itself."""
        path = tokens(pointer)
        above = not path or (path[0] == "components" and len(path) < _COMPONENT_DEPTH)
        return location == self._boundary.start and above


def _root(document: Json, location: str) -> Node:
    place = SourceRef(file=location, line=1, column=1, pointer="")
    place = document.source if isinstance(document, (Map, Seq)) else place
    return Node(value=document, pointer="", source=place, place=place)


def _nearby(document: Json, location: str, pointer: str) -> str:
    """The key that was probably meant, where all but the last one exist."""
    above, _, last = pointer.rpartition("/")
    parent = _root(document, location).at(above)
    suggestion = nearest(unescape(last), [key for key, _ in parent.members()]) if parent and last else ""
    return f"did you mean {suggestion!r}?" if suggestion else ""


def _is_object(node: Node, kind: str) -> bool:
    return isinstance(node.value, Map) or (kind == "schemas" and isinstance(node.value, bool))


def _is_mere_reference(value: Json) -> bool:
    return isinstance(value, Map) and set(value) == {"$ref"}


def _is_name(text: str) -> bool:
    """Whether a discriminator's value is the name of a component and not a reference to a file."""
    return re.fullmatch(r"[A-Za-z0-9_-]+", text) is not None


def _last(reference: str) -> str:
    """The name that a discriminator takes from a reference: its last part."""
    return unescape(unquote(reference.rpartition("/")[2]))


def _name_of(address: Address) -> str:
    """What a component is called after the place where it was found.

    >>> _name_of(("schemas/pet.yaml", "")), _name_of(("defs.yaml", "/definitions/User"))
    ('Pet', 'User')
    >>> _name_of(("api.yaml", "/paths/~1pets~1{id}/get/responses/200/content/application~1json/schema"))
    'PetsIdGet200'
    """
    location, pointer = address
    path = tokens(pointer)
    if not path:
        return pascal(Name.of(stem(location)))
    if len(path) <= _COMPONENT_DEPTH and path[0] != "paths":
        return path[-1]
    telling = [key for key in path if key not in _UNTELLING and not ("/" in key and key[0] != "/")]
    return pascal(Name.of(" ".join(telling)))


def _free(name: str, group: Map) -> str:
    """The name itself, else the first number that makes it one of its own."""
    numbered = (f"{name}{number}" for number in count(2))
    return next(wanted for wanted in chain((name,), numbered) if wanted not in group)
