"""How attempts are spread over endpoints, and which endpoints are left out for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .._errors import ConfigurationError

Algorithm: TypeAlias = Literal["p2c_ewma", "round_robin", "weighted", "least_connections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EjectionPolicy:
    """When an endpoint that fails is left out, and for how long.

    The detectors, their names and formulas are those of Envoy's outlier detection and of gRPC A50. Each is
    turned off by None. Defaults differ from theirs where a client sees fewer endpoints and fewer calls than a
    proxy does: see `max_ejection_percent` and `failure_percentage_*`.
    """

    consecutive_failures: int | None = 5
    """Failures in a row after which an endpoint is ejected at once."""
    interval_s: float = 10.0
    """Between two looks at the rates; also how long an endpoint has to behave to be forgiven one ejection."""
    base_ejection_s: float = 30.0
    """An endpoint is ejected for `min(base_ejection_s * times, max(base_ejection_s, max_ejection_s))`;
    `times` counts its ejections, less one for each healthy interval."""
    max_ejection_s: float = 300.0
    max_ejection_percent: float = 50.0
    """Of all endpoints, ejected at the same time; one always may be, and the last one never is."""
    failure_percentage_threshold: float | None = 85.0
    """Of an endpoint's calls in one interval: that many failures or more eject it."""
    failure_percentage_minimum_hosts: int = 2
    """Endpoints that must have had the volume before anyone is judged."""
    failure_percentage_request_volume: int = 20
    """Calls in an interval below which an endpoint is not judged."""
    success_rate_stdev_factor: float | None = 1.9
    """An endpoint is ejected whose share of successes in one interval is below `mean - factor * stdev` of all
    endpoints with the volume."""
    success_rate_minimum_hosts: int = 5
    success_rate_request_volume: int = 100

    def __post_init__(self) -> None:
        _check("consecutive_failures", self.consecutive_failures, least=1)
        _check("interval_s", self.interval_s, above=0)
        _check("base_ejection_s", self.base_ejection_s, above=0)
        _check("max_ejection_s", self.max_ejection_s, above=0)
        _check("max_ejection_percent", self.max_ejection_percent, least=0, most=100)
        _check("failure_percentage_threshold", self.failure_percentage_threshold, above=0, most=100)
        _check("success_rate_stdev_factor", self.success_rate_stdev_factor, above=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePolicy:
    """How the attempts of a client are spread over its endpoints."""

    algorithm: Algorithm = "p2c_ewma"
    """`p2c_ewma`: of two endpoints drawn at random, the one with the shorter queue in seconds; `weighted`:
    turns in proportion to the weights; `least_connections`: the fewest attempts under way for its weight;
    `round_robin`: equal turns, whatever the weights."""
    ejection: EjectionPolicy | None = field(default_factory=EjectionPolicy)
    """None: an endpoint that fails is called like the others."""
    slow_start_s: float = 30.0
    """For so long the share of an endpoint grows that comes back or is new; 0: it has it all at once."""
    slow_start_aggression: float = 1.0
    """1: the share grows linearly; above 1: faster at first (Envoy's `aggression`)."""
    slow_start_min_weight: float = 0.1
    """The share it begins with (Envoy's `min_weight_percent`)."""
    panic_threshold: float = 0.5
    """Where a smaller part of the endpoints than this is healthy, ejections are ignored: the few that are
    left would be overrun, and perhaps it is not the endpoints that fail. 0: never (Envoy's)."""

    def __post_init__(self) -> None:
        if self.algorithm not in ("p2c_ewma", "round_robin", "weighted", "least_connections"):
            raise ConfigurationError(
                "algorithm must be p2c_ewma, round_robin, weighted or least_connections, "
                f"not {self.algorithm!r}"
            )
        _check("slow_start_s", self.slow_start_s, least=0)
        _check("slow_start_aggression", self.slow_start_aggression, above=0)
        _check("slow_start_min_weight", self.slow_start_min_weight, above=0, most=1)
        _check("panic_threshold", self.panic_threshold, least=0, most=1)


def _check(
    name: str,
    value: float | None,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
) -> None:
    """Raises `ConfigurationError`; NaN is never in range."""
    if value is None:
        return
    if least is not None and not value >= least:
        raise ConfigurationError(f"{name} must be {least:g} or more, not {value!r}")
    if above is not None and not value > above:
        raise ConfigurationError(f"{name} must be above {above:g}, not {value!r}")
    if most is not None and not value <= most:
        raise ConfigurationError(f"{name} must be {most:g} at most, not {value!r}")
