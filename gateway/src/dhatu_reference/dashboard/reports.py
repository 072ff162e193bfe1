"""Puts what the probes found together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from .models import (
    DashboardOverview,
    GroupBy,
    NodeKind,
    Protocol,
    ServiceHealth,
    State,
    Topology,
    TopologyEdge,
    TopologyNode,
    UsageReport,
)
from .probes import Check, Probes
from .usage import OperationCalls, groups, totals

Now: TypeAlias = Callable[[], datetime]

_SELF: Final = "dashboard"
_GATEWAY: Final = "gateway"
_INDEX: Final = "corpus-index"
_OWN_HEALTH: Final = ServiceHealth(name=_SELF, state="up")  # it is answering


async def overview(probes: Probes, now: Now) -> DashboardOverview:
    """The platform at a glance."""
    gateway, services, corpus, calls, uptime_s = await asyncio.gather(
        probes.gateway(), probes.services(), probes.corpus_size(), probes.calls(), probes.uptime_s()
    )
    parts = _sorted([gateway.health, _OWN_HEALTH, *services])
    return DashboardOverview(
        generated_at=now(),
        state=_summary(gateway.health, parts),
        uptime_s=uptime_s,
        services=parts,
        corpus=corpus.value,
        requests=None if calls.value is None else totals(calls.value),
    )


async def usage(probes: Probes, now: Now, *, group_by: GroupBy, service: str | None) -> UsageReport:
    """Calls, errors and latencies; of one service, or of all when None."""
    reading = await probes.calls()
    if reading.value is None:
        return UsageReport(generated_at=now(), source=reading.health, group_by=group_by, groups=[])
    calls = [item for item in reading.value if service is None or item.service == service]
    return UsageReport(
        generated_at=now(),
        source=reading.health,
        group_by=group_by,
        groups=groups(calls, group_by),
        total=totals(calls),
    )


async def topology(probes: Probes, now: Now) -> Topology:
    """The gateway, the services and their stores."""
    gateway, services, corpus, calls = await asyncio.gather(
        probes.gateway(), probes.services(), probes.corpus_size(), probes.calls()
    )
    parts = _sorted([_OWN_HEALTH, *services])
    names = {part.name for part in parts}
    stores = [check for check in (gateway.value.checks if gateway.value else ()) if check.name not in names]
    store_nodes = [*map(_store_node, stores), _index_node(corpus.health)]
    nodes = [
        _node(gateway.health, "gateway"),
        *(_node(part, "service") for part in parts),
        *sorted(store_nodes, key=lambda node: node.id),
    ]
    edges = [
        *_service_edges(parts, calls.value),
        *_own_edges([gateway.health, *services]),
        *map(_store_edge, store_nodes),
    ]
    return Topology(
        generated_at=now(), nodes=nodes, edges=sorted(edges, key=lambda edge: (edge.source, edge.target))
    )


def _sorted(parts: Iterable[ServiceHealth]) -> list[ServiceHealth]:
    return sorted(parts, key=lambda part: part.name)


def _summary(gateway: ServiceHealth, parts: Iterable[ServiceHealth]) -> State:
    """Nothing works without the gateway; without a service the rest still does."""
    if gateway.state == "down":
        return "down"
    return "up" if all(part.state == "up" for part in parts) else "degraded"


def _node(health: ServiceHealth, kind: NodeKind) -> TopologyNode:
    return TopologyNode(
        id=health.name,
        kind=kind,
        title=health.name.capitalize(),
        state=health.state,
        latency_ms=health.latency_ms,
        detail=health.detail,
    )


def _store_node(check: Check) -> TopologyNode:
    title = check.name.replace("_", " ").replace("-", " ").capitalize()
    return TopologyNode(id=check.name, kind="store", title=title, state=check.state)


def _index_node(corpus: ServiceHealth) -> TopologyNode:
    """The corpus answers with its size where its index works; where it does not answer, nobody can say."""
    state: State = "unknown" if corpus.state == "down" else corpus.state
    return TopologyNode(id=_INDEX, kind="store", title="Full-text index", state=state, detail=corpus.detail)


def _store_edge(store: TopologyNode) -> TopologyEdge:
    """The gateway calls its shared store `redis`, and says of no other how it is reached."""
    if store.id == _INDEX:
        return TopologyEdge(source="corpus", target=store.id, protocol="sqlite", state=store.state)
    protocol: Protocol = "redis" if store.id == "redis" else "internal"
    return TopologyEdge(source=_GATEWAY, target=store.id, protocol=protocol, state=store.state)


def _service_edges(
    services: Sequence[ServiceHealth], calls: Sequence[OperationCalls] | None
) -> list[TopologyEdge]:
    return [
        TopologyEdge(
            source=_GATEWAY,
            target=service.name,
            protocol="http",
            state=service.state,
            calls=None
            if calls is None
            else totals(item for item in calls if item.service == service.name).calls,
        )
        for service in services
    ]


def _own_edges(others: Iterable[ServiceHealth]) -> list[TopologyEdge]:
    """The dashboard asks everybody else."""
    return [
        TopologyEdge(source=_SELF, target=other.name, protocol="http", state=other.state) for other in others
    ]
