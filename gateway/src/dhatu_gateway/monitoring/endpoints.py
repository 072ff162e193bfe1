"""The operations that tell how the gateway is doing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from fastapi import APIRouter, Request, Response

from dhatu_gateway.core.discovery.drift import Drift
from dhatu_gateway.core.discovery.key_values import OverridesView
from dhatu_gateway.core.discovery.registration import RegistrationView
from dhatu_gateway.core.discovery.report import NewService
from dhatu_gateway.core.exchange import SCOPE_KEY, Exchange
from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.generated import models
from dhatu_gateway.monitoring.health import (
    EndpointView,
    Health,
    Report,
    ServiceView,
    SourceView,
    Status,
    combined,
    endpoint_status,
)
from dhatu_gateway.monitoring.metrics import CONTENT_TYPE, Metrics


async def _alone() -> Sequence[int]:
    return (os.getpid(),)


async def _unregistered() -> RegistrationView:
    return RegistrationView()


async def _as_specified() -> OverridesView:
    return OverridesView()


class Reloaded(Protocol):
    """What became of a reload."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Why everything stays as it is; none where it has changed."""
        ...

    @property
    def digest(self) -> str: ...

    @property
    def routes(self) -> int: ...


class DiscoveryView(Protocol):
    """How services differ from the specification, and which have appeared."""

    async def drift(self, service: str) -> Drift: ...

    async def new_services(self) -> Sequence[NewService]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What the operations report on."""

    title: str
    version: str
    routes: int
    services: Sequence[ServiceView]
    health: Health
    discovery: DiscoveryView
    metrics: Metrics | None
    """None where the operator has turned metrics off."""
    table: str = "built-in"
    """Tells one table of routes from another."""
    mocked: Sequence[str] = ()
    """Operations that are answered with examples."""
    workers: Callable[[], Awaitable[Sequence[int]]] = _alone
    """The ids of all processes that serve."""
    reload: Callable[[str], Awaitable[Reloaded]] | None = None
    """Told who asks for it."""
    registration: Callable[[], Awaitable[RegistrationView]] = _unregistered
    """How the gateway's own entry in Consul is doing."""
    overrides: Callable[[], Awaitable[OverridesView]] = _as_specified
    """What is changed about the specification at run time."""
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    started_at_s: float = field(default_factory=time.monotonic)
    """On `clock`."""


@dataclass(slots=True)
class Shown:
    """What the operations report on at the moment."""

    now: Monitoring


def monitoring_router(shown: Shown) -> APIRouter:
    """Handlers of the operations tagged `system`, the public keys excepted."""
    router = APIRouter()

    @router.get("/api/v1/health")
    async def health() -> models.HealthReport:
        monitoring = shown.now
        return _health_report(monitoring, await monitoring.health.report())

    @router.get("/api/v1/health/live")
    async def live() -> models.Liveness:
        return models.Liveness(status="ok")

    @router.get("/api/v1/health/ready")
    async def ready() -> models.HealthReport:
        monitoring = shown.now
        if monitoring.lifecycle.draining:
            raise ProblemError("unavailable", "The gateway is about to end; send requests elsewhere.")
        report = await monitoring.health.report()
        if not report.ready:
            failed = ", ".join(report.failed_essentials)
            raise ProblemError("unavailable", f"The gateway cannot take requests; failed: {failed}.")
        return _health_report(monitoring, report)

    @router.get("/api/v1/metrics", response_class=Response)
    async def metrics() -> Response:
        figures = shown.now.metrics
        if figures is None:
            raise ProblemError(
                "not-found", "Metrics are turned off; set PROMETHEUS_ENABLED=1 to turn them on."
            )
        return Response(figures.exposition(), media_type=CONTENT_TYPE)

    @router.post("/api/v1/admin/reload")
    async def reload(request: Request) -> models.Reloaded:
        return await _reload(shown.now, request)

    @router.get("/api/v1/status")
    async def status() -> models.GatewayStatus:
        return await _status(shown.now)

    return router


async def _reload(monitoring: Monitoring, request: Request) -> models.Reloaded:
    exchange: Exchange = request.scope[SCOPE_KEY]
    if monitoring.reload is None:
        raise ProblemError("conflict", "This gateway reads nothing anew.")
    caller = exchange.principal.id if exchange.principal is not None else "nobody"
    outcome = await monitoring.reload(caller)
    if outcome.problems:
        raise ProblemError("conflict", "\n".join(("Nothing has changed.", *outcome.problems)))
    return models.Reloaded(table=outcome.digest, routes=outcome.routes)


def _health_report(monitoring: Monitoring, report: Report) -> models.HealthReport:
    return models.HealthReport(
        status=models.CheckStatus(report.status),
        version=monitoring.version,
        checks=[
            models.HealthCheck(name=name, status=models.CheckStatus(status)) for name, status in report.checks
        ],
    )


async def _status(monitoring: Monitoring) -> models.GatewayStatus:
    uptime_s = monitoring.clock() - monitoring.started_at_s
    services = sorted(monitoring.services, key=lambda service: service.name)
    shown = asyncio.gather(*(_service(monitoring, service) for service in services))
    return models.GatewayStatus(
        title=monitoring.title,
        version=monitoring.version,
        started_at=datetime.fromtimestamp(monitoring.wall_clock() - uptime_s, UTC),
        uptime_s=round(uptime_s, 3),
        process_id=os.getpid(),
        routes=monitoring.routes,
        table=monitoring.table,
        workers=[models.Worker(pid) for pid in await monitoring.workers()],
        registration=_registration(await monitoring.registration()),
        overrides=_overrides(await monitoring.overrides()),
        mocked=list(monitoring.mocked),
        services=await shown,
        new_services=[_new_service(service) for service in await monitoring.discovery.new_services()],
    )


async def _service(monitoring: Monitoring, service: ServiceView) -> models.UpstreamService:
    views = service.endpoints()
    statuses, drift = await asyncio.gather(
        asyncio.gather(*map(endpoint_status, views)), monitoring.discovery.drift(service.name)
    )
    return models.UpstreamService(
        name=service.name,
        status=models.CheckStatus(combined(statuses)),
        discovery=_source(service.source(), monitoring.wall_clock()),
        endpoints=[_endpoint(view, status) for view, status in zip(views, statuses, strict=True)],
        drift=_drift(drift),
    )


def _endpoint(view: EndpointView, status: Status) -> models.UpstreamEndpoint:
    return models.UpstreamEndpoint(
        url=view.endpoint.url,
        status=models.CheckStatus(status),
        in_flight=view.in_flight,
        well=view.well,
        weight=view.endpoint.weight,
        zone=view.endpoint.zone,
        tags=list(view.endpoint.tags),
    )


def _registration(view: RegistrationView) -> models.RegistrationStatus:
    return models.RegistrationStatus(
        state=view.state,
        service=view.service,
        id=view.identifier,
        good_at=_moment(view.good_at_s),
        failures=view.failures,
        error=view.error,
    )


def _overrides(view: OverridesView) -> models.OverridesStatus:
    return models.OverridesStatus(
        prefix=view.prefix,
        services=list(view.services),
        operations=list(view.operations),
        good_at=_moment(view.good_at_s),
        error=view.error,
    )


def _moment(wall_s: float | None) -> datetime | None:
    return datetime.fromtimestamp(wall_s, UTC) if wall_s is not None else None


def _source(source: SourceView, now_s: float) -> models.DiscoveryStatus:
    return models.DiscoveryStatus(
        source=source.kind,
        good_at=_moment(source.good_at_s),
        age_s=None if source.good_at_s is None else round(max(0.0, now_s - source.good_at_s), 3),
        restored=source.restored,
        failures=source.failures,
        error=source.error,
    )


def _new_service(service: NewService) -> models.NewService:
    return models.NewService(
        name=service.name,
        tags=list(service.tags),
        urls=[endpoint.url for endpoint in service.endpoints],
        drift=_drift(service.drift),
    )


def _drift(drift: Drift) -> models.DriftReport:
    return models.DriftReport(
        problem=drift.problem,
        missing=[f"{method} {path}" for method, path in drift.missing],
        extra=[f"{method} {path}" for method, path in drift.extra],
        differing=[
            models.Difference(
                operation=found.operation,
                pointer=found.pointer,
                specified=found.specified,
                served=found.served,
            )
            for found in drift.differing
        ],
        more=drift.more,
    )
