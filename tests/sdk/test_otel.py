"""Spans of calls and attempts, and what of them reaches the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import dhatu_client
import httpx
import pytest
from dhatu_client._watch.watch import Headers
from dhatu_client._wire import Outcome
from dhatu_client.otel import OpenTelemetryTracer
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode
from sdk.support import Caller, Server, operation

Connect = Callable[..., Caller]
OK = httpx.Response(200, json={})


class Recorder:
    """A provider that keeps what it was told."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OpenTelemetryTracer(self.provider)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def call(self) -> ReadableSpan:
        (call,) = (span for span in self.spans if span.kind is SpanKind.INTERNAL)
        return call

    @property
    def attempts(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.kind is SpanKind.CLIENT]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def context(span: ReadableSpan) -> SpanContext:
    found = span.get_span_context()
    assert found is not None
    return found


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return dict(cast("Mapping[str, Any]", span.attributes))


def test_a_call_is_a_span_with_one_below_it_for_each_attempt(connect: Connect, recorder: Recorder) -> None:
    server = Server(httpx.Response(503, headers={"x-request-id": "r1"}), OK)
    caller = connect(server, tracer=recorder.tracer)
    caller.call(operation(), options={"extra_query": {"secret": "s3cret"}})
    assert recorder.call.name == "documents.get"
    assert attributes(recorder.call) == {"url.template": "/documents"}
    assert recorder.call.status.status_code is StatusCode.UNSET
    first, second = recorder.attempts
    assert {span.parent.span_id for span in (first, second) if span.parent} == {
        context(recorder.call).span_id
    }
    common = {
        "http.request.method": "GET",
        "url.full": "https://api.sample.test/base/documents",
        "url.template": "/documents",
        "server.address": "api.sample.test",
        "server.port": 443,
    }
    assert first.name == second.name == "GET /documents"
    assert attributes(first) == {
        **common,
        "http.response.status_code": 503,
        "http.response.header.x-request-id": ("r1",),
        "error.type": "503",
    }
    assert first.status.status_code is StatusCode.ERROR
    assert attributes(second) == {
        **common,
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
    }
    assert second.status.status_code is StatusCode.UNSET


def test_every_attempt_carries_the_context_of_its_own_span(connect: Connect, recorder: Recorder) -> None:
    server = Server(httpx.Response(503), OK)
    connect(server, tracer=recorder.tracer).call(operation())
    sent = [request.headers["traceparent"].split("-") for request in server.requests]
    assert sent == [
        ["00", f"{own.trace_id:032x}", f"{own.span_id:016x}", f"{own.trace_flags:02x}"]
        for own in map(context, recorder.attempts)
    ]


def test_calls_go_on_from_the_span_of_the_program(connect: Connect, recorder: Recorder) -> None:
    with recorder.provider.get_tracer("program").start_as_current_span("work") as work:
        connect(Server(OK), tracer=recorder.tracer).call(operation())
    traced = [span for span in recorder.spans if span.name != "work"]
    assert len(traced) == 2
    assert {context(span).trace_id for span in traced} == {work.get_span_context().trace_id}
    parent = next(span for span in traced if span.name == "documents.get").parent
    assert parent is not None
    assert parent.span_id == work.get_span_context().span_id


def test_a_failure_is_named_on_both(connect: Connect, recorder: Recorder) -> None:
    caller = connect(Server(httpx.ConnectError("refused")), tracer=recorder.tracer, max_retries=0)
    with pytest.raises(dhatu_client.ConnectionFailedError):
        caller.call(operation())
    assert attributes(recorder.call)["error.type"] == "ConnectionFailedError"
    assert attributes(recorder.attempts[0])["error.type"] == "connect"
    assert recorder.call.status.status_code is recorder.attempts[0].status.status_code is StatusCode.ERROR


def test_a_method_that_nobody_knows_is_not_a_name(connect: Connect, recorder: Recorder) -> None:
    connect(Server(OK), tracer=recorder.tracer).call(operation(method="PURGE"))
    (attempt,) = recorder.attempts
    assert attempt.name == "HTTP /documents"
    assert attributes(attempt)["http.request.method"] == "_OTHER"
    assert attributes(attempt)["http.request.method_original"] == "PURGE"


def test_the_propagator_decides_what_travels(connect: Connect, recorder: Recorder) -> None:
    server = Server(OK)
    tracer = OpenTelemetryTracer(recorder.provider, CompositePropagator([]))
    connect(server, tracer=tracer).call(operation())
    assert "traceparent" not in server.request.headers


@pytest.mark.parametrize("traced", [True, False])
def test_a_trace_that_is_sent_along_by_hand_counts(
    traced: bool, connect: Connect, recorder: Recorder
) -> None:
    server = Server(OK)
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    caller = connect(server, **({"tracer": recorder.tracer} if traced else {}))
    caller.call(operation(), options={"extra_headers": {"traceparent": own}})
    assert server.request.headers.get_list("traceparent") == [own]


class _BrokenSpan:
    @property
    def headers(self) -> Headers:
        raise ZeroDivisionError

    def start_attempt(self, attempt: int, method: str, url: str) -> _BrokenSpan:
        return self

    def end(self, *_: int | Outcome | BaseException | None) -> None:
        raise ZeroDivisionError


class _BrokenTracer:
    def start_call(self, operation: str, template: str) -> _BrokenSpan:
        return _BrokenSpan()


class _DeadTracer:
    def start_call(self, operation: str, template: str) -> _BrokenSpan:
        raise ZeroDivisionError


@pytest.mark.parametrize("tracer", [_BrokenTracer(), _DeadTracer()])
def test_a_tracer_that_fails_is_logged_and_breaks_nothing(
    tracer: Any, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    assert connect(Server(httpx.Response(200, json=[1])), tracer=tracer).call(operation()) == [1]
    assert {record.getMessage() for record in caplog.records} == {"the tracer failed; the call goes on"}
