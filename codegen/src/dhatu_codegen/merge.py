"""One OpenAPI document out of platform.yaml and the documents of its services.

What is identical is shared, what differs under one name is an error naming both places; nothing is renamed.
What a service says at its root (security, x-dhatu) moves to its operations, or it would hold for all others.
The facts of platform.yaml that targets need go to `x-dhatu` at the root: they read the merged document only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from .diagnostics import Diagnostics, Related
from .document import Map, Node, Seq
from .ir.schema import Json
from .ir.source import SourceRef
from .path_item import ADDITIONAL, METHODS, operations
from .pointer import join, of_reference, tokens

EXTENSION: Final = "x-dhatu"
_PLATFORM_FACTS: Final = ("header_prefix", "sdk", "versions", "cors", "defaults")
_OF_OPERATIONS: Final = frozenset({*METHODS, ADDITIONAL, EXTENSION})
"""What a path item says for its operations, one by one or by inheritance; the rest holds for all of them."""
_MERGED_PARTS: Final = frozenset(
    {"openapi", "info", "tags", "paths", "components", "webhooks", "security", EXTENSION}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDocument:
    """The document of one service, under the name that platform.yaml gives it."""

    name: str
    document: Map


def merge(platform: Map, services: tuple[ServiceDocument, ...], diagnostics: Diagnostics) -> Map:
    """Merge in the order of platform.yaml; conflicts are reported and the first place wins."""
    merged = Map(platform.source)
    merged.put("openapi", "3.1.1")
    for part in ("info", "servers"):
        if part in platform:
            merged.take(platform, part)
    for part in ("tags", EXTENSION, "paths", "webhooks", "components"):
        merged.put(part, Seq(platform.source) if part == "tags" else Map(platform.source))
    _put_platform_facts(merged, platform, services)
    joiner = _Joiner(merged, diagnostics)
    for service in services:
        joiner.add(service)
    for part in ("tags", "webhooks"):
        if not merged[part]:
            del merged[part]
    return merged


def walk_operations(document: Map) -> Iterator[tuple[str, str, Node, Node]]:
    """(path, method, path item, operation) in document order."""
    paths = Node.of(document).get("paths")
    for path, item in paths.members() if paths else ():
        for method, operation in operations(item):
            yield path, method.lower(), item, operation


def _put_platform_facts(merged: Map, platform: Map, services: tuple[ServiceDocument, ...]) -> None:
    facts = _map_at(merged, EXTENSION)
    for fact in _PLATFORM_FACTS:
        if fact in platform:
            facts.take(platform, fact)
    facts.put("services", Map(platform.source))
    entries = Node.of(platform).get("services")
    for service in services:
        entry = entries.get(service.name) if entries else None
        info = Node.of(service.document).get("info")
        described = Map(entry.source if entry else platform.source)
        described.put("description", info.text("description") if info else "")
        if entry and isinstance(entry.value, Map) and "upstream" in entry.value:
            described.take(entry.value, "upstream")
        _map_at(facts, "services").put(service.name, described, (described.source, described.source))


class _Joiner:
    """Adds one service after the other to the merged document."""

    def __init__(self, merged: Map, diagnostics: Diagnostics) -> None:
        self._merged = merged
        self._diagnostics = diagnostics
        self._operation_ids: dict[str, SourceRef] = {}

    def add(self, service: ServiceDocument) -> None:
        for key in service.document:
            if key not in _MERGED_PARTS:
                self._leave_out(service.document, key)
        self._add_tags(service.document)
        self._add_paths(service)
        self._add_named(service.document, "webhooks", _map_at(self._merged, "webhooks"))
        components = Node.of(service.document).get("components")
        for kind, group in components.members() if components else ():
            self._add_components(kind, group)

    def _leave_out(self, document: Map, key: str) -> None:
        hint = "platform.yaml says it for all services" if key == "servers" else "move it to where it is used"
        self._diagnostics.add(
            "DH024", f"`{key}` of a service is not merged", document.places[key][0], hint=hint
        )

    def _add_tags(self, document: Map) -> None:
        merged = self._merged["tags"]
        tags = Node.of(document).get("tags")
        for tag in tags.elements() if tags else ():
            name = tag.text("name")
            known = Node.of(self._merged).get("tags")
            same = [other for other in (known.elements() if known else ()) if other.text("name") == name]
            if not same and isinstance(merged, Seq):
                merged.put(tag.value, tag.source)
            elif same and _canonical(same[0].value) != _canonical(tag.value):
                self._differs("DH035", f"the tag {name!r}", same[0], tag)

    def _add_named(self, document: Map, part: str, into: Map) -> None:
        node = Node.of(document).get(part)
        for name, member in node.members() if node else ():
            known = Node.of(into).get(name)
            if known is None and isinstance(node.value if node else None, Map):
                into.put(name, member.value, (member.source, member.place))
            elif known is not None and _canonical(known.value) != _canonical(member.value):
                self._differs("DH035", f"{part} {name!r}", known, member)

    def _add_components(self, kind: str, group: Node) -> None:
        components = _map_at(self._merged, "components")
        if kind not in components:
            components.put(kind, Map(group.place), (group.source, group.place))
        into = _map_at(components, kind)
        for name, member in group.members():
            known = Node.of(into).get(name)
            if known is None:
                into.put(name, member.value, (member.source, member.place))
            elif _canonical(known.value) != _canonical(member.value):
                self._differs("DH032", f"the component {join(kind, name)}", known, member)

    def _differs(self, code: str, what: str, first: Node, second: Node) -> None:
        where = first_difference(first.value, second.value)
        self._diagnostics.add(
            code,
            f"{what} differs from the one of the same name{f' at {where}' if where else ''}",
            second.source,
            related=[Related(message="stands here first", source=first.source)],
            hint="make both the same, or rename one of them",
        )

    def _add_paths(self, service: ServiceDocument) -> None:
        paths = Node.of(service.document).get("paths")
        merged = _map_at(self._merged, "paths")
        for path, written in paths.members() if paths else ():
            item = _followed(service.document, written)
            if not isinstance(item.value, Map):
                continue
            if path not in merged:
                merged.put(path, Map(item.place), (item.source, item.place))
                for key in item.value:
                    if key not in _OF_OPERATIONS:
                        _map_at(merged, path).take(item.value, key)
            into = _map_at(merged, path)
            if _canonical(_common_part(into)) != _canonical(_common_part(item.value)):
                first = Node(
                    value=_common_part(into), pointer="", source=merged.places[path][0], place=into.source
                )
                second = replace(item, value=_common_part(item.value))
                self._differs("DH035", f"what the path {path} says for all its methods", first, second)
            for _, operation in operations(item):
                self._add_operation(service, path, (item, operation), into)

    def _add_operation(
        self, service: ServiceDocument, path: str, nodes: tuple[Node, Node], into: Map
    ) -> None:
        item, operation = nodes
        method = tokens(operation.pointer)[-1]
        if method not in METHODS:
            if ADDITIONAL not in into:
                into.put(ADDITIONAL, Map(into.source))
            into = _map_at(into, ADDITIONAL)
        known = Node.of(into).get(method)
        if known is not None:
            self._diagnostics.add(
                "DH030",
                f"{method.upper()} {path} is described by two services",
                operation.source,
                related=[Related(message="stands here first", source=known.source)],
                hint="give one of them another path",
            )
            return
        self._claim_operation_id(operation)
        if isinstance(operation.value, Map):
            resolved = _resolved_operation(service, item, operation.value)
            into.put(method, resolved, (operation.source, operation.place))

    def _claim_operation_id(self, operation: Node) -> None:
        node = operation.get("operationId")
        if node is None or not isinstance(node.value, str):
            return
        first = self._operation_ids.setdefault(node.value, node.place)
        if first != node.place:
            self._diagnostics.add(
                "DH031",
                f"the operationId {node.value!r} is taken",
                node.place,
                related=[Related(message="stands here first", source=first)],
                hint="an operationId is unique across all services",
            )


def _resolved_operation(service: ServiceDocument, item: Node, operation: Map) -> Map:
    """A copy of the operation with what it inherits from its document and its path."""
    resolved = Map(operation.source)
    for key in operation:
        if key != EXTENSION:
            resolved.take(operation, key)
    if "security" not in resolved and "security" in service.document:
        resolved.take(service.document, "security")
    extension = Map(operation.places.get(EXTENSION, (operation.source, operation.source))[1])
    extension.put("service", service.name, (operation.source, operation.source))
    for level in (service.document, item.value, operation):
        found = level.get(EXTENSION) if isinstance(level, Map) else None
        if isinstance(found, Map):
            _lay_over(extension, found)
    places = operation.places.get(EXTENSION, (operation.source, operation.source))
    resolved.put(EXTENSION, extension, places)
    return resolved


def _followed(document: Map, item: Node) -> Node:
    """The path item itself, or the one that its `$ref` leads to, which the merge copies in its place."""
    pointer = of_reference(item.text("$ref"))
    target = Node.of(document).at(pointer) if pointer else None
    return target.written_at(item.source) if target else item


def _common_part(item: Map) -> dict[str, Json]:
    return {key: value for key, value in item.items() if key not in _OF_OPERATIONS}


def _lay_over(extension: Map, nearer: Map) -> None:
    """The nearer wins key by key; `sdk` is merged one level deeper."""
    for key, value in nearer.items():
        outer = extension.get(key)
        if key == "sdk" and isinstance(outer, Map) and isinstance(value, Map):
            both = Map(value.source)
            for source in (outer, value):
                for name in source:
                    both.take(source, name)
            extension.put(key, both, nearer.places[key])
        else:
            extension.take(nearer, key)


def first_difference(first: Json, second: Json) -> str:
    """JSON Pointer of the first place where two values differ; empty where they differ as a whole.

    >>> first_difference({"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]})
    '/required/0'
    """
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            if key not in first or key not in second:
                return join(key)
            if _canonical(first[key]) != _canonical(second[key]):
                return join(key) + first_difference(first[key], second[key])
    if isinstance(first, list) and isinstance(second, list):
        for index, (one, other) in enumerate(zip(first, second, strict=False)):
            if _canonical(one) != _canonical(other):
                return f"/{index}" + first_difference(one, other)
    return ""


def _canonical(value: Json) -> str:
    """Text that is equal for equal JSON only: Python holds 1, 1.0 and True for the same."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _map_at(parent: Mapping[str, Json], key: str) -> Map:
    value = parent[key]
    if not isinstance(value, Map):
        raise TypeError(f"{key} of the merged document is no object")
    return value
