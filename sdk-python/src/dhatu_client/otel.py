"""OpenTelemetry: a span for each call, and below it one for each attempt, from which the server goes on.

    client = DhatuAPI(tracer=OpenTelemetryTracer())   # of the provider that the program has set

It is never on by itself: opentelemetry-api comes along with many packages, and who traces httpx already would
see every attempt twice. Needs the extra `otel`, which is that API alone; the program brings the SDK.

Attempts follow the semantic conventions of HTTP client spans (1.23 and later). No attribute holds a query,
a body or a credential. The spans of a streamed answer end where it begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opentelemetry import propagate, trace
from opentelemetry.propagators.textmap import Setter
from opentelemetry.trace import Span, SpanKind, StatusCode

from ._watch.watch import AttemptSpan, CallSpan, Headers
from ._wire import Answer, Outcome

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

__all__ = ["OpenTelemetryTracer"]

_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
_PORTS: Final = {"http": 80, "https": 443}


class OpenTelemetryTracer:
    """Makes spans of calls, for the option `tracer` of a client; those of other clients may share it."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        propagator: TextMapPropagator | None = None,
    ) -> None:
        """Both are those that the program has set where they are not given: by default W3C Trace Context and
        Baggage, so that `traceparent` goes with every attempt."""
        self._tracer = trace.get_tracer(__name__, tracer_provider=tracer_provider)
        self._propagator = propagator

    def start_call(self, operation: str, template: str) -> CallSpan:
        """A span below the current one."""
        span = self._tracer.start_span(
            operation, kind=SpanKind.INTERNAL, attributes={"url.template": template}
        )
        return _Call(self, span, template)

    def start_attempt(self, call: Span, name: str, attributes: dict[str, AttributeValue]) -> AttemptSpan:
        """A span below that of its call."""
        context = trace.set_span_in_context(call)
        span = self._tracer.start_span(name, context, kind=SpanKind.CLIENT, attributes=attributes)
        return _Attempt(span, self._headers(trace.set_span_in_context(span, context)))

    def _headers(self, context: Context) -> Headers:
        carrier: dict[str, str] = {}
        (self._propagator or propagate.get_global_textmap()).inject(carrier, context, _Setter())
        return tuple((name.lower(), text) for name, text in carrier.items())


class _Setter(Setter[dict[str, str]]):
    """How a propagator writes headers."""

    def set(self, carrier: dict[str, str], key: str, value: str) -> None:
        carrier[key] = value


class _Call:
    """One call."""

    def __init__(self, tracer: OpenTelemetryTracer, span: Span, template: str) -> None:
        self._tracer = tracer
        self._span = span
        self._template = template

    def start_attempt(self, attempt: int, method: str, url: str) -> AttemptSpan:
        parts = urlsplit(url)
        known = method if method in _METHODS else "_OTHER"
        attributes: dict[str, AttributeValue] = {
            "http.request.method": known,
            "url.full": url,
            "url.template": self._template,
            "server.address": parts.hostname or "",
            "server.port": parts.port or _PORTS.get(parts.scheme, 0),
        }
        if known != method:
            attributes["http.request.method_original"] = method
        if attempt > 1:
            attributes["http.request.resend_count"] = attempt - 1
        name = "HTTP" if known != method else method
        return self._tracer.start_attempt(self._span, f"{name} {self._template}", attributes)

    def end(self, attempts: int, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            _fail(self._span, type(error).__name__)
        elif error is not None:
            self._span.set_attribute("error.type", "cancelled")
        self._span.end()


class _Attempt:
    """One attempt."""

    def __init__(self, span: Span, headers: Headers) -> None:
        self._span = span
        self.headers = headers

    def end(self, outcome: Outcome | None) -> None:
        if isinstance(outcome, Answer):
            self._span.set_attribute("http.response.status_code", outcome.status)
            if outcome.request_id:
                self._span.set_attribute("http.response.header.x-request-id", [outcome.request_id])
            if outcome.status >= 400:
                _fail(self._span, str(outcome.status))
        elif outcome is None:
            self._span.set_attribute("error.type", "cancelled")
        else:
            _fail(self._span, outcome.kind)
        self._span.end()


def _fail(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)
