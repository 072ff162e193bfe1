"""The operations that tell how the gateway is doing, as a caller sees them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import httpx
import pytest
from dhatu_gateway.core.discovery.drift import Drift
from dhatu_gateway.core.discovery.report import NewService
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.upstream.discovery import Endpoint
from dhatu_gateway.generated.routes import ROUTES
from dhatu_gateway.monitoring.endpoints import Monitoring, Shown, monitoring_router
from dhatu_gateway.monitoring.health import EndpointView, Health, ServiceView, SourceView, store_check
from dhatu_gateway.monitoring.metrics import Metrics
from fastapi import FastAPI


async def broken() -> None:
    raise OSError("disk on fire")


async def working() -> None:
    return None


CANARY = Endpoint(host="127.0.0.1", port=1, weight=3, zone="eu-1", tags=("canary",))


class Discovered:
    async def drift(self, service: str) -> Drift:
        return Drift(missing=(("GET", "/api/v1/a"),)) if service == "corpus" else Drift(problem="no answer")

    async def new_services(self) -> Sequence[NewService]:
        drift = Drift(extra=(("GET", "/api/v1/glossary"),))
        return [NewService(name="glossary", tags=("dhatu",), endpoints=(CANARY,), drift=drift)]


NOTHING = {"differing": [], "more": False}
UNREGISTERED = {"state": "off", "service": "", "id": "", "good_at": None, "failures": 0, "error": ""}
UNHEARD = {"source": "dns", "good_at": None, "age_s": None, "restored": False, "failures": 0, "error": ""}

MONITORING = Monitoring(
    title="dhātu API",
    version="1.0.0",
    routes=26,
    services=(
        ServiceView(
            name="corpus",
            endpoints=lambda: [EndpointView(endpoint=CANARY, in_flight=2, well=False)],
            source=lambda: SourceView(
                kind="consul", good_at_s=1_800_000_000.0, failures=3, error="is down", restored=True
            ),
        ),
        ServiceView(
            name="analysis",
            endpoints=list,
            source=lambda: SourceView(kind="dns", good_at_s=None, failures=0, error=""),
        ),
    ),
    health=Health([store_check("credentials", working, essential=True)]),
    discovery=Discovered(),
    metrics=Metrics(ROUTES),
    clock=lambda: 160.5,
    wall_clock=lambda: 1_800_000_060.5,
    started_at_s=100.0,
)


def client_of(monitoring: Monitoring) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(monitoring_router(Shown(monitoring)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(MONITORING) as made:
        yield made


@pytest.fixture
async def unwell() -> AsyncIterator[httpx.AsyncClient]:
    health = Health([store_check("credentials", broken, essential=True)])
    async with client_of(replace(MONITORING, health=health, metrics=None)) as made:
        yield made


def test_every_operation_has_a_handler() -> None:
    expected = {
        (route.method, route.path)
        for route in ROUTES
        if route.operation.startswith("system.") and route.operation != "system.jwks"
    }
    schema = FastAPI(routes=monitoring_router(Shown(MONITORING)).routes).openapi()
    assert {(method.upper(), path) for path, item in schema["paths"].items() for method in item} == expected


async def test_a_healthy_gateway_says_so(client: httpx.AsyncClient) -> None:
    healthy = {"status": "ok", "version": "1.0.0", "checks": [{"name": "credentials", "status": "ok"}]}
    assert (await client.get("/api/v1/health")).json() == healthy
    assert (await client.get("/api/v1/health/ready")).json() == healthy
    assert (await client.get("/api/v1/health/live")).json() == {"status": "ok"}


async def test_an_unwell_gateway_is_alive_but_not_ready(unwell: httpx.AsyncClient) -> None:
    health = await unwell.get("/api/v1/health")
    assert (health.status_code, health.json()["status"]) == (200, "failed")
    assert (await unwell.get("/api/v1/health/live")).status_code == 200
    with pytest.raises(ProblemError, match="failed: credentials") as caught:
        await unwell.get("/api/v1/health/ready")
    assert caught.value.problem.status == 503


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE dhatu_gateway_requests_in_flight gauge" in answer.text


async def test_metrics_can_be_turned_off(unwell: httpx.AsyncClient) -> None:
    with pytest.raises(ProblemError, match="PROMETHEUS_ENABLED") as caught:
        await unwell.get("/api/v1/metrics")
    assert caught.value.problem.status == 404


async def test_the_status_tells_where_requests_go(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/status")).json() == {
        "title": "dhātu API",
        "version": "1.0.0",
        "started_at": "2027-01-15T08:00:00Z",
        "uptime_s": 60.5,
        "process_id": os.getpid(),
        "routes": 26,
        "table": "built-in",
        "workers": [os.getpid()],
        "registration": UNREGISTERED,
        "overrides": {"prefix": "", "services": [], "operations": [], "good_at": None, "error": ""},
        "mocked": [],
        "services": [
            {
                "name": "analysis",
                "status": "unknown",
                "discovery": UNHEARD,
                "endpoints": [],
                "drift": {"problem": "no answer", "missing": [], "extra": [], **NOTHING},
            },
            {
                "name": "corpus",
                "status": "failed",
                "discovery": {
                    "source": "consul",
                    "good_at": "2027-01-15T08:00:00Z",
                    "age_s": 60.5,
                    "restored": True,
                    "failures": 3,
                    "error": "is down",
                },
                "endpoints": [
                    {
                        "url": "http://127.0.0.1:1",
                        "status": "failed",
                        "in_flight": 2,
                        "well": False,
                        "weight": 3.0,
                        "zone": "eu-1",
                        "tags": ["canary"],
                    }
                ],
                "drift": {"problem": "", "missing": ["GET /api/v1/a"], "extra": [], **NOTHING},
            },
        ],
        "new_services": [
            {
                "name": "glossary",
                "tags": ["dhatu"],
                "urls": ["http://127.0.0.1:1"],
                "drift": {"problem": "", "missing": [], "extra": ["GET /api/v1/glossary"], **NOTHING},
            }
        ],
    }
