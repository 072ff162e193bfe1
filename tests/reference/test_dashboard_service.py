from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from dhatu_reference.dashboard.app import create_app
from dhatu_reference.dashboard.settings import DashboardSettings, DashboardSettingsError, settings_from
from reference.contract import client_of

OVERVIEW = "/api/v1/dashboard/overview"
USAGE = "/api/v1/dashboard/usage"
TOPOLOGY = "/api/v1/dashboard/topology"

SETTINGS = DashboardSettings(
    gateway_url="http://gateway",
    gateway_api_key="dhk_test",
    services={
        "analysis": ("http://analysis",),
        "compression": ("http://compression-1", "http://compression-2"),
        "corpus": ("http://corpus",),
    },
)
METRICS = """\
# HELP dhatu_gateway_requests_total Requests answered.
# TYPE dhatu_gateway_requests_total counter
dhatu_gateway_requests_total{operation="compress",service="compression",status="200"} 90.0
dhatu_gateway_requests_total{operation="compress",service="compression",status="400"} 10.0
dhatu_gateway_requests_total{operation="corpus.search",service="corpus",status="200"} 20.0
dhatu_gateway_requests_total{operation="",service="",status="404"} 5.0
# HELP dhatu_gateway_request_duration_seconds Time.
# TYPE dhatu_gateway_request_duration_seconds histogram
dhatu_gateway_request_duration_seconds_bucket{operation="compress",le="0.001"} 50.0
dhatu_gateway_request_duration_seconds_bucket{operation="compress",le="0.01"} 100.0
dhatu_gateway_request_duration_seconds_bucket{operation="compress",le="+Inf"} 100.0
dhatu_gateway_request_duration_seconds_count{operation="compress"} 100.0
dhatu_gateway_request_duration_seconds_sum{operation="compress"} 0.3
"""
HEALTH = {
    "status": "degraded",
    "version": "1.0.0",
    "checks": [
        {"name": "corpus", "status": "failed"},
        {"name": "credentials", "status": "ok"},
        {"name": "redis", "status": "ok"},
    ],
}

Answer = Callable[[httpx.Request], httpx.Response]


class Network:
    """Answers in place of the platform; what is not listed refuses connections."""

    def __init__(self) -> None:
        self.silent = ""
        """A host that takes requests and never answers."""
        self.answers: dict[str, Answer] = {
            "http://gateway/api/v1/health": _json(HEALTH),
            "http://gateway/api/v1/metrics": lambda request: httpx.Response(
                200 if request.headers.get("x-api-key") == "dhk_test" else 401, text=METRICS
            ),
            "http://gateway/api/v1/status": _json({"title": "dhātu API", "uptime_s": 12.5}),
            "http://corpus/api/v1/corpus/stats": _json({"documents": 3, "characters": 900, "languages": []}),
        }
        for host in ("analysis", "compression-1", "compression-2", "corpus"):
            self.answers[f"http://{host}/health"] = _json({"status": "ok"})

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == self.silent:
            await asyncio.Event().wait()
        answer = self.answers.get(str(request.url))
        if answer is None:
            raise httpx.ConnectError("connection refused", request=request)
        return answer(request)

    def cut(self, *hosts: str) -> None:
        self.answers = {
            url: answer for url, answer in self.answers.items() if httpx.URL(url).host not in hosts
        }


def _json(content: dict[str, Any]) -> Answer:
    return lambda _: httpx.Response(200, json=content)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
async def client(network: Network) -> AsyncGenerator[httpx.AsyncClient, None]:
    app = create_app(
        SETTINGS,
        transport=httpx.MockTransport(network.handle),
        now=lambda: datetime(2026, 3, 1, 8, tzinfo=UTC),
    )
    async with client_of(app, "dashboard") as client:
        yield client


async def _get(client: httpx.AsyncClient, path: str, **params: str) -> dict[str, Any]:
    response = await client.get(path, params=params)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def _states(answer: dict[str, Any]) -> dict[str, str]:
    return {part["name"]: part["state"] for part in answer["services"]}


async def test_the_overview_of_a_healthy_platform(client: httpx.AsyncClient) -> None:
    overview = await _get(client, OVERVIEW)
    assert overview["state"] == "up"
    assert overview["generated_at"] == "2026-03-01T08:00:00Z"
    assert overview["uptime_s"] == 12.5
    assert overview["corpus"] == {"documents": 3, "characters": 900}
    assert list(_states(overview)) == ["analysis", "compression", "corpus", "dashboard", "gateway"]
    assert overview["requests"] == {
        "calls": 125,
        "errors": 15,
        "error_rate": 0.12,
        "mean_ms": 3.0,
        "p95_ms": 9.1,
    }


async def test_a_service_that_is_down_degrades_the_platform(
    client: httpx.AsyncClient, network: Network
) -> None:
    network.cut("corpus")
    overview = await _get(client, OVERVIEW)
    assert overview["state"] == "degraded"
    assert "corpus" not in overview
    corpus = next(part for part in overview["services"] if part["name"] == "corpus")
    assert corpus == {
        "name": "corpus",
        "state": "down",
        "detail": "Cannot be reached: connection refused",
    }


async def test_without_the_gateway_the_platform_is_down(client: httpx.AsyncClient, network: Network) -> None:
    network.cut("gateway")
    overview = await _get(client, OVERVIEW)
    assert overview["state"] == "down"
    assert "requests" not in overview
    assert "uptime_s" not in overview
    assert _states(overview)["analysis"] == "up"


async def test_a_failed_store_degrades_the_gateway(client: httpx.AsyncClient, network: Network) -> None:
    network.answers["http://gateway/api/v1/health"] = _json({**HEALTH, "status": "failed"})
    assert _states(await _get(client, OVERVIEW))["gateway"] == "degraded"


async def test_a_service_that_runs_in_part_is_degraded(client: httpx.AsyncClient, network: Network) -> None:
    network.cut("compression-2")
    overview = await _get(client, OVERVIEW)
    compression = next(part for part in overview["services"] if part["name"] == "compression")
    assert compression["state"] == "degraded"
    assert compression["detail"].startswith("1 of 2 places are up.")


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        pytest.param(lambda _: httpx.Response(500), "Answered with status 500.", id="error"),
        pytest.param(
            lambda _: httpx.Response(200, text="<html>"),
            "Its answer cannot be read: Invalid JSON",
            id="not-json",
        ),
        pytest.param(
            lambda _: httpx.Response(200, json={"state": "ok"}),
            "Its answer cannot be read: status: Field required",
            id="wrong-shape",
        ),
    ],
)
async def test_a_service_that_answers_nonsense_is_degraded(
    client: httpx.AsyncClient, network: Network, answer: Answer, detail: str
) -> None:
    network.answers["http://analysis/health"] = answer
    analysis = (await _get(client, OVERVIEW))["services"][0]
    assert analysis["state"] == "degraded"
    assert analysis["detail"].startswith(detail)


async def test_a_service_that_never_answers_is_down(network: Network) -> None:
    network.silent = "analysis"
    app = create_app(replace(SETTINGS, timeout_s=0.0), transport=httpx.MockTransport(network.handle))
    async with client_of(app, "dashboard") as client:
        overview = await _get(client, OVERVIEW)
    assert overview["services"][0] == {
        "name": "analysis",
        "state": "down",
        "detail": "No answer within 0 s.",
    }


async def test_usage_by_operation(client: httpx.AsyncClient) -> None:
    usage = await _get(client, USAGE)
    assert usage["source"]["state"] == "up"
    assert usage["group_by"] == "operation"
    assert usage["groups"] == [
        {
            "name": "compress",
            "service": "compression",
            "calls": 100,
            "errors": 10,
            "error_rate": 0.1,
            "mean_ms": 3.0,
            "p50_ms": 1.0,
            "p95_ms": 9.1,
            "p99_ms": 9.82,
        },
        {"name": "corpus.search", "service": "corpus", "calls": 20, "errors": 0, "error_rate": 0.0},
        {"name": "unmatched", "service": "unmatched", "calls": 5, "errors": 5, "error_rate": 1.0},
    ]


async def test_usage_by_service_and_by_status(client: httpx.AsyncClient) -> None:
    by_service = await _get(client, USAGE, group_by="service")
    assert [(line["name"], line["calls"]) for line in by_service["groups"]] == [
        ("compression", 100),
        ("corpus", 20),
        ("unmatched", 5),
    ]
    by_status = await _get(client, USAGE, group_by="status")
    assert [(line["name"], line["calls"], line["errors"]) for line in by_status["groups"]] == [
        ("200", 110, 0),
        ("400", 10, 10),
        ("404", 5, 5),
    ]


async def test_usage_of_one_service(client: httpx.AsyncClient) -> None:
    usage = await _get(client, USAGE, service="corpus")
    assert [line["name"] for line in usage["groups"]] == ["corpus.search"]
    assert usage["total"]["calls"] == 20
    assert (await _get(client, USAGE, service="nobody"))["groups"] == []


async def test_usage_without_metrics(client: httpx.AsyncClient, network: Network) -> None:
    network.cut("gateway")
    usage = await _get(client, USAGE)
    assert usage["source"]["state"] == "down"
    assert usage["groups"] == []
    assert "total" not in usage


async def test_usage_with_a_key_that_may_not_read_metrics(network: Network) -> None:
    app = create_app(replace(SETTINGS, gateway_api_key=""), transport=httpx.MockTransport(network.handle))
    async with client_of(app, "dashboard") as client:
        usage = await _get(client, USAGE)
    assert usage["source"]["state"] == "degraded"
    assert usage["source"]["detail"] == "Answered with status 401."


@pytest.mark.parametrize("text", ['dhatu_gateway_requests_total{status="x"} 1', "{{{ 7", "calls{operation"])
async def test_metrics_that_cannot_be_read(client: httpx.AsyncClient, network: Network, text: str) -> None:
    network.answers["http://gateway/api/v1/metrics"] = lambda _: httpx.Response(200, text=text)
    assert (await _get(client, USAGE))["source"]["state"] == "degraded"


@pytest.mark.parametrize(
    ("params", "name"), [({"group_by": "hour"}, "group_by"), ({"service": "No!"}, "service")]
)
async def test_a_bad_parameter_is_named(client: httpx.AsyncClient, params: dict[str, str], name: str) -> None:
    response = await client.get(USAGE, params=params)
    assert response.status_code == 400
    assert [(error["location"], error["name"]) for error in response.json()["errors"]] == [("query", name)]


async def test_the_topology(client: httpx.AsyncClient) -> None:
    topology = await _get(client, TOPOLOGY)
    nodes = {node["id"]: node for node in topology["nodes"]}
    assert [node["kind"] for node in topology["nodes"]] == ["gateway"] + 4 * ["service"] + 3 * ["store"]
    assert nodes["credentials"]["state"] == "up"
    assert nodes["corpus-index"]["state"] == "up"
    edges = {(edge["source"], edge["target"]): edge for edge in topology["edges"]}
    assert edges["gateway", "compression"]["calls"] == 100
    assert edges["gateway", "analysis"]["calls"] == 0
    assert edges["gateway", "credentials"]["protocol"] == "internal"
    assert edges["gateway", "redis"]["protocol"] == "redis"
    assert edges["corpus", "corpus-index"]["protocol"] == "sqlite"
    assert {node for edge in edges for node in edge} == set(nodes)


async def test_the_topology_of_a_broken_platform(client: httpx.AsyncClient, network: Network) -> None:
    network.cut("gateway", "corpus")
    topology = await _get(client, TOPOLOGY)
    states = {node["id"]: node["state"] for node in topology["nodes"]}
    assert (states["gateway"], states["corpus"], states["corpus-index"]) == ("down", "down", "unknown")
    assert not any("calls" in edge for edge in topology["edges"])


async def test_the_key_goes_to_the_gateway_alone(client: httpx.AsyncClient, network: Network) -> None:
    seen: dict[str, bool] = {}

    def noting(answer: Answer) -> Answer:
        def note(request: httpx.Request) -> httpx.Response:
            seen[request.url.host] = "x-api-key" in request.headers
            return answer(request)

        return note

    network.answers = {url: noting(answer) for url, answer in network.answers.items()}
    await _get(client, OVERVIEW)
    assert [host for host, had_key in seen.items() if had_key] == ["gateway"]
    assert len(seen) == 5


def test_settings_from_the_environment() -> None:
    settings = settings_from({"GATEWAY_URL": "http://g:1/", "CORPUS_SERVICE_URL": "http://a:1, http://b:2/"})
    assert settings.gateway_url == "http://g:1"
    assert settings.services["corpus"] == ("http://a:1", "http://b:2")
    assert settings.services["analysis"] == ("http://127.0.0.1:8103",)
    assert "secret" not in repr(settings_from({"GATEWAY_API_KEY": "secret"}))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_URL", "gateway:8000"),
        ("GATEWAY_URL", "http://a,http://b"),
        ("CORPUS_SERVICE_URL", "ftp://corpus"),
        ("ANALYSIS_SERVICE_URL", "http://host:port"),
        ("COMPRESSION_SERVICE_URL", " , "),
    ],
)
def test_a_bad_setting_is_named(variable: str, value: str) -> None:
    with pytest.raises(DashboardSettingsError, match=variable):
        settings_from({variable: value})
