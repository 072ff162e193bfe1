"""What a scraper reads."""

from __future__ import annotations

from dhatu_gateway.generated.routes import ROUTES
from dhatu_gateway.monitoring.metrics import BOUNDS_S, Metrics
from prometheus_client.parser import text_string_to_metric_families

SEARCH = next(route for route in ROUTES if route.operation == "system.health")


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = metrics.exposition().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_answers_are_counted_by_operation_service_and_status() -> None:
    metrics = Metrics(ROUTES, process=False)
    recorder = metrics.recorder(SEARCH)
    for status in (200, 200, 503):
        recorder.record(status, 0.004)
    metrics.unmatched.record(404, 0.001)
    read = samples(metrics)
    labels = (("operation", "system.health"), ("service", "system"))
    assert read["dhatu_gateway_requests_total", (*labels, ("status", "200"))] == 2
    assert read["dhatu_gateway_requests_total", (*labels, ("status", "503"))] == 1
    unmatched = (("operation", ""), ("service", ""), ("status", "404"))
    assert read["dhatu_gateway_requests_total", unmatched] == 1


def test_durations_are_cumulative_up_to_their_bounds() -> None:
    metrics = Metrics(ROUTES, process=False)
    recorder = metrics.recorder(SEARCH)
    for duration_s in (0.001, 0.0011, 0.2, 60.0):
        recorder.record(200, duration_s)
    read = samples(metrics)
    name = "dhatu_gateway_request_duration_seconds"
    by_bound = {dict(labels)["le"]: value for (n, labels), value in read.items() if n == f"{name}_bucket"}
    assert by_bound["0.001"] == 1
    assert by_bound["0.0025"] == 2
    assert by_bound["0.25"] == 3
    assert by_bound["10.0"] == 3
    assert by_bound["+Inf"] == 4
    assert len(by_bound) == len(BOUNDS_S) + 1
    assert read[f"{name}_count", (("operation", "system.health"),)] == 4
    assert read[f"{name}_sum", (("operation", "system.health"),)] == 60.2021


def test_requests_in_flight_and_refusals_are_shown() -> None:
    metrics = Metrics(ROUTES, process=False)
    metrics.edge().in_flight += 1
    metrics.edge().in_flight += 2
    for kind in ("unauthorized", "unauthorized", "too-many-requests"):
        metrics.refuse(kind)
    read = samples(metrics)
    assert read["dhatu_gateway_requests_in_flight", ()] == 3
    assert read["dhatu_gateway_refused_total", (("kind", "unauthorized"),)] == 2
    assert read["dhatu_gateway_refused_total", (("kind", "too-many-requests"),)] == 1


def test_two_gateways_in_one_process_keep_apart() -> None:
    one, two = Metrics(ROUTES), Metrics(ROUTES)
    one.recorder(SEARCH).record(200, 0.1)
    assert not two.recorder(SEARCH).statuses
    assert any(name.startswith("python_gc") for name, _ in samples(two))


def test_what_validation_finds_is_counted_by_operation() -> None:
    metrics = Metrics(ROUTES, process=False)
    for _ in range(2):
        metrics.find("corpus.search", "answer", "logged")
    metrics.find("corpus.search", "request", "logged")
    text = metrics.exposition().decode()
    labels = 'message="answer",operation="corpus.search",outcome="logged"'
    assert f"dhatu_gateway_validation_total{{{labels}}} 2.0" in text
    assert 'message="request"' in text
