"""Several endpoints, as the flow sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from .._flow.endpoints import EndpointProvider, Refresh
from .._wire import Endpoint, Source
from .pool import EndpointPool, Pick


class Balanced:
    """A pool, and where a provider finds its members out, the way to ask it again."""

    def __init__(
        self,
        pool: EndpointPool,
        members: Sequence[Endpoint] | EndpointProvider,
        *,
        now_s: Callable[[], float],
        keep: Callable[[Collection[str]], None],
    ) -> None:
        """`keep` is told the URLs that a provider has found, so that nothing is remembered of others."""
        self._pool = pool
        self._keep = keep
        self._refresh: Refresh | None = None
        if isinstance(members, Sequence):
            pool.update(members)
        else:
            self._refresh = Refresh(members, self._update, now_s)

    def _update(self, endpoints: Sequence[Endpoint]) -> None:
        self._pool.update(endpoints)
        self._keep(self._pool.urls())

    def source(self, now_s: float) -> Source | None:
        return self._refresh.due(now_s) if self._refresh else None

    def pick(self, *, avoid: Collection[str], admits: Callable[[str], bool]) -> Pick | None:
        return self._pool.pick(avoid=avoid, admits=admits)

    def settle(self, pick: Any, verdict: bool | None) -> None:
        self._pool.settle(pick, verdict)

    def urls(self) -> Collection[str]:
        return self._pool.urls()
