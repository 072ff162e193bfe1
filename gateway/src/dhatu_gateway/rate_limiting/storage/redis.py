"""Buckets in Redis or Valkey, shared by every process that uses the same server."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TypeAlias, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from dhatu_gateway.rate_limiting.algorithms import BucketLimit, decide
from dhatu_gateway.rate_limiting.decision import Decision

TakeShared: TypeAlias = Callable[[str], Awaitable[Decision]]
"""Draws one token from a caller's bucket, on the server's clock; raises `StorageUnavailableError`."""

SCRIPT = files("dhatu_gateway.rate_limiting").joinpath("lua/token_bucket.lua").read_text(encoding="utf-8")
SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

PREFIX = "dhatu:limit:"
TIMEOUT_S = 0.25
PAUSE_S = 1.0
"""How long the server is left alone after a failure, so that a dead one does not delay every call."""


class StorageUnavailableError(Exception):
    """The server that keeps the limits cannot be asked."""


def connect(url: str, password: str | None = None) -> Redis:
    """A client that gives up quickly: a limit is not worth a slow request. Nothing is sent before the first
    use."""
    return Redis.from_url(  # pyright: ignore[reportUnknownMemberType]  # **kwargs has no type there
        url,
        password=password,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


class RedisStorage:
    """Makes limiters that ask one server; one script call per decision."""

    def __init__(
        self, client: Redis, *, prefix: str = PREFIX, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._ask_again_at_s = 0.0

    def limiter(self, name: str, limit: BucketLimit) -> TakeShared:
        """Buckets of one kind, made at boot for each route; `name` keeps those of different routes apart."""
        prefix = f"{self._prefix}{name}:"

        async def take(key: str) -> Decision:
            return await self.step(prefix + key, limit)

        return take

    async def step(
        self, key: str, limit: BucketLimit, *, cost: int = 1, now_us: int | None = None
    ) -> Decision:
        """Draw from the bucket under a whole key; a time may be given instead of the server's.

        Raises `StorageUnavailableError`, for `PAUSE_S` after a failure without asking the server.
        """
        now_s = self._clock()
        if now_s < self._ask_again_at_s:
            raise StorageUnavailableError("the server failed a moment ago and is left alone")
        arguments = (key, *map(str, limit), str(cost), "" if now_us is None else str(now_us))
        try:
            allowed, debt = await self._run(arguments)
        except (RedisError, OSError) as error:
            self._ask_again_at_s = self._clock() + PAUSE_S
            raise StorageUnavailableError(str(error)) from error
        return decide(debt, cost, limit, allowed == 1)

    async def _run(self, arguments: tuple[str, ...]) -> tuple[int, int]:
        try:
            answer = await cast(Awaitable[object], self._client.evalsha(SHA1, 1, *arguments))
        except NoScriptError:
            # A restarted server has forgotten the script; EVAL runs and remembers it in one trip.
            answer = await cast(Awaitable[object], self._client.eval(SCRIPT, 1, *arguments))
        return cast(tuple[int, int], answer)

    async def ping(self) -> None:
        """Prove that the server answers; raises `StorageUnavailableError`."""
        try:
            await cast(Awaitable[object], self._client.ping())  # pyright: ignore[reportUnknownMemberType]  # as above
        except (RedisError, OSError) as error:
            raise StorageUnavailableError(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
