"""Which components the services share, and what those are called that only look alike.

Every rule looks at the services by name: their order in platform.yaml plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from ..diagnostics import Diagnostics, Related
from ..document import Map, Node
from ..ir.schema import Json
from ..pointer import join
from .graph import Graph
from .names import fold, free, qualified
from .paths import common_keys, shared_paths
from .service import Service
from .values import canonical

WEBHOOKS: Final = "webhooks"
Choice = Literal["namespace", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was decided before anything is put together."""

    names: Mapping[str, Mapping[tuple[str, str], str]]
    """Service: (kind, name) of a component: its name in the merged document, where that is another one."""
    split: Mapping[str, frozenset[str]]
    """Path that several services own: what they say of it as a whole and not alike, key by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    service: Service
    node: Node
    vertex: int


@dataclass(slots=True, kw_only=True)
class _Decisions:
    graph: Graph
    diagnostics: Diagnostics
    taken: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    names: dict[str, dict[tuple[str, str], str]] = field(
        default_factory=dict[str, dict[tuple[str, str], str]]
    )


def plan(
    services: Sequence[Service], tags: Mapping[tuple[str, str], str], choice: Choice, diagnostics: Diagnostics
) -> Plan:
    """Compare all that has one name in several services; `tags` are those that get another name."""
    graph = Graph(tags)
    groups = _groups(services, graph)
    paths = {
        path: [(service, item, _parameter_vertices(graph, service, item)) for service, item in owners]
        for path, owners in shared_paths(services).items()
    }
    graph.compare()
    decisions = _Decisions(graph=graph, diagnostics=diagnostics)
    for service in services:
        for kind, name in service.components:
            decisions.taken.setdefault(kind, set()).add(fold(name))
    for (kind, name), members in sorted(groups.items(), key=lambda item: item[0]):
        classes: dict[int, list[_Member]] = {}
        for member in members:
            classes.setdefault(graph.class_of(member.vertex), []).append(member)
        if len(classes) == 1:
            continue
        if kind == WEBHOOKS or choice == "refuse":
            _refuse(decisions, kind, name, members)
        else:
            _namespace(decisions, kind, name, list(classes.values()))
    split: dict[str, frozenset[str]] = {}
    for path, owners in paths.items():
        differing = {
            key
            for key in sorted({key for _, item, _ in owners for key in common_keys(item)})
            if len({_said(graph, item, key, vertices) for _, item, vertices in owners}) > 1
        }
        split[path] = frozenset(differing)
    return Plan(names=decisions.names, split=split)


def _groups(services: Sequence[Service], graph: Graph) -> dict[tuple[str, str], list[_Member]]:
    """(kind, name): what several services have under it, in the order of the services."""
    owners: dict[tuple[str, str], list[tuple[Service, Node]]] = {}
    for service in services:
        for key, node in service.components.items():
            owners.setdefault(key, []).append((service, node))
        webhooks = service.root.get(WEBHOOKS)
        for name, node in webhooks.members() if webhooks else ():
            owners.setdefault((WEBHOOKS, name), []).append((service, node))
    found: dict[tuple[str, str], list[_Member]] = {}
    for key, listed in owners.items():
        if len(listed) == 1:
            continue
        for service, node in listed:
            if key[0] == WEBHOOKS:
                vertex = graph.vertex(service, node.value, "pathItem")
            else:
                vertex = graph.component(service, *key)
            found.setdefault(key, []).append(_Member(service=service, node=node, vertex=vertex))
    return found


def _parameter_vertices(graph: Graph, service: Service, item: Map) -> list[int]:
    parameters = item.get("parameters")
    listed = parameters if isinstance(parameters, list) else []
    return [graph.vertex(service, parameter, "parameter") for parameter in listed]


def _said(graph: Graph, item: Map, key: str, vertices: list[int]) -> str:
    if key == "parameters":
        return canonical([graph.class_of(vertex) for vertex in vertices])
    said: Json = [item[key]] if key in item else []
    return canonical(said)


def _namespace(decisions: _Decisions, kind: str, name: str, classes: list[list[_Member]]) -> None:
    """DH036: each meaning gets the name of the first of its services, by name, before it."""
    chosen: list[str] = []
    classes.sort(key=lambda members: min(member.service.name for member in members))
    for members in classes:
        owner = min(member.service.name for member in members)
        new = free(qualified(owner, name), decisions.taken[kind])
        chosen.append(new)
        for member in members:
            decisions.names.setdefault(member.service.name, {})[kind, name] = new
    for index, members in enumerate(classes):
        other = (index + 1) % len(classes)
        for member in members:
            where = decisions.graph.difference(member.vertex, classes[other][0].vertex)
            decisions.diagnostics.add(
                "DH036",
                f"{join(kind, name)[1:]} is called {chosen[index]}: that of {classes[other][0].service.name} "
                f"differs{f' at {where}' if where else ''}",
                member.node.source,
                related=[
                    Related(
                        message=f"{chosen[number]} of {different.service.name} stands here",
                        source=different.node.source,
                    )
                    for number, others in enumerate(classes)
                    for different in others
                    if number != index
                ],
                hint="make them the same to share one, or give one another name",
            )


def _refuse(decisions: _Decisions, kind: str, name: str, members: list[_Member]) -> None:
    """DH032, DH035: every meaning but the first is an error."""
    first = members[0]
    for member in members[1:]:
        if decisions.graph.class_of(member.vertex) == decisions.graph.class_of(first.vertex):
            continue
        where = decisions.graph.difference(first.vertex, member.vertex)
        what = f"the webhook {name!r}" if kind == WEBHOOKS else f"the component {join(kind, name)}"
        decisions.diagnostics.add(
            "DH035" if kind == WEBHOOKS else "DH032",
            f"{what} differs from the one of the same name{f' at {where}' if where else ''}",
            member.node.source,
            related=[Related(message="stands here first", source=first.node.source)],
            hint="make both the same, or rename one of them",
        )
