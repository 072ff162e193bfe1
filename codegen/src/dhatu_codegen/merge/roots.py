"""What services say at the root of their documents: tags, servers, the dialect, extensions, documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..diagnostics import Diagnostics, Related
from ..document import Map, Node, Seq
from ..path_item import operations
from .names import fold, free, qualified
from .plan import Choice
from .service import EXTENSION, Service
from .values import canonical, first_difference, map_at

DIALECT: Final = "jsonSchemaDialect"
GROUPS: Final = "x-tagGroups"
_OWN_DIALECT: Final = "https://spec.openapis.org/oas/3.1/dialect/base"
"""What holds where a document says nothing (OpenAPI 3.1.1, 4.8.24.5)."""


def tag_names(
    services: Sequence[Service], choice: Choice, diagnostics: Diagnostics
) -> dict[tuple[str, str], str]:
    """(service, tag): the new name of a tag that services describe differently.

    A tag that is only named says nothing, and agrees with any.
    """
    described: dict[str, list[tuple[Service, Node]]] = {}
    taken: set[str] = set()
    for service in services:
        taken |= {fold(tag) for tag in _used(service)}
        tags = service.root.get("tags")
        for tag in tags.elements() if tags else ():
            if isinstance(tag.value, dict) and len(tag.value) > 1:
                described.setdefault(tag.text("name"), []).append((service, tag))
    found: dict[tuple[str, str], str] = {}
    for name, listed in sorted(described.items()):
        meanings: dict[str, list[tuple[Service, Node]]] = {}
        for service, tag in listed:
            meanings.setdefault(canonical(tag.value), []).append((service, tag))
        if len(meanings) == 1:
            continue
        if choice == "refuse":
            _refuse(name, listed, diagnostics)
            continue
        for members in sorted(meanings.values(), key=lambda each: min(service.name for service, _ in each)):
            new = free(qualified(min(service.name for service, _ in members), name), taken)
            for service, tag in members:
                found[service.name, name] = new
                others = [other for other in listed if canonical(other[1].value) != canonical(tag.value)]
                diagnostics.add(
                    "DH036",
                    f"the tag {name!r} is called {new!r}: {others[0][0].name} describes it differently",
                    tag.source,
                    related=[
                        Related(message=f"that of {other.name} stands here", source=node.source)
                        for other, node in others
                    ],
                    hint="describe both alike to share the tag, or give one another name",
                )
    return found


def _used(service: Service) -> set[str]:
    tags, paths = service.root.get("tags"), service.root.get("paths")
    declared = {tag.text("name") for tag in tags.elements()} if tags else set[str]()
    for _, item in paths.members() if paths else ():
        for _, operation in operations(item):
            declared |= set(operation.texts("tags"))
    return declared


def _refuse(name: str, listed: list[tuple[Service, Node]], diagnostics: Diagnostics) -> None:
    first = listed[0][1]
    for _, tag in listed[1:]:
        if canonical(tag.value) != canonical(first.value):
            where = first_difference(first.value, tag.value)
            diagnostics.add(
                "DH035",
                f"the tag {name!r} differs from the one of the same name{f' at {where}' if where else ''}",
                tag.source,
                related=[Related(message="stands here first", source=first.source)],
                hint="make both the same, or rename one of them",
            )


def merged_tags(services: Sequence[Service], names: Mapping[tuple[str, str], str], source: Map) -> Seq:
    """Every tag once, in the order of the services; described where one of them describes it."""
    merged = Seq(source.source)
    index: dict[str, int] = {}
    for service in services:
        tags = service.root.get("tags")
        for tag in tags.elements() if tags else ():
            value = _renamed(service.name, tag.value, names) if isinstance(tag.value, Map) else tag.value
            name = names.get((service.name, tag.text("name")), tag.text("name"))
            if name not in index:
                index[name] = len(merged)
                merged.put(value, tag.source)
            elif isinstance(value, dict) and len(value) > 1:
                known = merged[index[name]]
                if isinstance(known, dict) and len(known) == 1:
                    merged[index[name]], merged.places[index[name]] = value, tag.source
    return merged


def _renamed(service: str, tag: Map, names: Mapping[tuple[str, str], str]) -> Map:
    changed = Map(tag.source)
    for key, value in tag.items():
        new = names.get((service, str(value))) if key in ("name", "x-oai-parent") else None
        changed.put(key, new or value, tag.places[key])
    return changed


def merged_groups(services: Sequence[Service], names: Mapping[tuple[str, str], str], source: Map) -> Seq:
    """`x-tagGroups`: groups of one name become one, with the tags of all."""
    merged = Seq(source.source)
    known: dict[str, Map] = {}
    for service in services:
        groups = service.root.get(GROUPS)
        for group in groups.elements() if groups else ():
            if not isinstance(group.value, Map):
                continue
            name = group.text("name")
            if name not in known:
                known[name] = Map(group.value.source)
                for key in group.value:
                    known[name].take(group.value, key)
                known[name].put("tags", Seq(group.place), group.value.places.get("tags"))
                merged.put(known[name], group.source)
            tags, written = known[name]["tags"], group.get("tags")
            for tag in written.elements() if written and isinstance(tags, Seq) else ():
                new = names.get((service.name, str(tag.value)), tag.value)
                if isinstance(tags, Seq) and new not in tags:
                    tags.put(new, tag.place)
    return merged


def put_servers(merged: Map, platform: Map, services: Sequence[Service]) -> None:
    """Those of the platform; where it has none, those on which all services agree."""
    if "servers" in platform:
        merged.take(platform, "servers")
        return
    stated = {canonical(service.document.get("servers") or []) for service in services}
    if len(stated) == 1 and services[0].document.get("servers"):
        merged.take(services[0].document, "servers")


def put_dialect(merged: Map, services: Sequence[Service], diagnostics: Diagnostics) -> None:
    """DH038: the dialect of schemas is one for the whole document."""
    spoken = [(service, service.root.text(DIALECT, _OWN_DIALECT)) for service in services]
    stating = [service for service, _ in spoken if DIALECT in service.document]
    if not stating:
        return
    first, dialect = next(pair for pair in spoken if pair[0] is stating[0])
    if all(other == dialect for _, other in spoken):
        merged.take(first.document, DIALECT)
        return
    for service in stating:
        other = next(each for each, known in spoken if known != service.root.text(DIALECT))
        node = other.root.get(DIALECT) or other.root
        diagnostics.add(
            "DH038",
            f"`{DIALECT}` differs from that of {other.name}",
            service.document.places[DIALECT][0],
            related=[Related(message=f"{other.name} is described here", source=node.source)],
            hint="write the schemas of all services in one dialect",
        )


def put_rest(merged: Map, platform: Map, services: Sequence[Service], diagnostics: Diagnostics) -> None:
    """Extensions on which the services agree, and all else beside the service that says it (DH037).

    What platform.yaml says under the same key holds for all.
    """
    keys = dict.fromkeys(key for service in services for key in service.document if _is_carried(key))
    for key in platform:
        if _is_carried(key):
            merged.take(platform, key)
    for key in keys:
        saying = [service for service in services if key in service.document]
        alike = len({canonical(service.document[key]) for service in saying}) == 1
        if alike and key.startswith("x-") and key not in platform:
            merged.take(saying[0].document, key)
            continue
        for service in saying:
            facts = map_at(map_at(map_at(merged, EXTENSION), "services"), service.name)
            if "document" not in facts:
                facts.put("document", Map(service.document.source))
            map_at(facts, "document").take(service.document, key)
        if not alike and key not in platform:
            _report_extension(key, saying, diagnostics)


def _is_carried(key: str) -> bool:
    return key == "externalDocs" or (key.startswith("x-") and key not in (EXTENSION, GROUPS))


def _report_extension(key: str, saying: list[Service], diagnostics: Diagnostics) -> None:
    for service in saying if key.startswith("x-") else ():
        mine = canonical(service.document[key])
        other = next((each for each in saying if canonical(each.document[key]) != mine), None)
        if other is not None:
            diagnostics.add(
                "DH037",
                f"`{key}` differs from that of {other.name}, so it stands beside the service only",
                service.document.places[key][0],
                related=[Related(message=f"that of {other.name}", source=other.document.places[key][0])],
                hint=f"say in platform.yaml what `{key}` is for all services",
            )
