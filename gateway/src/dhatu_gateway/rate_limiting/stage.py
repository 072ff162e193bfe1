"""The stage that refuses callers who call too often, and tells everybody how much is left."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from math import ceil

from dhatu_gateway.core.exchange import Exchange, Header, Stage
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import RateLimit, Route
from dhatu_gateway.rate_limiting.algorithms import bucket_limit
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.rate_limiting.storage.redis import RedisStorage, StorageUnavailableError

MAX_PREPARED_HEADERS = 4096


def build_rate_limit(
    route: Route, storage: MemoryStorage | RedisStorage, clock: Callable[[], float] = time.monotonic
) -> Stage | None:
    """Enforce the route's limit; None where it has none. `clock` is monotonic, in seconds.

    Each route has its own buckets. Raises `ValueError` at boot for a limit that cannot be counted.
    """
    if route.rate_limit is None:
        return None
    if isinstance(storage, MemoryStorage):
        return _local(route.rate_limit, storage, clock)
    return _shared(route.operation, route.rate_limit, storage, clock)


def _local(limit: RateLimit, storage: MemoryStorage, clock: Callable[[], float]) -> Stage:
    key_of, apply = _key_of(limit), _Application(limit)
    take = storage.limiter(bucket_limit(limit))

    def limit_locally(exchange: Exchange) -> None:
        apply(exchange, take(key_of(exchange), int(clock() * 1_000_000)))

    return limit_locally


def _shared(operation: str, limit: RateLimit, storage: RedisStorage, clock: Callable[[], float]) -> Stage:
    key_of, apply = _key_of(limit), _Application(limit)
    take = storage.limiter(operation, bucket_limit(limit))
    # While the server is out, each process allows the whole limit: sharing it needs the server.
    take_locally = MemoryStorage().limiter(bucket_limit(limit))

    async def limit_together(exchange: Exchange) -> None:
        try:
            decision = await take(key_of(exchange))
        except StorageUnavailableError as error:
            if limit.on_store_failure == "open":
                return
            if limit.on_store_failure == "closed":
                detail = "Limits cannot be checked at the moment; try again."
                raise ProblemError("unavailable", detail, headers=[(b"retry-after", b"1")]) from error
            decision = take_locally(key_of(exchange), int(clock() * 1_000_000))
        apply(exchange, decision)

    def start(exchange: Exchange) -> Awaitable[None]:
        return limit_together(exchange)

    return start


def _key_of(limit: RateLimit) -> Callable[[Exchange], str]:
    if limit.by == "operation":
        return lambda exchange: ""
    if limit.by == "address":
        return lambda exchange: exchange.client_network

    def principal(exchange: Exchange) -> str:
        # The ids of principals hold a prefix (`user:`), so that they cannot meet an address.
        return exchange.principal.id if exchange.principal is not None else exchange.client_network

    return principal


class _Application:
    """Writes `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) and refuses."""

    def __init__(self, limit: RateLimit) -> None:
        policy = f'"default";q={limit.limit};w={ceil(limit.window_s)}'
        self._policy: Header = (b"ratelimit-policy", policy.encode("ascii"))
        self._prepared: dict[tuple[int, int], Header] = {}
        self._rule = f"{limit.limit} calls per {limit.window_s:g} s are allowed"

    def __call__(self, exchange: Exchange, decision: Decision) -> None:
        state = decision[1:3]
        header = self._prepared.get(state)
        if header is None:
            header = (b"ratelimit", b'"default";r=%d;t=%d' % state)
            if len(self._prepared) < MAX_PREPARED_HEADERS:
                self._prepared[state] = header
        exchange.response_headers.append(self._policy)
        exchange.response_headers.append(header)
        if not decision.allowed:
            wait_s = decision.retry_after_s
            raise ProblemError(
                "too-many-requests",
                f"{self._rule}; try again in {wait_s} s.",
                headers=[(b"retry-after", b"%d" % wait_s)],
            )
