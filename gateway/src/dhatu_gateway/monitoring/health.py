"""Whether the gateway, its stores and the services behind it work.

Anybody may ask, so asking is cheap: a result is kept for a moment, callers who come meanwhile share one round
of checks, and no check takes longer than its timeout.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dhatu_gateway.core.discovery.source import Kind
from dhatu_gateway.core.upstream.discovery import Endpoint

Status: TypeAlias = Literal["ok", "degraded", "failed", "unknown"]

TIMEOUT_S = 1.0
FRESH_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that can be asked how it is doing."""

    name: str
    run: Callable[[], Awaitable[Status]]
    """An exception or a timeout counts as failed."""
    essential: bool
    """True where the gateway itself is of no use without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one round of checks."""

    status: Status
    ready: bool
    """True where everything essential works."""
    checks: tuple[tuple[str, Status], ...]
    """Sorted by name."""
    failed_essentials: tuple[str, ...] = ()


class Health:
    """Runs the checks, together and not too often."""

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        timeout_s: float = TIMEOUT_S,
        fresh_s: float = FRESH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = sorted(checks, key=lambda check: check.name)
        self._timeout_s = timeout_s
        self._fresh_s = fresh_s
        self._clock = clock
        self._last: tuple[float, Report] | None = None
        self._turn = asyncio.Lock()

    async def report(self) -> Report:
        """How everything is doing, at most `fresh_s` ago."""
        async with self._turn:
            now_s = self._clock()
            if self._last is None or now_s - self._last[0] >= self._fresh_s:
                statuses = await asyncio.gather(*map(self._run, self._checks))
                self._last = (now_s, _summary(self._checks, statuses))
            return self._last[1]

    async def _run(self, check: Check) -> Status:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await check.run()
        except Exception:  # any failure of a check is its result
            return "failed"


def _summary(checks: Sequence[Check], statuses: Sequence[Status]) -> Report:
    pairs = list(zip(checks, statuses, strict=True))
    broken = tuple(check.name for check, status in pairs if check.essential and status == "failed")
    healthy = all(status in ("ok", "unknown") for status in statuses)
    return Report(
        status="failed" if broken else "ok" if healthy else "degraded",
        ready=not broken,
        checks=tuple((check.name, status) for check, status in pairs),
        failed_essentials=broken,
    )


def store_check(name: str, ping: Callable[[], Awaitable[None]], *, essential: bool) -> Check:
    """A check of something that raises where it does not answer."""

    async def run() -> Status:
        await ping()
        return "ok"

    return Check(name=name, run=run, essential=essential)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """What monitoring knows about one endpoint of a service."""

    endpoint: Endpoint
    in_flight: int = 0
    """Requests of this process that it is working on."""
    well: bool = True
    """Whether requests are sent to it, as far as checks and its answers say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """Who says where a service is, and how it is doing."""

    kind: Kind
    good_at_s: float | None
    """When it last said something that could be believed, on the wall clock."""
    failures: int
    error: str
    restored: bool = False
    """Whether the endpoints are those of before the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """What monitoring knows about a service behind the gateway."""

    name: str
    endpoints: Callable[[], Sequence[EndpointView]]
    source: Callable[[], SourceView]


async def endpoint_status(view: EndpointView) -> Status:
    """Failed as well where somebody listens, but the gateway sends it nothing."""
    return await reach(view.endpoint) if view.well else "failed"


def service_check(service: ServiceView) -> Check:
    """A check that somebody listens at each endpoint; `degraded` where only some do.

    It connects and sends nothing: what a service answers to which path is for the service to say.
    """

    async def run() -> Status:
        return combined(await asyncio.gather(*map(endpoint_status, service.endpoints())))

    return Check(name=service.name, run=run, essential=False)


async def reach(endpoint: Endpoint) -> Status:
    """Connect to an endpoint and hang up."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    except (OSError, TimeoutError):
        return "failed"
    writer.close()
    return "ok"


def combined(statuses: Sequence[Status]) -> Status:
    """One word for several of the same kind."""
    if not statuses:
        return "unknown"
    if all(status == statuses[0] for status in statuses):
        return statuses[0]
    return "degraded"
