"""Which endpoint an attempt goes to: the only one there is, or one that a balancer picks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from .._wire import AsyncTransport, Endpoint, Source, Transport


class Pick(Protocol):
    """One attempt's hold on an endpoint."""

    @property
    def endpoint(self) -> Endpoint: ...


class Endpoints(Protocol):
    """The endpoints that serve an operation."""

    def source(self, now_s: float) -> Source | None:
        """What has to be fetched before one can be picked; None where nothing has."""
        ...

    def pick(self, *, avoid: Collection[str], admits: Callable[[str], bool]) -> Any | None:
        """An endpoint (a `Pick`), to be settled once; None where none is admitted.

        `avoid` are those that this call has tried, used again only if there is no other; `admits` tells by
        URL whether the breakers let a call through.
        """
        ...

    def settle(self, pick: Any, verdict: bool | None) -> None:
        """Whether the endpoint did its part; None where the end says nothing of it."""
        ...

    def urls(self) -> Collection[str]: ...


class SingleEndpoint:
    """The usual case: one base URL."""

    __slots__ = ("endpoint",)

    def __init__(self, url: str) -> None:
        self.endpoint = Endpoint(url)

    def source(self, now_s: float) -> Source | None:
        return None

    def pick(self, *, avoid: Collection[str], admits: Callable[[str], bool]) -> SingleEndpoint:
        return self  # whether the breaker admits it is asked next anyway

    def settle(self, pick: Any, verdict: bool | None) -> None: ...

    def urls(self) -> Collection[str]:
        return (self.endpoint.url,)


class EndpointProvider(Protocol):
    """Finds out where the API is served, again and again. Raises `DhatuError` where it cannot."""

    @property
    def refresh_s(self) -> float:
        """Seconds for which an answer is good, above 0."""
        ...

    def endpoints(self, transport: Transport) -> Sequence[Endpoint]: ...

    async def aendpoints(self, transport: AsyncTransport) -> Sequence[Endpoint]: ...


class Refresh:
    """Asks a provider when its last answer has grown old: one caller does, the others use what is known.

    A provider that fails is asked again after a tenth of its time; its last answer holds until then, and only
    where there is none yet does its error reach the caller.
    """

    def __init__(
        self,
        provider: EndpointProvider,
        update: Callable[[Sequence[Endpoint]], None],
        now_s: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._update = update
        self._now_s = now_s
        self._lock = threading.Lock()
        self._due_s = float("-inf")
        self._known = False

    def due(self, now_s: float) -> Source | None:
        """Itself, for the one caller that is to ask; for every caller until there is a first answer."""
        if now_s < self._due_s:
            return None
        with self._lock:
            if now_s < self._due_s:
                return None
            if self._known:
                self._due_s = now_s + self._provider.refresh_s
            return self

    def fetch(self, transport: Transport, time_left_s: float) -> None:
        try:
            found = self._provider.endpoints(transport)
        except Exception:
            if not self._known:
                raise
            self._failed()
        else:
            self._found(found)

    async def afetch(self, transport: AsyncTransport) -> None:
        try:
            found = await self._provider.aendpoints(transport)
        except Exception:
            if not self._known:
                raise
            self._failed()
        else:
            self._found(found)

    def _found(self, endpoints: Sequence[Endpoint]) -> None:
        self._update(endpoints)
        self._known = True
        self._due_s = self._now_s() + self._provider.refresh_s

    def _failed(self) -> None:
        self._due_s = self._now_s() + self._provider.refresh_s / 10
