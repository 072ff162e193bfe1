"""What a call is carried out with: itself, encoded, and the policies that all calls of a client share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .._call import Operation
from .._policies.breaker import Breakers
from .._policies.budget import RetryBudget
from .._policies.hedge import Hedger
from .._policies.pacing import Pacer
from .._policies.retry import RetryPolicy
from .._watch.watch import Headers, WatchCall
from .._wire import Request, Source
from .endpoints import Endpoints


class TokenSource(Source, Protocol):
    """Tokens that run out and are renewed."""

    def ready(self, now_s: float) -> str | None:
        """A token that needs no renewal now; None where one has to be fetched."""
        ...

    def refused(self, token: str) -> None:
        """The server did not take it; the next fetch renews it, unless somebody has."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, encoded."""

    operation: Operation[Any, Any]
    request: Request
    endpoints: Endpoints
    timeout_s: float
    """For everything: attempts, waits, and the answer unless it is streamed."""
    attempt_timeout_s: float | None
    """For each attempt; None: all the time that is left."""
    connect_timeout_s: float
    retry: RetryPolicy
    header_prefix: str
    keep_open: Callable[[int, str], bool]
    idle_s: float = 60.0
    """For each further event or piece of an answer that is kept open."""
    resume: bool = True
    """Whether an answer that breaks off may be asked for again."""
    strict: bool = False
    """Whether an answer may hold only what is described; nothing that the flow looks at."""
    tokens: TokenSource | None = None
    """What to authorise it with, where that has to be renewed; everything else is in the request."""

    def with_headers(self, headers: Headers) -> Call:
        """The same with further headers, which replace those of the same name."""
        merged = dict(self.request.headers) | dict(headers)
        return replace(self, request=replace(self.request, headers=tuple(merged.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What the calls of a client share; time and chance are given, never taken."""

    budget: RetryBudget
    breakers: Breakers
    pacer: Pacer | None
    hedger: Hedger | None
    watch: WatchCall
    now_s: Callable[[], float]
    """Monotonic."""
    wall_s: Callable[[], float]
    """Seconds since 1970, for Retry-After dates alone."""
    random: Callable[[], float]
    """From 0 to 1, exclusive."""
