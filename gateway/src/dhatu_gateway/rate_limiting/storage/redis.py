"""What callers have left, in Redis or Valkey, shared by every process that uses the same server."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import TypeAlias, cast

from dhatu_gateway.rate_limiting.algorithms import ALGORITHMS
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.rules import Rule
from dhatu_gateway.shared.link import Link, StorageUnavailableError
from dhatu_gateway.shared.wire import RedisReplyError, Reply, bulk, encode

TakeShared: TypeAlias = Callable[
    [Sequence[str | None], int], Awaitable[tuple[int, Sequence[Decision | None]]]
]
"""Charges so many calls of a caller to several limits at once, on the server's clock.

Returns how many were charged (one where all are too many, none where that is too much), and what each limit
says; one whose key is None does not count the calls, and says nothing. Raises `StorageUnavailableError`.
"""

PREFIX = "dhatu:limit:"


def _script() -> str:
    """One script of all algorithms: each in its own file, then what takes them together."""
    folder = files("dhatu_gateway.rate_limiting").joinpath("lua")
    names = ("whole", *ALGORITHMS, "limits")
    return "\n".join(folder.joinpath(f"{name}.lua").read_text(encoding="utf-8") for name in names)


SCRIPT = _script()
SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

_BY_DIGEST = bulk("EVALSHA") + bulk(SHA1)
_BY_TEXT = bulk("EVAL") + bulk(SCRIPT)
FIGURES = 7
"""What the script is told of each rule."""


class RedisStorage:
    """Makes limiters that ask one server; one script call decides all limits of a call."""

    def __init__(self, link: Link, *, prefix: str = PREFIX, local_share: float = 1.0) -> None:
        """`local_share` is the part of each limit that this process allows while the server is out."""
        self.local_share = local_share
        self._link = link
        self.prefix = prefix

    async def open(self) -> None:
        """Connect; a server that is out is no error, limits do without it until it is there."""
        await self._link.open()

    def limiter(self, rules: Sequence[Rule]) -> TakeShared:
        """All limits of a route; made at boot."""
        prefixes = [self._key_prefix(rule).encode() for rule in rules]
        arguments = [b"".join(map(bulk, arguments_of(rule))) for rule in rules]

        async def take_shared(
            keys: Sequence[str | None], calls: int
        ) -> tuple[int, Sequence[Decision | None]]:
            places: list[bytes] = []
            told: list[bytes] = []
            for key, prefix, argument in zip(keys, prefixes, arguments, strict=True):
                if key is not None:
                    places.append(bulk(prefix + key.encode()))
                    told.append(argument)
            if not places:
                return calls, [None] * len(keys)
            taken, decisions = await self._run(places, (b"", b"%d" % calls), told)
            made = iter(decisions)
            return taken, [None if key is None else next(made) for key in keys]

        return take_shared

    async def run_at(
        self, now_us: int, keys: Sequence[str], rules: Sequence[Rule], calls: int = 1
    ) -> tuple[int, Sequence[Decision]]:
        """Run the script on whole keys, with a time instead of the server's."""
        told = [b"".join(map(bulk, arguments_of(rule))) for rule in rules]
        return await self._run([bulk(key) for key in keys], (b"%d" % now_us, b"%d" % calls), told)

    async def _run(
        self, keys: list[bytes], first: tuple[bytes, bytes], told: list[bytes]
    ) -> tuple[int, list[Decision]]:
        """Run the script on encoded keys and rules; `first` is the time and how many calls to take."""
        # The script, how many keys, the keys, two, and seven for each rule: EVALSHA and EVAL alike.
        head = b"*%d\r\n" % (5 + len(keys) * (1 + FIGURES))
        tail = b"".join((bulk(len(keys)), *keys, *map(bulk, first), *told))
        answer = await self._link.ask(head + _BY_DIGEST + tail)
        if isinstance(answer, RedisReplyError) and str(answer).startswith("NOSCRIPT"):
            # A restarted server has forgotten the script; EVAL runs and remembers it in one trip.
            answer = await self._link.ask(head + _BY_TEXT + tail)
        taken, *figures = cast(list[int], _checked(answer))
        return taken, [Decision(*figures[at : at + 3]) for at in range(0, len(figures), 3)]

    def _key_prefix(self, rule: Rule) -> str:
        """Redis Cluster places a key by what stands in the first braces, else by the whole of it."""
        return f"{self.prefix}{{{rule.tag}}}:{rule.space}:" if rule.tag else f"{self.prefix}{rule.space}:"

    async def ping(self) -> None:
        """Prove that the server answers; raises `StorageUnavailableError`."""
        _checked(await self._link.ask(encode("PING")))

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


def _checked(reply: Reply) -> Reply:
    if isinstance(reply, RedisReplyError):
        raise StorageUnavailableError(str(reply)) from reply
    return reply


def arguments_of(rule: Rule) -> tuple[str | int, ...]:
    """What the script is told of a rule, in its order."""
    algorithm = rule.algorithm
    flags = int(rule.watched), int(rule.charge_refused)
    return algorithm.name, *flags, rule.cost, *algorithm.figures
