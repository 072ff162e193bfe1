"""What callers have left, in Redis or Valkey, shared by every process that uses the same server."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import TypeAlias, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from dhatu_gateway.rate_limiting.algorithms import ALGORITHMS
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.rules import Rule

TakeShared: TypeAlias = Callable[[Sequence[str | None]], Awaitable[Sequence[Decision | None]]]
"""Charges a call to several limits at once, on the server's clock; raises `StorageUnavailableError`.

Those whose key is None do not count the call, and decide nothing.
"""

PREFIX = "dhatu:limit:"
TIMEOUT_S = 0.25
PAUSE_S = 1.0
"""How long the server is left alone after a failure, so that a dead one does not delay every call."""


def _script() -> str:
    """One script of all algorithms: each in its own file, then what takes them together."""
    folder = files("dhatu_gateway.rate_limiting").joinpath("lua")
    names = ("whole", *ALGORITHMS, "limits")
    return "\n".join(folder.joinpath(f"{name}.lua").read_text(encoding="utf-8") for name in names)


SCRIPT = _script()
SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


class StorageUnavailableError(Exception):
    """The server that keeps the limits cannot be asked."""


def connect(url: str, password: str | None = None, *, timeout_s: float = TIMEOUT_S) -> Redis:
    """A client that gives up quickly: a limit is not worth a slow request. Nothing is sent before the first
    use."""
    return Redis.from_url(  # pyright: ignore[reportUnknownMemberType]  # **kwargs has no type there
        url,
        password=password,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
    )


class RedisStorage:
    """Makes limiters that ask one server; one script call decides all limits of a call."""

    def __init__(
        self, client: Redis, *, prefix: str = PREFIX, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self.prefix = prefix
        self._clock = clock
        self._ask_again_at_s = 0.0

    def limiter(self, rules: Sequence[Rule]) -> TakeShared:
        """All limits of a route; made at boot."""
        prefixes = [self._key_prefix(rule) for rule in rules]
        arguments = [arguments_of(rule) for rule in rules]

        async def take_shared(keys: Sequence[str | None]) -> Sequence[Decision | None]:
            places: list[str] = []
            told: list[str | int] = []
            for key, prefix, argument in zip(keys, prefixes, arguments, strict=True):
                if key is not None:
                    places.append(prefix + key)
                    told += argument
            made = iter(await self.run(places, told) if places else ())
            return [None if key is None else next(made) for key in keys]

        return take_shared

    async def run(
        self, keys: Sequence[str], arguments: Sequence[str | int], *, now_us: int | None = None
    ) -> Sequence[Decision]:
        """Run the script on whole keys; a time may be given instead of the server's.

        Raises `StorageUnavailableError`, for `PAUSE_S` after a failure without asking the server.
        """
        if self._clock() < self._ask_again_at_s:
            raise StorageUnavailableError("the server failed a moment ago and is left alone")
        told = (*keys, "" if now_us is None else str(now_us), *arguments)
        try:
            answer = await self._run(len(keys), told)
        except (RedisError, OSError) as error:
            self._ask_again_at_s = self._clock() + PAUSE_S
            raise StorageUnavailableError(str(error)) from error
        return [Decision(*answer[at : at + 3]) for at in range(0, len(answer), 3)]

    async def _run(self, keys: int, told: tuple[str | int, ...]) -> list[int]:
        try:
            answer = await cast(Awaitable[object], self._client.evalsha(SHA1, keys, *told))
        except NoScriptError:
            # A restarted server has forgotten the script; EVAL runs and remembers it in one trip.
            answer = await cast(Awaitable[object], self._client.eval(SCRIPT, keys, *told))
        return cast(list[int], answer)

    def _key_prefix(self, rule: Rule) -> str:
        """Redis Cluster places a key by what stands in the first braces, else by the whole of it."""
        return f"{self.prefix}{{{rule.tag}}}:{rule.space}:" if rule.tag else f"{self.prefix}{rule.space}:"

    async def ping(self) -> None:
        """Prove that the server answers; raises `StorageUnavailableError`."""
        try:
            await cast(Awaitable[object], self._client.ping())  # pyright: ignore[reportUnknownMemberType]  # as above
        except (RedisError, OSError) as error:
            raise StorageUnavailableError(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def arguments_of(rule: Rule) -> tuple[str | int, ...]:
    """What the script is told of a rule, in its order."""
    algorithm = rule.algorithm
    flags = int(rule.watched), int(rule.charge_refused)
    return algorithm.name, *flags, rule.cost, *algorithm.figures
