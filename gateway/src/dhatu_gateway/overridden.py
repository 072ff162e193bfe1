"""A table as overrides change it: all of them fit, or nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

from dhatu_gateway.core.discovery.overrides import InvalidOverrides, Overrides
from dhatu_gateway.core.discovery.policy_overrides import (
    ALL,
    NO_POLICY,
    BreakerChange,
    LimitChange,
    OperationChange,
    PolicyChange,
    RetryChange,
)
from dhatu_gateway.core.types import RateLimit, Route, Service
from dhatu_gateway.core.upstream.policy import Breaker, Tries
from dhatu_gateway.rate_limiting.algorithms import algorithm
from dhatu_gateway.table import Table

_BURSTING = ("token_bucket", "gcra")
_WITHOUT_WINDOW = ("quota", "concurrency")


def overridden(table: Table, overrides: Mapping[str, Overrides]) -> Table:
    """The table with these in force in place of those before; raises `InvalidOverrides` with all problems."""
    plain = table.plain or table
    if not overrides:
        return plain
    changes = {name: said.policy for name, said in overrides.items() if said.policy != NO_POLICY}
    problems = list(_unknown(plain, changes))
    routes: list[Route] = []
    for route in plain.routes:
        change = changes.get(route.service)
        try:
            routes.append(route if change is None else _route(route, change))
        except ValueError as error:
            problems.append(f"{route.service}: operations.{route.operation}.{error}")
    if problems:
        raise InvalidOverrides("; ".join(problems))
    services = tuple(_service(service, changes) for service in plain.platform.services)
    return replace(
        plain,
        platform=replace(plain.platform, services=services),
        routes=tuple(routes),
        plain=plain,
        overrides=overrides,
    )


def _unknown(table: Table, changes: Mapping[str, PolicyChange]) -> Iterator[str]:
    known = {(route.service, route.operation) for route in table.routes}
    for service, change in changes.items():
        for operation in change.operations:
            if operation != ALL and (service, operation) not in known:
                yield f"{service}: operations.{operation}: the service has no such operation"


def _service(service: Service, changes: Mapping[str, PolicyChange]) -> Service:
    change = changes.get(service.name, NO_POLICY)
    breaker = _breaker(service.upstream.breaker, change.breaker)
    if breaker == service.upstream.breaker:
        return service
    return replace(service, upstream=replace(service.upstream, breaker=breaker))


def _route(route: Route, change: PolicyChange) -> Route:
    for name in (ALL, route.operation):
        if name in change.operations:
            route = _changed(route, change.operations[name], is_named=name != ALL)
    return route


def _changed(route: Route, change: OperationChange, *, is_named: bool) -> Route:
    repeatable = route.retry != "never"
    if change.retry != RetryChange() and not repeatable and is_named:
        raise ValueError("retry: it may not be repeated, so there is nothing to change")
    return replace(
        route,
        timeout_s=change.timeout_s or route.timeout_s,
        rate_limits=_limits(route.rate_limits, change.limits),
        breaker=_breaker(route.breaker, change.breaker),
        tries=_tries(route.tries, change.retry) if repeatable else route.tries,
    )


def _tries(tries: Tries, change: RetryChange) -> Tries:
    return Tries(
        attempts=change.attempts or tries.attempts,
        per_try_timeout_s=change.per_try_timeout_s or tries.per_try_timeout_s,
    )


def _breaker(breaker: Breaker | None, change: BreakerChange) -> Breaker | None:
    """Where there is none, one begins with what a breaker has by default."""
    said = {field.name: getattr(change, field.name) for field in fields(change)}
    given = {name: value for name, value in said.items() if value}
    return replace(breaker or Breaker(), **given) if given else breaker


def _limits(limits: tuple[RateLimit, ...], changes: Sequence[LimitChange]) -> tuple[RateLimit, ...]:
    by_name = {limit.name: limit for limit in limits}
    for change in changes:
        name = change.name or (limits[0].name if len(limits) == 1 else "")
        if name not in by_name:
            raise ValueError(
                f"rate_limit: must name one of its limits: {', '.join(by_name) or 'it has none'}"
            )
        try:
            by_name[name] = _limit(by_name[name], change)
            algorithm(by_name[name])  # whether it can be counted
        except ValueError as error:
            raise ValueError(f"rate_limit.{name}: {error}") from error
    return tuple(by_name.values())


def _limit(limit: RateLimit, change: LimitChange) -> RateLimit:
    if limit.across != "operation":
        raise ValueError(f"it counts calls of the whole {limit.across}, which one operation cannot change")
    if change.window_s and limit.algorithm in _WITHOUT_WINDOW:
        raise ValueError(f"a limit of the kind {limit.algorithm} has no window_s")
    if change.burst and limit.algorithm not in _BURSTING:
        raise ValueError(f"a limit of the kind {limit.algorithm} has no burst")
    calls = change.limit or limit.limit
    burst = calls if limit.burst == limit.limit else limit.burst  # by default it is the limit
    return replace(
        limit,
        limit=calls,
        window_s=change.window_s or limit.window_s,
        burst=change.burst or burst,
    )
