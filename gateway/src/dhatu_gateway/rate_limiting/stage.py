"""The stage that refuses callers who call too often, and tells everybody how much is left."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.types import Route
from dhatu_gateway.rate_limiting.alone import Alone
from dhatu_gateway.rate_limiting.answers import Answers, OneAnswer
from dhatu_gateway.rate_limiting.holding import build_local_holding, build_shared_holding
from dhatu_gateway.rate_limiting.keys import key_of
from dhatu_gateway.rate_limiting.leases import Callers, Leases
from dhatu_gateway.rate_limiting.rules import Rule, rules_of
from dhatu_gateway.rate_limiting.storage.holds import lease_s
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.shared.link import StorageUnavailableError

Watch = Callable[[str, str], None]
"""Called with operation and limit where a limit in shadow mode would have refused a call."""


_BOOT_S = time.time() - time.monotonic()


def steady_utc() -> float:
    """Seconds since 1970 that nobody sets back: the time of day at boot, and the monotonic clock since."""
    return _BOOT_S + time.monotonic()


def build_rate_limit(
    route: Route,
    storage: MemoryStorage | RedisStorage,
    watch: Watch,
    clock: Callable[[], float] = steady_utc,
) -> Stage | None:
    """Enforce the route's limits; None where it has none. `clock` tells the seconds since 1970.

    Raises `ValueError` at boot for a limit that cannot be counted.
    """
    try:
        rules = rules_of(route)
    except ValueError as error:
        raise ValueError(f"{route.operation}: {error}") from error
    if not rules:
        return None
    apply = Answers(route.operation, rules, watch)
    if isinstance(storage, RedisStorage):
        if route.holds:
            return build_shared_holding(rules, storage, lease_s(route.timeout_s), apply, clock)
        return _shared(rules, storage, apply, clock)
    if route.holds:
        return build_local_holding(rules, storage, apply, clock)
    if len(rules) == 1 and rules[0].plain:
        return _local_one(rules[0], storage, clock)
    return _local(rules, storage, apply, clock)


def _local_one(rule: Rule, storage: MemoryStorage, clock: Callable[[], float]) -> Stage:
    key, apply, take = key_of(rule.policy), OneAnswer(rule.policy), storage.limiter_of_one(rule)

    def limit_by_one(exchange: Exchange) -> None:
        apply(exchange, take(key(exchange) or "", int(clock() * 1_000_000)))

    return limit_by_one


def _local(
    rules: tuple[Rule, ...], storage: MemoryStorage, apply: Answers, clock: Callable[[], float]
) -> Stage:
    keys, take = tuple(key_of(rule.policy) for rule in rules), storage.limiter(rules)

    def limit_locally(exchange: Exchange) -> None:
        apply(exchange, take([key(exchange) for key in keys], int(clock() * 1_000_000)))

    return limit_locally


def _shared(
    rules: tuple[Rule, ...], storage: RedisStorage, apply: Answers, clock: Callable[[], float]
) -> Stage:
    keys, take = tuple(key_of(rule.policy) for rule in rules), storage.limiter(rules)
    alone, leases = Alone(rules, storage.local_share), Leases(rules)
    batch = leases.batch

    async def limit_together(exchange: Exchange, callers: Callers) -> None:
        asked_us = int(clock() * 1_000_000)
        try:
            taken, decisions = await take(callers, batch)
        except StorageUnavailableError as error:
            decisions = alone.take(callers, int(clock() * 1_000_000), error)
        else:
            if taken > 1:
                leases.put(callers, asked_us, taken - 1, decisions)
                decisions = leases.told(callers, decisions)
        apply(exchange, decisions)

    def start(exchange: Exchange) -> Awaitable[None] | None:
        callers = tuple([key(exchange) for key in keys])
        if batch > 1:
            decisions = leases.spend(callers, int(clock() * 1_000_000))
            if decisions is not None:
                apply(exchange, decisions)
                return None
        return limit_together(exchange, callers)

    return start
