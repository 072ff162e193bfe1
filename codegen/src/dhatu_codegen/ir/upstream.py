"""How a service is reached: what platform.yaml and x-dhatu say, every default filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Algorithm: TypeAlias = Literal["least_connections", "round_robin", "weighted", "p2c_ewma", "hash"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash:
    """What decides where a request goes, so that equals go to the same endpoint."""

    by: Literal["header", "cookie", "network"]
    """`network`: the client's address, of IPv6 its /64."""
    name: str
    """Of the header or the cookie; a request without it goes by the client's network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Who goes to the endpoints with a tag: callers that send a header, or a share of all."""

    tag: str
    header: str
    """Any value of it counts where `value` is empty."""
    value: str
    share: float
    """Of the requests that no subset before this one took, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How requests are spread over the endpoints of a service."""

    algorithm: Algorithm
    hash: Hash | None
    """Of the algorithm `hash`."""
    decay_s: float
    """After so long without a peak, the latency that p2c_ewma remembers has fallen to 1/e of it."""
    slow_start_s: float
    """For so long the share of an endpoint grows that is new or comes back; 0: it has it all at once."""
    slow_start_aggression: float
    """1: the share grows linearly; above 1: faster at first (Envoy's `aggression`)."""
    slow_start_min_weight: float
    """The share it begins with (Envoy's `min_weight_percent`)."""
    panic_threshold: float
    """Where a smaller part of the endpoints is healthy, all are used (Envoy's `healthy_panic_threshold`)."""
    zone: Literal["any", "prefer"]
    """`prefer`: endpoints in the gateway's own zone, while at least seven tenths of them are healthy."""
    subsets: tuple[Subset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How endpoints are asked whether they are well (Envoy's `health_checks`)."""

    kind: Literal["http", "tcp"]
    path: str
    statuses: tuple[tuple[int, int], ...]
    """Ranges of statuses that mean that it is."""
    interval_s: float
    jitter: float
    """Part of the interval that is added to it at most, by chance."""
    timeout_s: float
    unhealthy_after: int
    """Failures in a row."""
    healthy_after: int
    """Successes in a row."""
    initially: Literal["healthy", "unhealthy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejection:
    """When an endpoint is left out because of how it answers (Envoy's `outlier_detection`)."""

    consecutive_failures: int | None
    """Failures in a row after which an endpoint is ejected at once; None: however many."""
    interval_s: float
    """Between two looks at the rates; also how long an endpoint has to behave to be forgiven one ejection."""
    base_ejection_s: float
    """Ejected for `min(base_ejection_s * times, max(base_ejection_s, max_ejection_s))` and the jitter."""
    max_ejection_s: float
    jitter_s: float
    """Added to the time of an ejection at most, by chance, so that not all return together."""
    max_ejection_percent: float
    """Of all endpoints, ejected at the same time; one always may be, and the last one never is."""
    success_rate_stdev_factor: float | None
    """An endpoint is ejected whose success rate in one interval is below `mean - factor * stdev` of all
    endpoints with the volume."""
    success_rate_minimum_hosts: int
    success_rate_request_volume: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When to stop calling what fails, and for how long."""

    failure_rate: float
    """Share of the calls in the window."""
    window_s: float
    min_calls: int
    """In the window, before its rate counts."""
    consecutive: int | None
    """Failures in a row that open it whatever the rate; None: however many."""
    open_s: float
    half_open_calls: int
    """Trials that may be under way at once, and successes that close it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBudget:
    """What repeats may add to the load of a service (Envoy's `retry_budget`, over a window)."""

    ratio: float
    """Repeats for each call in the window."""
    min_retries: int
    """In the window, however few the calls."""
    window_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often an operation is tried that may be repeated."""

    attempts: int
    """The first one included."""
    per_try_timeout_s: float | None
    """From the end of the request to the head of the answer, for each attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """When a second attempt is made beside a slow first one; one of the two is None."""

    after_s: float | None
    percentile: float | None
    """Of the operation's latest latencies, above 0 and below 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """A limit that is found by watching latencies (Netflix's Gradient2)."""

    initial: int
    min: int
    max: int
    tolerance: float
    """How many times longer than usual a request may take before the limit shrinks."""
    smoothing: float
    """Part of the way to a new limit that is gone at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """How many requests of a process a service works on at once, and who waits meanwhile."""

    max: int | None
    """None where it is adaptive."""
    adaptive: Adaptive | None
    max_waiting: int
    queue_s: float
    """How long a request waits at most, if its deadline allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The connections to each endpoint."""

    max: int
    max_waiting: int
    """Requests that may wait for one."""
    connect_s: float
    """Also bounds the wait for a free one."""
    keep_alive_s: float
    """How long an unused one is kept; to be shorter than at the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamPolicy:
    """Everything that platform.yaml says about the way to one service."""

    balance: Balance
    health: HealthCheck | None
    """None: endpoints are not asked."""
    ejection: Ejection | None
    breaker: Breaker | None
    """Of the whole service; operations may have their own beside it."""
    retry_budget: RetryBudget
    concurrency: Concurrency | None
    connections: Connections
