"""The operations that tell how the gateway is doing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from dhatu_gateway.core.lifecycle import Lifecycle
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.generated import models
from dhatu_gateway.monitoring.health import Health, Report, ServiceView, combined
from dhatu_gateway.monitoring.metrics import CONTENT_TYPE, Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What the operations report on."""

    title: str
    version: str
    routes: int
    services: Sequence[ServiceView]
    health: Health
    metrics: Metrics | None
    """None where the operator has turned metrics off."""
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    started_at_s: float = field(default_factory=time.monotonic)
    """On `clock`."""


def monitoring_router(monitoring: Monitoring) -> APIRouter:
    """Handlers of the operations tagged `system`, the public keys excepted."""
    router = APIRouter()

    @router.get("/api/v1/health")
    async def health() -> models.HealthReport:
        return _health_report(monitoring, await monitoring.health.report())

    @router.get("/api/v1/health/live")
    async def live() -> models.Liveness:
        return models.Liveness(status="ok")

    @router.get("/api/v1/health/ready")
    async def ready() -> models.HealthReport:
        if monitoring.lifecycle.draining:
            raise ProblemError("unavailable", "The gateway is about to end; send requests elsewhere.")
        report = await monitoring.health.report()
        if not report.ready:
            failed = ", ".join(report.failed_essentials)
            raise ProblemError("unavailable", f"The gateway cannot take requests; failed: {failed}.")
        return _health_report(monitoring, report)

    @router.get("/api/v1/metrics", response_class=Response)
    async def metrics() -> Response:
        if monitoring.metrics is None:
            raise ProblemError(
                "not-found", "Metrics are turned off; set PROMETHEUS_ENABLED=1 to turn them on."
            )
        return Response(monitoring.metrics.exposition(), media_type=CONTENT_TYPE)

    @router.get("/api/v1/status")
    async def status() -> models.GatewayStatus:
        return await _status(monitoring)

    return router


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
    return models.GatewayStatus(
        title=monitoring.title,
        version=monitoring.version,
        started_at=datetime.fromtimestamp(monitoring.wall_clock() - uptime_s, UTC),
        uptime_s=round(uptime_s, 3),
        process_id=os.getpid(),
        routes=monitoring.routes,
        services=await asyncio.gather(*map(_service, services)),
    )


async def _service(service: ServiceView) -> models.UpstreamService:
    statuses = await asyncio.gather(*map(service.status, service.endpoints))
    return models.UpstreamService(
        name=service.name,
        status=models.CheckStatus(combined(statuses)),
        endpoints=[
            models.UpstreamEndpoint(
                url=f"{'https' if endpoint.tls else 'http'}://{endpoint.authority}",
                status=models.CheckStatus(status),
                in_flight=service.in_flight(endpoint),
            )
            for endpoint, status in zip(service.endpoints, statuses, strict=True)
        ],
    )
