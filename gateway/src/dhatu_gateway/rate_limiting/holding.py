"""The stage of a route that also limits how many calls are under way at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.rate_limiting.alone import Alone
from dhatu_gateway.rate_limiting.answers import Answers
from dhatu_gateway.rate_limiting.keys import key_of
from dhatu_gateway.rate_limiting.leases import Callers
from dhatu_gateway.rate_limiting.rules import Rule
from dhatu_gateway.rate_limiting.slots import LocalHolds
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.shared.link import StorageUnavailableError


def build_local_holding(
    rules: tuple[Rule, ...], storage: MemoryStorage, apply: Answers, clock: Callable[[], float]
) -> Stage:
    """Count in the memory of this process."""
    keys, take = tuple(key_of(rule.policy) for rule in rules), storage.limiter(rules)
    holds = LocalHolds(rules, storage)

    def hold_locally(exchange: Exchange) -> None:
        callers = [key(exchange) for key in keys]
        decisions = take(callers, int(clock() * 1_000_000))
        holds.note(exchange, callers, decisions)
        apply(exchange, decisions)

    return hold_locally


def build_shared_holding(
    rules: tuple[Rule, ...],
    storage: RedisStorage,
    lease_s: float,
    apply: Answers,
    clock: Callable[[], float],
) -> Stage:
    """Count in the shared store, or without it as the limits say; nobody waits for what is given back."""
    keys, take = tuple(key_of(rule.policy) for rule in rules), storage.holder(rules, lease_s)
    alone = Alone(rules, storage.local_share)

    async def hold_together(exchange: Exchange, callers: Callers) -> None:
        try:
            decisions = await take(callers, exchange.on_end)
        except StorageUnavailableError as error:
            decisions = alone.hold(exchange, callers, int(clock() * 1_000_000), error)
        apply(exchange, decisions)

    def start(exchange: Exchange) -> Awaitable[None]:
        return hold_together(exchange, tuple([key(exchange) for key in keys]))

    return start
