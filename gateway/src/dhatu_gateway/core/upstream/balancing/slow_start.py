"""The share of an endpoint that has just come: Envoy's slow start."""

from __future__ import annotations

from dhatu_gateway.core.upstream.policy import Balance


def ramp(policy: Balance, age_s: float) -> float:
    """The part of its weight that an endpoint of that age has, up to 1.

    `max(min_weight, (max(age_s, 1) / slow_start_s) ** (1 / aggression))`, as in Envoy.

    >>> [ramp(Balance(slow_start_s=30.0), age_s) for age_s in (0.0, 3.0, 15.0, 30.0)]
    [0.1, 0.1, 0.5, 1.0]
    """
    if age_s >= policy.slow_start_s:
        return 1.0
    passed: float = min(1.0, max(age_s, 1.0) / policy.slow_start_s)
    grown: float = passed ** (1 / policy.slow_start_aggression)
    return max(policy.slow_start_min_weight, grown)
