"""What the gateway knows of one endpoint: its connections, its load and its health."""

from __future__ import annotations

from collections.abc import Collection

from dhatu_gateway.core.upstream.balancing.latency import PeakEwma
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.core.upstream.health.record import Record
from dhatu_gateway.core.upstream.pool import ConnectionPool


class Member:
    """One endpoint of a service."""

    __slots__ = (
        "endpoint",
        "health",
        "in_flight",
        "latency",
        "name",
        "own_weight",
        "pool",
        "ramp_from_s",
        "turn",
        "weight",
    )

    def __init__(self, endpoint: Endpoint, pool: ConnectionPool, decay_s: float, now_s: float) -> None:
        self.endpoint = endpoint
        self.name = endpoint.authority
        self.pool = pool
        self.in_flight = 0
        """Requests under way."""
        self.own_weight = self.weight = endpoint.weight
        """As configured, and now: it is less during a slow start."""
        self.ramp_from_s: float | None = None
        """When the slow start began; None outside of one."""
        self.turn = 0.0
        self.latency = PeakEwma(decay_s, now_s)
        self.health = Record(now_s)

    def describe(self, endpoint: Endpoint) -> None:
        """Take on what is said of the same endpoint now: weight, zone and tags."""
        self.endpoint = endpoint
        self.own_weight = self.weight = endpoint.weight

    @property
    def zone(self) -> str:
        return self.endpoint.zone

    @property
    def tags(self) -> Collection[str]:
        return self.endpoint.tags
