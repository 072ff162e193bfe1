"""Answers of services held against the document: watched on their way, or held until found good.

Of bodies only those whose description is JSON are looked at, and only up to a size; streams pass untouched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import Answer, MediaType, Route
from dhatu_gateway.core.upstream.types import ResponseSink
from dhatu_gateway.core.validation.answer_headers import OF_HTTP, build_answer_headers
from dhatu_gateway.core.validation.json_body import may_have_long_numbers, read_json
from dhatu_gateway.core.validation.media_types import parse_content_type
from dhatu_gateway.core.validation.pruning import Pruner
from dhatu_gateway.core.validation.refusals import Findings, RouteLog
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas

MAX_ANSWER_BYTES = 262_144
"""Larger answers are passed on unseen, and counted: reading one of 256 KiB stops everything else for some
2 ms, and nobody shall have to wait longer for an answer of somebody else."""

_OF_CONTENT = frozenset(
    {b"content-length", b"etag", b"content-digest", b"repr-digest", b"digest", b"content-md5", b"trailer"}
)
"""Fields that hold for the very bytes of a body (RFC 9110, RFC 9530)."""


_MAX_KNOWN = 256

WrapSink: TypeAlias = Callable[[Exchange, ResponseSink], ResponseSink]


@dataclass(frozen=True, slots=True)
class _Described:
    """How one media type of one answer is checked; `errors_in` is None where it streams."""

    errors_in: Callable[[bytes], tuple[FieldError, ...]] | None
    pruner: Pruner | None


def build_answers(route: Route, schemas: Schemas, findings: Findings) -> WrapSink | None:
    """Return what puts a route's answers under watch; None where nobody looks at them."""
    if route.websocket is not None:
        return None  # the document describes no frames
    if route.validate.response == "off" and route.validate.undeclared == "keep":
        return None
    rules = _Rules(route, schemas.answers, findings)
    holds = route.validate.response == "enforce" or route.validate.undeclared == "strip"
    sink = _Holding if holds else _Watching
    return lambda exchange, inner: sink(exchange, inner, rules)


class _Rules:
    """What the document says of the answers of one route."""

    def __init__(self, route: Route, schemas: Schemas, findings: Findings) -> None:
        self.operation = route.operation
        self.service = route.service
        self.mode = route.validate.response
        self.strips = route.validate.undeclared == "strip"
        self.findings = findings
        self._log = RouteLog(route.operation)
        looks = self.mode != "off"
        self.header_errors = build_answer_headers(route.answers, schemas) if looks else None
        """None where the document says nothing of header fields."""
        self._by_status = {answer.status: self._described(answer, schemas) for answer in route.answers}
        self._known: dict[tuple[int, bytes], _Described | FieldError | None] = {}

    def complaint(self, exchange: Exchange, status: int, errors: Sequence[FieldError]) -> None:
        """Take note of an answer that is not as described."""
        refuses = self.mode == "enforce"
        self.findings.find(self.operation, "answer", "refused" if refuses else "logged")
        self._log.write(
            exchange, f"answer {status} {'refused' if refuses else 'is not as described'}", errors
        )

    def skip(self) -> None:
        self.findings.find(self.operation, "answer", "skipped")

    def look(self, exchange: Exchange, status: int, headers: list[Header]) -> _Described | FieldError | None:
        """Decide by its head how an answer is checked: not at all (None), or its head itself is wrong."""
        field, length, coding = b"", b"0", b"identity"
        for name, value in headers:
            if name == b"content-type":
                field = value
            elif name == b"content-length":
                length = value
            elif name == b"content-encoding":
                coding = value
        key = (status, field)
        found = self._known.get(key)
        if found is None and key not in self._known:
            found = self._choose(status, field)
            if len(self._known) < _MAX_KNOWN:
                self._known[key] = found
        if not isinstance(found, _Described):
            return found
        if exchange.method == "HEAD":
            return None
        if int(length) > MAX_ANSWER_BYTES or coding.lower() != b"identity":
            self.skip()
            return None
        return found

    def _choose(self, status: int, field: bytes) -> _Described | FieldError | None:
        if status in OF_HTTP:
            return None
        described = self._by_status.get(str(status))
        if described is None:
            described = self._by_status.get(f"{status // 100}XX", self._by_status.get("default"))
        if described is None:
            return _wrong(f"has the status {status}, which is not described")
        if not field:
            return _wrong("has no Content-Type") if described and status != 204 else None
        if status == 204:
            return None
        try:
            name = parse_content_type(field).name
        except ProblemError:
            return _wrong("has a Content-Type that is none")
        for candidate in (name, name.partition("/")[0] + "/*", "*/*"):
            if candidate in described:
                return described[candidate]
        return _wrong("has a Content-Type that is not described for its status")

    def _described(self, answer: Answer, schemas: Schemas) -> dict[str, _Described | None]:
        return {media.media_type: self._of(media, schemas) for media in answer.media_types}

    def _of(self, media: MediaType, schemas: Schemas) -> _Described | None:
        if media.kind != "json":
            return None
        validator = schemas.validator(media.schema)

        def errors_in(body: bytes) -> tuple[FieldError, ...]:
            try:
                value = read_json(body)
            except ProblemError as error:
                return error.problem.errors
            return () if validator.is_valid(value) else body_errors(validator.iter_errors(value))

        pruner = Pruner(schemas.at(media.schema), schemas) if self.strips else None
        return _Described(errors_in if self.mode != "off" else None, pruner)


class _Watching:
    """Passes an answer on as it comes, and looks at a copy once the client has it."""

    __slots__ = ("_exchange", "_found", "_headers", "_inner", "_parts", "_rules", "_size_bytes", "_status")

    def __init__(self, exchange: Exchange, inner: ResponseSink, rules: _Rules) -> None:
        self._exchange = exchange
        self._inner = inner
        self._rules = rules
        self._parts: list[bytes] = []
        self._size_bytes = 0

    def start(self, status: int, headers: list[Header]) -> None:
        self._status = status
        self._headers = headers
        self._found = self._rules.look(self._exchange, status, headers)
        self._inner.start(status, headers)

    async def body(self, chunk: bytes, more: bool) -> None:
        await self._inner.body(chunk, more)
        if isinstance(self._found, _Described) and (more or self._parts):
            self._gather(chunk)
        if more:
            return
        found, rules = self._found, self._rules
        errors: Sequence[FieldError] = ()
        if isinstance(found, FieldError):
            errors = (found,)
        elif found is not None and found.errors_in is not None:
            errors = found.errors_in(b"".join(self._parts) if self._parts else chunk)
        if rules.header_errors is not None:
            errors = (*rules.header_errors(self._status, self._headers), *errors)
        if errors:
            rules.complaint(self._exchange, self._status, errors)

    def _gather(self, chunk: bytes) -> None:
        self._parts.append(chunk)
        self._size_bytes += len(chunk)
        if self._size_bytes > MAX_ANSWER_BYTES:
            self._found = None
            self._parts.clear()
            self._rules.skip()

    async def client_gone(self) -> None:
        await self._inner.client_gone()


class _Holding:
    """Holds an answer back until it has been found good, or has lost what nobody has declared."""

    __slots__ = (
        "_described",
        "_exchange",
        "_headers",
        "_inner",
        "_parts",
        "_rules",
        "_size_bytes",
        "_status",
    )

    def __init__(self, exchange: Exchange, inner: ResponseSink, rules: _Rules) -> None:
        self._exchange = exchange
        self._inner = inner
        self._rules = rules
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._headers: list[Header] | None = None

    def start(self, status: int, headers: list[Header]) -> None:
        found = self._rules.look(self._exchange, status, headers)
        self._status = status
        self._described = found if isinstance(found, _Described) else None
        errors: Sequence[FieldError] = (found,) if isinstance(found, FieldError) else ()
        if self._rules.header_errors is not None:
            errors = (*self._rules.header_errors(status, headers), *errors)
        if errors:
            self._complain(errors)
        if self._described is None:
            self._inner.start(status, headers)
        else:
            self._headers = headers

    async def body(self, chunk: bytes, more: bool) -> None:
        described = self._described
        if described is None:
            await self._inner.body(chunk, more)
            return
        self._parts.append(chunk)
        self._size_bytes += len(chunk)
        if self._size_bytes > MAX_ANSWER_BYTES:
            self._rules.skip()
        elif more:
            return
        else:
            self._settle(described)
        await self._let_go(more)

    async def client_gone(self) -> None:
        await self._inner.client_gone()

    async def _let_go(self, more: bool) -> None:
        headers = self._headers
        assert headers is not None
        self._described = None
        self._inner.start(self._status, headers)
        await self._inner.body(b"".join(self._parts), more)
        self._parts = []

    def _settle(self, described: _Described) -> None:
        body = b"".join(self._parts)
        if described.pruner is not None:
            pruned = _pruned(body, described.pruner)
            if pruned is not None:
                self._rules.findings.find(self._rules.operation, "answer", "stripped")
                self._parts = [pruned]
                body = pruned
                kept = [header for header in self._headers or () if header[0] not in _OF_CONTENT]
                self._headers = [*kept, (b"content-length", b"%d" % len(pruned))]
        errors = described.errors_in(body) if described.errors_in is not None else ()
        if errors:
            self._complain(errors)

    def _complain(self, errors: Sequence[FieldError]) -> None:
        rules = self._rules
        if rules.mode == "off":
            return
        rules.complaint(self._exchange, self._status, errors)
        if rules.mode == "enforce":
            raise ProblemError(
                "answer-refused",
                f"The {rules.service} service gave an answer that the description of this operation does not "
                "allow, so it was held back; the gateway's log says what is wrong with it.",
            )


def _pruned(body: bytes, pruner: Pruner) -> bytes | None:
    """Return the body without undeclared members; None where it has none, or is no JSON."""
    exact = may_have_long_numbers(body)  # orjson rounds integers beyond 64 bits
    try:
        value: Any = json.loads(body) if exact else orjson.loads(body)
    except (ValueError, RecursionError):
        return None
    if not pruner.prune(value):
        return None
    if exact:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return orjson.dumps(value)


def _wrong(detail: str) -> FieldError:
    return FieldError(location="body", name="", detail=detail)
