"""Whether services offer what the specification says."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from dhatu_gateway.core.discovery.differences import Contract
from dhatu_gateway.core.discovery.drift import MAX_BYTES, Drift, DriftReports, compare
from dhatu_gateway.core.discovery.source import DiscoveryError
from dhatu_gateway.core.upstream.errors import UpstreamUnavailable
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.generated.routes import ROUTES
from dhatu_gateway.table import generated_table
from dhatu_reference.analysis.app import create_app as analysis
from dhatu_reference.compression.app import create_app as compression
from dhatu_reference.corpus.app import create_app as corpus
from dhatu_reference.dashboard.app import create_app as dashboard
from hypothesis import given
from hypothesis import strategies as st

SPECIFIED = [("GET", "/api/v1/things"), ("GET", "/api/v1/things/{id}"), ("POST", "/api/v1/things")]


def document(*operations: tuple[str, str], **members: Any) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for method, path in operations:
        paths.setdefault(path, {})[method.lower()] = {}
    return {"openapi": "3.1.0", "paths": paths, **members}


def test_a_service_that_offers_what_is_specified_has_no_drift() -> None:
    served = document(("GET", "/api/v1/things"), ("GET", "/api/v1/things/{name}"), ("POST", "/api/v1/things"))
    assert compare(served, SPECIFIED, SPECIFIED) == Drift()


def test_what_is_missing_and_what_is_extra_is_named() -> None:
    served = document(
        ("GET", "/api/v1/things"),
        ("DELETE", "/api/v1/things/{id}"),
        ("GET", "/health"),
        ("GET", "/api/v1/new"),
    )
    assert compare(served, SPECIFIED, SPECIFIED) == Drift(
        missing=(("GET", "/api/v1/things/{id}"), ("POST", "/api/v1/things")),
        extra=(("DELETE", "/api/v1/things/{id}"), ("GET", "/api/v1/new")),
    )


def test_the_path_of_a_server_stands_before_the_others() -> None:
    served = document(
        *((method, path.removeprefix("/api/v1")) for method, path in SPECIFIED),
        servers=[{"url": "http://things.example/api/v1/"}],
    )
    assert compare(served, SPECIFIED, SPECIFIED) == Drift()


@pytest.mark.parametrize(
    "wrong", [None, [], {}, {"paths": []}, {"paths": {"/a": 7}}, {"paths": {}, "servers": [1]}]
)
def test_what_is_no_document_is_said_to_be_none(wrong: object) -> None:
    with pytest.raises(DiscoveryError, match="is no OpenAPI document"):
        compare(wrong, SPECIFIED, SPECIFIED)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["paths", "servers", "url", "/", "/a", "get", "{"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_nothing_that_is_json_breaks_the_comparison(wrong: object) -> None:
    with contextlib.suppress(DiscoveryError):
        compare(wrong, SPECIFIED, SPECIFIED)


@pytest.mark.parametrize(
    ("service", "served"),
    [
        ("analysis", analysis()),
        ("compression", compression()),
        ("corpus", corpus()),
        ("dashboard", dashboard()),
    ],
)
def test_the_reference_services_offer_what_is_specified(service: str, served: Any) -> None:
    routes = [(route.method, route.path) for route in ROUTES]
    specified = [(route.method, route.path) for route in ROUTES if route.service == service]
    sockets = [(route.method, route.path) for route in ROUTES if route.websocket is not None]
    contract = Contract(ROUTES, lambda _: generated_table().document)
    assert compare(served.openapi(), specified, routes, sockets, contract) == Drift()
    assert compare(served.openapi(), None, routes, sockets, contract) == Drift()


def test_a_document_may_leave_out_a_websocket_but_no_other_operation() -> None:
    served = document(("get", "/api/v1/things"))
    sockets = [("GET", "/api/v1/live")]
    specified = [("GET", "/api/v1/things"), ("GET", "/api/v1/lost"), *sockets]
    assert compare(served, specified, specified, sockets) == Drift(missing=(("GET", "/api/v1/lost"),))
    listed = document(("get", "/api/v1/things"), ("get", "/api/v1/lost"), ("get", "/api/v1/live"))
    assert compare(listed, specified, specified, sockets) == Drift()


def test_the_specification_does_not_contradict_itself() -> None:
    routes = [(route.method, route.path) for route in ROUTES]
    document = generated_table().document
    assert compare(document, routes, routes, (), Contract(ROUTES, lambda _: document)) == Drift()


class Way:
    """Answers every request in one way, and counts them."""

    def __init__(self, status: int = 200, body: bytes = b"", error: Exception | None = None) -> None:
        self.status, self.body, self.error = status, body, error
        self.asked: list[bytes] = []

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        self.asked.append(request.target)
        if self.error is not None:
            raise self.error
        sink.start(self.status, [])
        await sink.body(self.body, False)


async def test_a_service_is_asked_once_a_minute_at_most() -> None:
    times = iter((0.0, 59.0, 61.0))
    reports = DriftReports({"things": SPECIFIED}, lambda: next(times))
    way = Way(body=json.dumps(document(*SPECIFIED[:1])).encode())
    for _ in range(3):
        assert (await reports.of("things", way)).missing == tuple(sorted(SPECIFIED[1:]))
    assert way.asked == [b"/openapi.json"] * 2


async def test_of_a_service_that_nobody_specified_what_nobody_knows_is_extra() -> None:
    reports = DriftReports({"things": SPECIFIED})
    way = Way(body=json.dumps(document(("GET", "/api/v1/glossary"), SPECIFIED[0])).encode())
    assert await reports.of("glossary", way) == Drift(extra=(("GET", "/api/v1/glossary"),))


@pytest.mark.parametrize(
    ("way", "problem"),
    [
        (Way(status=404), "it answered 404 to /openapi.json"),
        (Way(body=b"<html>"), "the service answered something that is not JSON"),
        (Way(body=b"[]"), "is no OpenAPI document"),
        (Way(body=b" " * (MAX_BYTES + 1)), f"more than {MAX_BYTES} bytes"),
        (Way(error=UpstreamUnavailable("a:1 cannot be reached")), "a:1 cannot be reached"),
    ],
)
async def test_why_a_service_could_not_be_compared_is_said(way: Way, problem: str) -> None:
    drift = await DriftReports({"things": SPECIFIED}).of("things", way)
    assert problem in drift.problem
    assert (drift.missing, drift.extra) == ((), ())
