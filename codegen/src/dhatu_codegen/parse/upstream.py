"""`upstream` of a service in platform.yaml; the file has been checked, so values are taken as they are."""

from __future__ import annotations

from typing import Literal, cast

from ..document import Node
from ..ir.upstream import (
    Adaptive,
    Algorithm,
    Balance,
    Breaker,
    Concurrency,
    Connections,
    Ejection,
    Hash,
    HealthCheck,
    Hedge,
    RetryBudget,
    Subset,
    Tries,
    UpstreamPolicy,
)


def parse_upstream(node: Node | None) -> UpstreamPolicy:
    """The defaults are those of Envoy, where it has the same setting."""
    return UpstreamPolicy(
        balance=_balance(node.get("balance") if node else None),
        health=_health(node.get("health") if node else None),
        ejection=_ejection(node.get("ejection") if node else None),
        breaker=parse_breaker(node.get("breaker") if node else None),
        retry_budget=_retry_budget(node.get("retry_budget") if node else None),
        concurrency=_concurrency(node.get("concurrency") if node else None),
        connections=_connections(node.get("connections") if node else None),
    )


def parse_breaker(node: Node | None) -> Breaker | None:
    """Of a service or of an operation."""
    if node is None or node.value is None:
        return None
    return Breaker(
        failure_rate=number(node, "failure_rate", 0.5),
        window_s=number(node, "window_s", 10),
        min_calls=whole(node, "min_calls", 20),
        consecutive=whole(node, "consecutive", 1) if node.get("consecutive") else None,
        open_s=number(node, "open_s", 5),
        half_open_calls=whole(node, "half_open_calls", 3),
    )


def parse_tries(node: Node | None) -> Tries:
    """`retry` of an operation, its class left aside."""
    try_s = number(node, "per_try_timeout_s", 0)
    return Tries(attempts=whole(node, "attempts", 2), per_try_timeout_s=try_s or None)


def parse_hedge(node: Node | None) -> Hedge | None:
    """One of its two numbers is given."""
    if node is None or node.value is None:
        return None
    after_s, percentile = number(node, "after_s", 0), number(node, "percentile", 0)
    return Hedge(after_s=after_s or None, percentile=percentile or None)


def _balance(node: Node | None) -> Balance:
    subsets = node.get("subsets") if node else None
    hashed = node.get("hash") if node else None
    return Balance(
        algorithm=cast(
            Algorithm, node.text("algorithm", "least_connections") if node else "least_connections"
        ),
        hash=_hash(hashed) if hashed else None,
        decay_s=number(node, "decay_s", 10),
        slow_start_s=number(node, "slow_start_s", 0),
        slow_start_aggression=number(node, "slow_start_aggression", 1),
        slow_start_min_weight=number(node, "slow_start_min_weight", 0.1),
        panic_threshold=number(node, "panic_threshold", 0.5),
        zone=cast(Literal["any", "prefer"], node.text("zone", "any") if node else "any"),
        subsets=tuple(_subset(subset) for subset in subsets.elements()) if subsets else (),
    )


def _hash(node: Node) -> Hash:
    by = cast(Literal["header", "cookie", "network"], node.text("by"))
    return Hash(by=by, name=node.text("name"))


def _subset(node: Node) -> Subset:
    return Subset(
        tag=node.text("tag"),
        header=node.text("header"),
        value=node.text("value"),
        share=number(node, "share", 0),
    )


def _health(node: Node | None) -> HealthCheck | None:
    if node is None:
        return None
    statuses = node.get("statuses")
    return HealthCheck(
        kind=cast(Literal["http", "tcp"], node.text("kind", "http")),
        path=node.text("path", "/health"),
        statuses=tuple(_range(status) for status in statuses.elements()) if statuses else ((200, 299),),
        interval_s=number(node, "interval_s", 5),
        jitter=number(node, "jitter", 0.1),
        timeout_s=number(node, "timeout_s", 1),
        unhealthy_after=whole(node, "unhealthy_after", 3),
        healthy_after=whole(node, "healthy_after", 2),
        initially=cast(Literal["healthy", "unhealthy"], node.text("initially", "healthy")),
    )


def _range(node: Node) -> tuple[int, int]:
    """`204` or `200-299`."""
    first, _, last = str(node.value).partition("-")
    return int(first), int(last or first)


def _ejection(node: Node | None) -> Ejection | None:
    if node is None:
        return None
    return Ejection(
        consecutive_failures=None
        if _is_off(node, "consecutive_failures")
        else whole(node, "consecutive_failures", 5),
        interval_s=number(node, "interval_s", 10),
        base_ejection_s=number(node, "base_ejection_s", 30),
        max_ejection_s=number(node, "max_ejection_s", 300),
        jitter_s=number(node, "jitter_s", 0),
        max_ejection_percent=number(node, "max_ejection_percent", 10),
        success_rate_stdev_factor=None
        if _is_off(node, "success_rate_stdev_factor")
        else number(node, "success_rate_stdev_factor", 1.9),
        success_rate_minimum_hosts=whole(node, "success_rate_minimum_hosts", 5),
        success_rate_request_volume=whole(node, "success_rate_request_volume", 100),
    )


def _retry_budget(node: Node | None) -> RetryBudget:
    return RetryBudget(
        ratio=number(node, "ratio", 0.1),
        min_retries=whole(node, "min_retries", 3),
        window_s=number(node, "window_s", 10),
    )


def _concurrency(node: Node | None) -> Concurrency | None:
    if node is None:
        return None
    adaptive = node.get("adaptive")
    return Concurrency(
        max=whole(node, "max", 1) if node.get("max") else None,
        adaptive=_adaptive(adaptive) if adaptive else None,
        max_waiting=whole(node, "max_waiting", 100),
        queue_s=number(node, "queue_s", 1),
    )


def _adaptive(node: Node) -> Adaptive:
    return Adaptive(
        initial=whole(node, "initial", 20),
        min=whole(node, "min", 4),
        max=whole(node, "max", 1000),
        tolerance=number(node, "tolerance", 1.5),
        smoothing=number(node, "smoothing", 0.2),
    )


def _connections(node: Node | None) -> Connections:
    return Connections(
        max=whole(node, "max", 128),
        max_waiting=whole(node, "max_waiting", 1024),
        connect_s=number(node, "connect_s", 2),
        keep_alive_s=number(node, "keep_alive_s", 4),
    )


def _is_off(node: Node, key: str) -> bool:
    """Whether it is null, which turns a detector off; what is absent has its default."""
    found = node.get(key)
    return found is not None and found.value is None


def whole(node: Node | None, key: str, otherwise: int) -> int:
    """A whole number, or what counts where there is none."""
    return int(number(node, key, otherwise))


def number(node: Node | None, key: str, otherwise: float) -> float:
    """A number, or what counts where there is none."""
    found = node.get(key) if node else None
    return (
        float(found.value)
        if found is not None and isinstance(found.value, (int, float))
        else float(otherwise)
    )
