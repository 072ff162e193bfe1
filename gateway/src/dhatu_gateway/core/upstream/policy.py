"""How a service is reached: what its entry in platform.yaml says, read once at boot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Algorithm: TypeAlias = Literal["least_connections", "round_robin", "weighted", "p2c_ewma", "hash"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash:
    """What decides where a request goes, so that equals go to the same endpoint."""

    by: Literal["header", "cookie", "network"]
    """`network`: the client's address, of IPv6 its /64."""
    name: str = ""
    """Of the header or the cookie; a request without it goes by the client's network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Who goes to the endpoints with a tag: callers that send a header, or a share of all."""

    tag: str
    header: str = ""
    """Any value of it counts where `value` is empty."""
    value: str = ""
    share: float = 0.0
    """Of the requests that no subset before this one took, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How requests are spread over the endpoints of a service."""

    algorithm: Algorithm = "least_connections"
    hash: Hash | None = None
    """Of the algorithm `hash`."""
    decay_s: float = 10.0
    """After so long without a peak, the latency that p2c_ewma remembers has fallen to 1/e of it."""
    slow_start_s: float = 0.0
    """For so long the share of an endpoint grows that is new or comes back; 0: it has it all at once."""
    slow_start_aggression: float = 1.0
    """1: the share grows linearly; above 1: faster at first (Envoy's `aggression`)."""
    slow_start_min_weight: float = 0.1
    """The share it begins with (Envoy's `min_weight_percent`)."""
    panic_threshold: float = 0.5
    """Where a smaller part of the endpoints is healthy, all are used (Envoy's `healthy_panic_threshold`)."""
    zone: Literal["any", "prefer"] = "any"
    """`prefer`: endpoints in the gateway's own zone, while at least seven tenths of them are healthy."""
    subsets: tuple[Subset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How endpoints are asked whether they are well (Envoy's `health_checks`)."""

    kind: Literal["http", "tcp"]
    path: str = "/health"
    statuses: tuple[tuple[int, int], ...] = ((200, 299),)
    """Ranges of statuses that mean that it is."""
    interval_s: float = 5.0
    jitter: float = 0.1
    """Part of the interval that is added to it at most, by chance."""
    timeout_s: float = 1.0
    unhealthy_after: int = 3
    """Failures in a row."""
    healthy_after: int = 2
    """Successes in a row."""
    initially: Literal["healthy", "unhealthy"] = "healthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejection:
    """When an endpoint is left out because of how it answers (Envoy's `outlier_detection`)."""

    consecutive_failures: int | None = 5
    """Failures in a row after which an endpoint is ejected at once; None: however many."""
    interval_s: float = 10.0
    """Between two looks at the rates; also how long an endpoint has to behave to be forgiven one ejection."""
    base_ejection_s: float = 30.0
    """Ejected for `min(base_ejection_s * times, max(base_ejection_s, max_ejection_s))` and the jitter."""
    max_ejection_s: float = 300.0
    jitter_s: float = 0.0
    """Added to the time of an ejection at most, by chance, so that not all return together."""
    max_ejection_percent: float = 10.0
    """Of all endpoints, ejected at the same time; one always may be, and the last one never is."""
    success_rate_stdev_factor: float | None = 1.9
    """An endpoint is ejected whose success rate in one interval is below `mean - factor * stdev` of all
    endpoints with the volume."""
    success_rate_minimum_hosts: int = 5
    success_rate_request_volume: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamPolicy:
    """Everything that platform.yaml says about the way to one service."""

    balance: Balance = Balance()
    health: HealthCheck | None = None
    """None: endpoints are not asked."""
    ejection: Ejection | None = None
