"""The share of an endpoint that has just come: Envoy's slow start."""

from __future__ import annotations

from math import pow

from .policy import BalancePolicy


def ramp(policy: BalancePolicy, age_s: float) -> float:
    """The part of its weight that an endpoint of that age has, up to 1.

    `max(min_weight, (max(age_s, 1) / slow_start_s) ** (1 / aggression))`, as in Envoy.

    >>> [ramp(BalancePolicy(), age_s) for age_s in (0.0, 3.0, 15.0, 30.0)]
    [0.1, 0.1, 0.5, 1.0]
    """
    if age_s >= policy.slow_start_s:
        return 1.0
    passed = min(1.0, max(age_s, 1.0) / policy.slow_start_s)
    return max(policy.slow_start_min_weight, pow(passed, 1 / policy.slow_start_aggression))
