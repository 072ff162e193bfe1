"""What callers have left, in Redis or Valkey, shared by every process that uses the same server."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import TypeAlias, cast

from dhatu_gateway.rate_limiting.algorithms import ALGORITHMS
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.rules import Rule
from dhatu_gateway.rate_limiting.slots import Slots
from dhatu_gateway.rate_limiting.storage.holds import Hold, Holds, Place
from dhatu_gateway.shared.link import Link, StorageUnavailableError, checked
from dhatu_gateway.shared.wire import RedisReplyError, bulk, encode

TakeShared: TypeAlias = Callable[
    [Sequence[str | None], int], Awaitable[tuple[int, Sequence[Decision | None]]]
]
"""Charges so many calls of a caller to several limits at once, on the server's clock.

Returns how many were charged (one where all are too many, none where that is too much), and what each limit
says; one whose key is None does not count the calls, and says nothing. Raises `StorageUnavailableError`.
"""

TakeHeld: TypeAlias = Callable[
    [Sequence[str | None], list[Callable[[], None]]], Awaitable[Sequence[Decision | None]]
]
"""Charges a call that holds slots; what gives them back is added to the list before anything is asked."""

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
_NO_HOLDER = bulk("") + bulk("")


class RedisStorage:
    """Makes limiters that ask one server; one script call decides all limits of a call."""

    def __init__(self, link: Link, *, prefix: str = PREFIX, local_share: float = 1.0) -> None:
        """`local_share` is the part of each limit that this process allows while the server is out."""
        self.local_share = local_share
        self._link = link
        self.holds = Holds(link)
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
            taken, decisions = await self._run(places, (b"", b"%d" % calls), _NO_HOLDER, told)
            made = iter(decisions)
            return taken, [None if key is None else next(made) for key in keys]

        return take_shared

    def holder(self, rules: Sequence[Rule], lease_s: float) -> TakeHeld:
        """All limits of a route that has slots to hold; made at boot.

        A slot ends after `lease_s`, unless this process gives it back before or is there to put it off.
        """
        prefixes = [self._key_prefix(rule).encode() for rule in rules]
        arguments = [b"".join(map(bulk, arguments_of(rule))) for rule in rules]
        slots = Slots(rules)
        costs = [rule.cost if at in slots.at else 0 for at, rule in enumerate(rules)]

        async def take_held(
            callers: Sequence[str | None], on_end: list[Callable[[], None]]
        ) -> Sequence[Decision | None]:
            if not self._link.is_closed:
                raise StorageUnavailableError("there is no connection to the server of the limits")
            wanted: dict[int, Place] = {}
            asked: list[bytes] = []
            told: list[bytes] = []
            for at, caller in enumerate(callers):
                if caller is not None:
                    key = prefixes[at] + caller.encode()
                    asked.append(bulk(key))
                    told.append(arguments[at])
                    if costs[at]:
                        wanted[at] = Place(key, costs[at])
            if not told:
                return [None] * len(callers)
            hold = self.holds.begin(tuple(wanted.values()), lease_s)
            # Before it is asked: who is cancelled meanwhile, or gets no reply, may hold them all the same.
            on_end.append(hold.end)
            _, decided = await self._run(asked, (b"", b"1"), hold.encoded, told)
            made = iter(decided)
            decisions = [None if caller is None else next(made) for caller in callers]
            hold.keep([wanted[at] for at in slots.held(decisions)])
            return decisions

        return take_held

    async def run_at(
        self,
        now_us: int,
        keys: Sequence[str],
        rules: Sequence[Rule],
        calls: int = 1,
        hold: Hold | None = None,
    ) -> tuple[int, Sequence[Decision]]:
        """Run the script on whole keys, with a time instead of the server's."""
        told = [b"".join(map(bulk, arguments_of(rule))) for rule in rules]
        holder = _NO_HOLDER if hold is None else hold.encoded
        return await self._run([bulk(key) for key in keys], (b"%d" % now_us, b"%d" % calls), holder, told)

    async def _run(
        self, keys: list[bytes], first: tuple[bytes, bytes], holder: bytes, told: list[bytes]
    ) -> tuple[int, list[Decision]]:
        """Run the script on what is encoded; `first` is the time and how many calls to take."""
        # The script, how many keys, the keys, four, and seven for each rule: EVALSHA and EVAL alike.
        head = b"*%d\r\n" % (7 + len(keys) * (1 + FIGURES))
        tail = b"".join((bulk(len(keys)), *keys, *map(bulk, first), holder, *told))
        answer = await self._link.ask(head + _BY_DIGEST + tail)
        if isinstance(answer, RedisReplyError) and str(answer).startswith("NOSCRIPT"):
            # A restarted server has forgotten the script; EVAL runs and remembers it in one trip.
            answer = await self._link.ask(head + _BY_TEXT + tail)
        taken, *figures = cast(list[int], checked(answer))
        return taken, [Decision(*figures[at : at + 3]) for at in range(0, len(figures), 3)]

    def _key_prefix(self, rule: Rule) -> str:
        """Redis Cluster places a key by what stands in the first braces, else by the whole of it."""
        return f"{self.prefix}{{{rule.tag}}}:{rule.space}:" if rule.tag else f"{self.prefix}{rule.space}:"

    async def ping(self) -> None:
        """Prove that the server answers; raises `StorageUnavailableError`."""
        checked(await self._link.ask(encode("PING")))

    async def close(self) -> None:
        """Give back what is held, and close the connection."""
        await self.holds.close()
        await self._link.close()


def arguments_of(rule: Rule) -> tuple[str | int, ...]:
    """What the script is told of a rule, in its order."""
    algorithm = rule.algorithm
    flags = int(rule.watched), int(rule.charge_refused)
    return algorithm.name, *flags, rule.cost, *algorithm.figures
