"""Answers of the service, as its document describes them; what is None is left out of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

State: TypeAlias = Literal["up", "degraded", "down", "unknown"]
GroupBy: TypeAlias = Literal["operation", "service", "status"]
NodeKind: TypeAlias = Literal["gateway", "service", "store"]
Protocol: TypeAlias = Literal["http", "sqlite", "redis", "internal"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class ServiceHealth(_Answer):
    """How one part of the platform is doing."""

    name: str
    state: State
    latency_ms: float | None = None
    detail: str | None = None


class CorpusSize(_Answer):
    """How much the corpus holds."""

    documents: int
    characters: int


class CallTotals(_Answer):
    """Calls since the gateway started."""

    calls: int
    errors: int
    error_rate: float
    mean_ms: float | None = None
    p95_ms: float | None = None


class UsageGroup(CallTotals):
    """Calls of one operation, service or status."""

    name: str
    service: str | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None


class DashboardOverview(_Answer):
    """The platform at a glance."""

    generated_at: datetime
    state: State
    uptime_s: float | None = None
    services: list[ServiceHealth]
    corpus: CorpusSize | None = None
    requests: CallTotals | None = None


class UsageReport(_Answer):
    """Calls, errors and latencies."""

    generated_at: datetime
    source: ServiceHealth
    group_by: GroupBy
    groups: list[UsageGroup]
    total: CallTotals | None = None


class TopologyNode(_Answer):
    """A part of the platform."""

    id: str
    kind: NodeKind
    title: str
    state: State
    latency_ms: float | None = None
    detail: str | None = None


class TopologyEdge(_Answer):
    """One part calls another."""

    source: str
    target: str
    protocol: Protocol
    state: State
    calls: int | None = None


class Topology(_Answer):
    """The parts of the platform and who calls whom."""

    generated_at: datetime
    nodes: list[TopologyNode]
    edges: list[TopologyEdge]
