"""What a pool knows of one endpoint."""

from __future__ import annotations

from .._wire import Endpoint
from .health import Health
from .latency import PeakEwma


class Member:
    """One endpoint of a pool and its statistics; kept by the pool's lock."""

    __slots__ = ("endpoint", "health", "in_flight", "latency", "ramp", "ramp_from_s", "turn")

    def __init__(self, endpoint: Endpoint, now_s: float) -> None:
        self.endpoint = endpoint
        self.in_flight = 0
        self.latency = PeakEwma(now_s)
        self.health = Health(now_s)
        self.ramp = 1.0
        """The part of its weight that it has now, from above 0 to 1: less than 1 during its slow start."""
        self.ramp_from_s: float | None = None
        """When the slow start began; None outside of one."""
        self.turn = 0.0
        """How much its turn is due (nginx's `current_weight`)."""

    @property
    def weight(self) -> float:
        """Its weight now."""
        return self.endpoint.weight * self.ramp
