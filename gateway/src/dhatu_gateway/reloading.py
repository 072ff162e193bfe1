"""One edge takes the place of another while requests come: all at once, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeAlias, TypeVar

from dhatu_gateway.core.discovery.key_values import OverridesView
from dhatu_gateway.core.discovery.registration import RegistrationView
from dhatu_gateway.core.edge import Edge
from dhatu_gateway.core.slices import Slices

_LOOK_S = 0.05


class Serving(Protocol):
    """An edge and all that it uses."""

    @property
    def edge(self) -> Edge: ...

    @property
    def in_flight(self) -> int:
        """Requests that have not ended on this edge."""
        ...

    async def release(self, others: Sequence[Self]) -> None:
        """Close what none of the others uses."""
        ...

    def pieces(self) -> list[object]:
        """The many things that it holds, which would take long to be freed all at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a reload."""

    problems: tuple[str, ...] = ()
    """Why everything stays as it is; none where it has changed."""
    digest: str = ""
    """Of the table that is served now."""
    routes: int = 0


Reload: TypeAlias = Callable[[str], Awaitable[Outcome]]
"""Reads everything again and lets it take over, in all processes; told who asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What one process asks of all processes of its gateway."""

    reload: Reload
    workers: Callable[[], Awaitable[Sequence[int]]]
    """The ids of those that serve."""
    registration: Callable[[], Awaitable[RegistrationView]]
    """How the gateway's own entry in Consul is doing."""
    overrides: Callable[[], Awaitable[OverridesView]]
    """Which overrides are in force."""


S = TypeVar("S", bound=Serving)


class Reloads(Generic[S]):
    """Holds what serves, and what shall."""

    def __init__(self, serving: S, grace_s: float) -> None:
        """Requests on an edge that is replaced have `grace_s` to end before what only they use is closed."""
        self.serving = serving
        self._grace_s = grace_s
        self._prepared: S | None = None
        self._in_use = [serving]
        """What serves, and what some request is still under way on."""
        self._retiring: set[asyncio.Task[None]] = set()

    async def prepare(self, build: Callable[[S], Awaitable[S]]) -> S:
        """Build what may take over from what serves; raises what `build` raises."""
        await self.abandon()
        self._prepared = await build(self.serving)
        return self._prepared

    def commit(self) -> None:
        """Let it take over: the next request is its first."""
        if self._prepared is None:
            return
        former, self.serving, self._prepared = self.serving, self._prepared, None
        self._in_use.append(self.serving)
        task = asyncio.get_running_loop().create_task(self._retire(former))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def abandon(self) -> None:
        """Give up what has been prepared."""
        if self._prepared is not None:
            prepared, self._prepared = self._prepared, None
            await prepared.release(self._in_use)

    async def close(self) -> None:
        """Close everything."""
        await self.abandon()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        self._in_use.remove(self.serving)
        await self.serving.release(())

    async def _retire(self, former: S) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._grace_s
        try:
            # An event would have to be set by each request, for this one moment.
            while former.in_flight and loop.time() < until_s:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
        finally:
            self._in_use.remove(former)
            await former.release(self._in_use)
        pieces, slices = former.pieces(), Slices()
        del former
        while pieces:
            pieces.pop()
            await slices.step()
