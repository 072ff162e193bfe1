"""Putting the services together, after everything has been decided.

The facts of platform.yaml that targets need go to `x-dhatu` at the root: they read the merged document only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast, get_args

from ..diagnostics import Diagnostics, Related
from ..document import Map, Node
from ..ir.source import SourceRef
from ..path_item import ADDITIONAL, METHODS, operations
from ..pointer import tokens
from .operation import resolved
from .paths import common_keys, path_item, with_common
from .plan import WEBHOOKS, Choice, Plan, plan
from .rename import renamed
from .roots import GROUPS, merged_groups, merged_tags, put_dialect, put_rest, put_servers, tag_names
from .service import EXTENSION, Service, ServiceDocument, settled
from .values import canonical, map_at

_PLATFORM_FACTS: Final = (
    "header_prefix",
    "sdk",
    "versions",
    "cors",
    "security_headers",
    "roles",
    "tiers",
    "defaults",
)


def merge(platform: Map, services: tuple[ServiceDocument, ...], diagnostics: Diagnostics) -> Map:
    """Merge in the order of platform.yaml; conflicts are reported and the first place wins."""
    merged = Map(platform.source)
    merged.put("openapi", "3.1.1")
    settings = Node.of(platform).get("merge")
    written = [settled(service) for service in services]
    tags = tag_names(written, _choice(settings, "tags", "refuse"), diagnostics)
    decided = plan(written, tags, _choice(settings, "components", "namespace"), diagnostics)
    renamed_services = [renamed(service, decided, tags, diagnostics) for service in written]
    if "info" in platform:
        merged.take(platform, "info")
    put_servers(merged, platform, written)
    put_dialect(merged, written, diagnostics)
    merged.put("tags", merged_tags(written, tags, platform))
    merged.put(EXTENSION, Map(platform.source))
    _put_platform_facts(merged, platform, services)
    merged.put(GROUPS, merged_groups(written, tags, platform))
    for part in ("paths", WEBHOOKS, "components"):
        merged.put(part, Map(platform.source))
    joiner = _Joiner(merged, decided, diagnostics)
    for service in renamed_services:
        joiner.add(service)
    put_rest(merged, platform, written, diagnostics)
    for part in ("tags", GROUPS, WEBHOOKS):
        if not merged[part]:
            del merged[part]
    return merged


def walk_operations(document: Map) -> Iterator[tuple[str, str, Node, Node]]:
    """(path, method, path item, operation) in document order."""
    paths = Node.of(document).get("paths")
    for path, item in paths.members() if paths else ():
        for method, operation in operations(item):
            yield path, method.lower(), item, operation


def _choice(settings: Node | None, part: str, default: Choice) -> Choice:
    said = settings.text(part) if settings else ""
    return cast(Choice, said) if said in get_args(Choice) else default


def _put_platform_facts(merged: Map, platform: Map, services: tuple[ServiceDocument, ...]) -> None:
    facts = map_at(merged, EXTENSION)
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
        map_at(facts, "services").put(service.name, described, (described.source, described.source))


class _Joiner:
    """Adds one service after the other to the merged document."""

    def __init__(self, merged: Map, decided: Plan, diagnostics: Diagnostics) -> None:
        self._merged = merged
        self._plan = decided
        self._diagnostics = diagnostics
        self._operation_ids: dict[str, SourceRef] = {}

    def add(self, service: Service) -> None:
        paths = service.root.get("paths")
        for path, written in paths.members() if paths else ():
            if path.startswith("/"):
                self._add_path(service, path, path_item(service, written))
        webhooks = service.root.get(WEBHOOKS)
        for name, member in webhooks.members() if webhooks else ():
            if name not in map_at(self._merged, WEBHOOKS):
                for _, operation in operations(member):
                    self._claim_operation_id(operation)
            _put_smaller(map_at(self._merged, WEBHOOKS), name, member)
        components = service.root.get("components")
        for kind, group in components.members() if components else ():
            self._add_components(kind, group)

    def _add_components(self, kind: str, group: Node) -> None:
        components = map_at(self._merged, "components")
        if kind not in components:
            components.put(kind, Map(group.place), (group.source, group.place))
        for name, member in group.members():
            _put_smaller(map_at(components, kind), name, member)

    def _add_path(self, service: Service, path: str, item: Node) -> None:
        if not isinstance(item.value, Map):
            return
        merged = map_at(self._merged, "paths")
        split: frozenset[str] = self._plan.split.get(path, frozenset())
        if path not in merged:
            merged.put(path, Map(item.place), (item.source, item.place))
        into = map_at(merged, path)
        for key in common_keys(item.value):
            if key not in split:
                _put_smaller(into, key, Node.of(item.value).get(key) or item)
        for _, operation in operations(item):
            self._add_operation(service, path, (item, operation), into)

    def _add_operation(self, service: Service, path: str, nodes: tuple[Node, Node], into: Map) -> None:
        item, operation = nodes
        method = tokens(operation.pointer)[-1]
        if method not in METHODS:
            if ADDITIONAL not in into:
                into.put(ADDITIONAL, Map(into.source))
            into = map_at(into, ADDITIONAL)
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
        if isinstance(operation.value, Map) and isinstance(item.value, Map):
            own = resolved(service, item.value, operation.value, self._merged)
            split: frozenset[str] = self._plan.split.get(path, frozenset())
            self._report_overruled(path, item.value, with_common(service, own, item.value, split))
            extension = own.pop(EXTENSION)
            own.put(EXTENSION, extension, own.places[EXTENSION])
            into.put(method, own, (operation.source, operation.place))

    def _report_overruled(self, path: str, item: Map, keys: list[str]) -> None:
        for key in keys:
            self._diagnostics.add(
                "DH024",
                f"`{key}` of {path} is left out: another service owns a part of the path and says otherwise",
                item.places[key][0],
                hint="every operation here says it for itself",
            )

    def _claim_operation_id(self, operation: Node) -> None:
        node = operation.get("operationId")
        if node is None or not isinstance(node.value, str):
            return
        # An overlay that writes several operations gives all of them one place.
        first = self._operation_ids.get(node.value)
        self._operation_ids.setdefault(node.value, node.place)
        if first is not None:
            self._diagnostics.add(
                "DH031",
                f"the operationId {node.value!r} is taken",
                node.place,
                related=[Related(message="stands here first", source=first)],
                hint="an operationId is unique across all services",
            )


def _put_smaller(into: Map, key: str, member: Node) -> None:
    """Equal things may be written differently: which text stays must not depend on who came first."""
    if key not in into or canonical(member.value) < canonical(into[key]):
        into.put(key, member.value, (member.source, member.place))
