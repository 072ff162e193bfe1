"""The stage that takes the body: its media type, its size and, where it is JSON, its shape."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import MediaType, Route
from dhatu_gateway.core.upstream.errors import ClientDisconnected
from dhatu_gateway.core.validation.json_body import parse_json
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas

_logger = logging.getLogger("dhatu.validation")

Check = Callable[[bytes], None]
"""Raises `ProblemError` for a body that is refused."""


def build_body(route: Route, schemas: Schemas) -> Stage:
    """Take the body of a route's requests."""
    if route.body is None:
        return _without_body
    if route.validate_request == "off":
        return _streamed(route)
    return _Body(route, schemas)


def content_length(exchange: Exchange) -> int | None:
    """Return the announced length of the body; None for one that comes in chunks."""
    if b"transfer-encoding" in exchange.fields:
        return None
    return int(exchange.fields.get(b"content-length", b"0"))


def too_large(limit_bytes: int) -> ProblemError:
    return ProblemError("content-too-large", f"The body may have {limit_bytes} bytes.")


async def read_body(exchange: Exchange, limit_bytes: int) -> bytes:
    """Receive the whole body; raises `ProblemError` (413) as soon as it is too large."""
    receive = exchange.receive
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False):
        if len(body) > limit_bytes:
            raise too_large(limit_bytes)
        return body
    parts = [body]
    size_bytes = len(body)
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client closed its connection before its request was complete")
        if size_bytes > limit_bytes:
            raise too_large(limit_bytes)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
        part: bytes = message.get("body", b"")
        parts.append(part)
        size_bytes += len(part)


def _without_body(exchange: Exchange) -> None:
    if content_length(exchange) != 0:
        raise ProblemError("invalid-request", "This operation takes no body.")
    exchange.body = b""


def _streamed(route: Route) -> Stage:
    limit_bytes = route.max_body_bytes

    def pass_on(exchange: Exchange) -> None:
        length = content_length(exchange)
        if length is not None and length > limit_bytes:
            raise too_large(limit_bytes)

    return pass_on


class _Body:
    """Chooses by media type what happens to a body."""

    def __init__(self, route: Route, schemas: Schemas) -> None:
        body = route.body
        media_types: tuple[MediaType, ...] = body.media_types if body is not None else ()
        self._required = body is not None and body.required
        self._limit_bytes = route.max_body_bytes
        self._accepted = ", ".join(media.media_type for media in media_types)
        self._checks = {media.media_type: _check(route, media, schemas) for media in media_types}
        self._known = {
            name.encode("ascii"): check for name, check in self._checks.items() if check is not None
        }
        """By the whole field as most clients write it."""

    def __call__(self, exchange: Exchange) -> Awaitable[None] | None:
        fields = exchange.fields
        length = content_length(exchange)
        if length == 0:
            exchange.body = b""
            if self._required:
                raise _missing()
            return None
        if length is not None and length > self._limit_bytes:
            raise too_large(self._limit_bytes)
        field = fields.get(b"content-type", b"")
        check = self._known.get(field)
        if check is None:
            check = self._choose(field)
            if check is None:
                return None
        return self._take(exchange, check)

    async def _take(self, exchange: Exchange, check: Check) -> None:
        body = await read_body(exchange, self._limit_bytes)
        exchange.body = body
        if body:
            check(body)
        elif self._required:
            raise _missing()

    def _choose(self, field: bytes) -> Check | None:
        """Find the media type; None means that the body is streamed."""
        name, _, parameters = field.decode("latin-1").lower().partition(";")
        name = name.strip()
        for candidate in (name, name.partition("/")[0] + "/*", "*/*"):
            if candidate in self._checks:
                check = self._checks[candidate]
                if check is not None and not _is_utf8(parameters):
                    raise ProblemError("unsupported-media-type", "JSON must be sent in UTF-8.")
                return check
        raise ProblemError(
            "unsupported-media-type",
            f"Send {self._accepted}.",
            headers=[(b"accept", self._accepted.encode("ascii"))],
        )


def _check(route: Route, media: MediaType, schemas: Schemas) -> Check | None:
    if not media.buffered:
        return None
    validator = schemas.validator(media.schema) if media.schema else None

    def check(body: bytes) -> None:
        value: Any = parse_json(body)
        if validator is not None and not validator.is_valid(value):
            raise refusal(body_errors(validator.iter_errors(value)))

    def check_and_log(body: bytes) -> None:
        try:
            check(body)
        except ProblemError as error:
            log_refusal(route, error)

    return check_and_log if route.validate_request == "log" else check


def refusal(errors: Sequence[FieldError]) -> ProblemError:
    """Refuse a request for all of its errors at once."""
    count = "1 part of the request was" if len(errors) == 1 else f"{len(errors)} parts of the request were"
    return ProblemError("invalid-request", f"{count} refused; see errors.", errors=errors)


def log_refusal(route: Route, error: ProblemError) -> None:
    """Note what would have been refused."""
    parts = "; ".join(f"{e.location} {e.name}: {e.detail}" for e in error.problem.errors)
    _logger.warning("%s: would be refused: %s", route.operation, parts or error.problem.detail)


def _missing() -> ProblemError:
    return refusal([FieldError(location="body", name="", detail="is required")])


def _is_utf8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            return False
    return True
