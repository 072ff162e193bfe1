"""The part of validation that takes the body: its media type, its size and its shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import MediaType, Route
from dhatu_gateway.core.upstream.errors import ClientDisconnected
from dhatu_gateway.core.validation.apart import APART_BYTES, check_apart
from dhatu_gateway.core.validation.encodings import decode_body
from dhatu_gateway.core.validation.forms import build_form
from dhatu_gateway.core.validation.json_body import parse_json
from dhatu_gateway.core.validation.media_types import parse_content_type, require_utf_8
from dhatu_gateway.core.validation.multipart import Multipart
from dhatu_gateway.core.validation.refusals import Watch, refusal
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas

TakeBody = Callable[[Exchange, list[FieldError]], Awaitable[None] | None]
"""Takes the body and what is wrong with the parameters already; raises `ProblemError` for all of it."""
Check = Callable[[bytes], None]
"""Raises `ProblemError` for a body that is refused."""


def build_body(route: Route, schemas: Schemas, watch: Watch) -> TakeBody:
    """Take the body of a route's requests."""
    if route.validate.body == "off":
        return _passed_on(route)
    return _without_body(route, watch) if route.body is None else _Body(route, schemas, watch)


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


def _without_body(route: Route, watch: Watch) -> TakeBody:
    unexpected = FieldError(location="body", name="", detail="is not taken by this operation; send none")
    pass_on = _passed_on(route)

    def refuse(exchange: Exchange, errors: list[FieldError]) -> None:
        if content_length(exchange) != 0:
            errors.append(unexpected)
        if errors:
            raise refusal(errors)
        exchange.body = b""

    def log(exchange: Exchange, errors: list[FieldError]) -> None:
        if content_length(exchange) != 0:
            watch(exchange, refusal([unexpected]))
        pass_on(exchange, errors)

    return refuse if route.validate.body == "enforce" else log


def _passed_on(route: Route) -> TakeBody:
    limit_bytes = route.max_body_bytes

    def pass_on(exchange: Exchange, errors: list[FieldError]) -> None:
        length = content_length(exchange)
        if length is not None and length > limit_bytes:
            raise too_large(limit_bytes)
        if errors:
            raise refusal(errors)
        if length == 0:
            exchange.body = b""

    return pass_on


class _Body:
    """Chooses by media type what happens to a body."""

    def __init__(self, route: Route, schemas: Schemas, watch: Watch) -> None:
        body = route.body
        media_types: tuple[MediaType, ...] = body.media_types if body is not None else ()
        self._required = body is not None and body.required
        self._watch = watch if route.validate.body == "log" else None
        self._limit_bytes = route.max_body_bytes
        self._accepted = ", ".join(media.media_type for media in media_types)
        self._checks = {media.media_type: _check(media, schemas) for media in media_types}
        self._known = {
            name.encode("ascii"): check
            for name, check in self._checks.items()
            if check is not None and not isinstance(check, Multipart)
        }
        """By the whole field as most clients write it."""

    def __call__(self, exchange: Exchange, errors: list[FieldError]) -> Awaitable[None] | None:
        fields = exchange.fields
        length = content_length(exchange)
        if length == 0:
            exchange.body = b""
            self._settle(exchange, errors, _missing() if self._required else None)
            return None
        if length is not None and length > self._limit_bytes:
            raise too_large(self._limit_bytes)
        if b"content-encoding" in fields:
            self._decode(exchange)
        field = fields.get(b"content-type", b"")
        check = self._known.get(field)
        if check is None:
            found = self._choose(exchange, field)
            if isinstance(found, Multipart):
                found.watch(exchange, parse_content_type(field), errors, self._watch)
                return self._drain(exchange, errors) if errors else None
            check = found
        if check is not None:
            return self._take(exchange, check, errors)
        if errors:
            raise refusal(errors)
        return None

    def _decode(self, exchange: Exchange) -> None:
        try:
            decode_body(exchange, self._limit_bytes)
        except ProblemError as error:
            if self._watch is None:
                raise
            self._watch(exchange, error)

    async def _take(self, exchange: Exchange, check: Check, errors: list[FieldError]) -> None:
        body = await read_body(exchange, self._limit_bytes)
        exchange.body = body
        error = None
        if body:
            try:
                if len(body) > APART_BYTES and isinstance(check, JsonCheck):
                    await check.apart(body)
                else:
                    check(body)
            except ProblemError as found:
                error = found
        elif self._required:
            error = _missing()
        if errors or error is not None:
            self._settle(exchange, errors, error)

    async def _drain(self, exchange: Exchange, errors: list[FieldError]) -> None:
        """Read on for what else is wrong; the service shall not have a body that is refused anyway."""
        size_bytes = 0
        more = True
        while more:
            try:
                message = await exchange.receive()
            except ProblemError as error:
                if error.problem.kind != "invalid-request":
                    raise
                raise refusal(list(dict.fromkeys((*errors, *error.problem.errors)))) from error
            if message["type"] == "http.disconnect":
                raise ClientDisconnected("the client closed its connection before its request was complete")
            size_bytes += len(message.get("body", b""))
            if size_bytes > self._limit_bytes:
                raise too_large(self._limit_bytes)
            more = message.get("more_body", False)
        raise refusal(errors)

    def _settle(self, exchange: Exchange, errors: list[FieldError], of_body: ProblemError | None) -> None:
        """Refuse the request for what is wrong with its parameters and its body together."""
        if of_body is not None:
            if self._watch is not None:
                self._watch(exchange, of_body)
            elif not errors:
                raise of_body
            else:
                errors += of_body.problem.errors
        if errors:
            raise refusal(errors)

    def _choose(self, exchange: Exchange, field: bytes) -> Check | Multipart | None:
        """Find the media type; None means that the body is streamed."""
        try:
            content_type = parse_content_type(field)
            name = content_type.name
            for candidate in (name, name.partition("/")[0] + "/*", "*/*"):
                if candidate in self._checks:
                    check = self._checks[candidate]
                    if check is not None and not isinstance(check, Multipart):
                        require_utf_8(content_type, "JSON and forms")
                    return check
            raise ProblemError("unsupported-media-type", f"Send {self._accepted}.")
        except ProblemError as error:
            if self._watch is not None:
                self._watch(exchange, error)
                return None
            headers = [(b"accept", self._accepted.encode("ascii"))]
            raise ProblemError(error.problem.kind, error.problem.detail, headers=headers) from error


def _check(media: MediaType, schemas: Schemas) -> Check | Multipart | None:
    match media.kind:
        case "form":
            return build_form(media, schemas)
        case "multipart":
            return Multipart(media, schemas)
        case "json":
            return JsonCheck(media.schema, schemas)
        case "stream":
            return None


class JsonCheck:
    """Holds JSON against a schema."""

    def __init__(self, pointer: str, schemas: Schemas) -> None:
        self._pointer = pointer
        self._source = schemas.source
        self._validator = schemas.validator(pointer) if pointer else None

    def __call__(self, body: bytes) -> None:
        """Raise `ProblemError` for a body that does not fit."""
        value: Any = parse_json(body)
        validator = self._validator
        if validator is not None and not validator.is_valid(value):
            raise refusal(body_errors(validator.iter_errors(value)))

    async def apart(self, body: bytes) -> None:
        """The same, for a body so large that the others should not wait for it."""
        await check_apart(self._source(), self._pointer, body)


def _missing() -> ProblemError:
    return refusal([FieldError(location="body", name="", detail="is required")])
