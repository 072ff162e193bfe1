"""What may answer in a service's stead, and in which order: composed per route at boot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dhatu_gateway.core.cache.memory import MemoryCache
from dhatu_gateway.core.cache.redis import RedisCache
from dhatu_gateway.core.cache.stage import ResponseCache, unversioned
from dhatu_gateway.core.cache.store import CacheStore
from dhatu_gateway.core.degradation.fallback import build_fallback
from dhatu_gateway.core.forward import Terminal
from dhatu_gateway.core.idempotency.memory import MemoryAnswers
from dhatu_gateway.core.idempotency.redis import RedisAnswers
from dhatu_gateway.core.idempotency.stage import build_idempotent
from dhatu_gateway.core.idempotency.store import AnswerStore
from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.shared.link import Link

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswers:
    """Where answers are kept that are given again."""

    by_key: AnswerStore
    """By idempotency key."""
    cache: CacheStore


def kept_answers(link: Link | None) -> KeptAnswers:
    """On the server that the processes share, or in the memory of this one."""
    if link is None:
        return KeptAnswers(by_key=MemoryAnswers(), cache=MemoryCache())
    return KeptAnswers(by_key=RedisAnswers(link), cache=RedisCache(link))


class Answering:
    """Wraps what answers a route in everything that may do so before it, or after it has failed."""

    def __init__(self, platform: Platform, routes: Iterable[Route], kept: KeptAnswers) -> None:
        self._prefix = platform.header_prefix
        self._kept = kept
        self._cache = ResponseCache(kept.cache, platform.header_prefix)
        self._cached = {unversioned(route) for route in routes if route.cache is not None}

    def forgets(self, route: Route) -> bool:
        """Whether a call changes what another route has kept."""
        return unversioned(route) in self._cached and route.method not in SAFE

    def wrap(self, route: Route, terminal: Terminal) -> Terminal:
        """From the nearest to the service to the farthest; the same where the route asks for none of it."""
        if route.websocket is not None:
            return terminal  # what it passes on is no answer that could be kept or replaced
        if self.forgets(route):
            terminal = self._cache.build_forgetting(route, terminal)
        terminal = self._cache.build(route, terminal)
        terminal = build_idempotent(route, terminal, self._kept.by_key)
        return build_fallback(route, terminal, self._prefix)
