"""Endpoints without connections: what balancers and detectors look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from dhatu_gateway.core.upstream.balancing.latency import PeakEwma
from dhatu_gateway.core.upstream.health.record import Record


@dataclass(slots=True, eq=False)
class Candidate:
    name: str = ""
    in_flight: int = 0
    weight: float = 1.0
    own_weight: float = 0.0
    turn: float = 0.0
    latency: PeakEwma = field(default_factory=lambda: PeakEwma(10.0, 0.0))
    health: Record = field(default_factory=lambda: Record(0.0))
    ramp_from_s: float | None = None
    zone: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.own_weight = self.own_weight or self.weight


def candidates(*weights: float) -> list[Candidate]:
    """One for each weight, called a, b, c, ..."""
    return [Candidate(name=chr(97 + index), weight=weight) for index, weight in enumerate(weights)]
