"""What the four services share: one FastAPI app each, errors as RFC 9457 problem details, bounded bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias, TypedDict, TypeVar
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message

Model = TypeVar("Model", bound=BaseModel)
Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[None]]

Location: TypeAlias = Literal["body", "path", "query", "header", "cookie"]

_LOCATIONS: Final[Mapping[str, Location]] = {
    "body": "body",
    "path": "path",
    "query": "query",
    "header": "header",
    "cookie": "cookie",
}

PROBLEM_PREFIX: Final = "https://docs.dhatu.dev/problems/"
_KINDS: Final = {
    400: ("invalid-request", "Invalid request"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    413: ("content-too-large", "Content too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
    500: ("internal-error", "Internal error"),
}


class FieldError(TypedDict):
    """One part of a request that was refused."""

    location: Location
    name: str
    """Name of the parameter, or the JSON Pointer into the body."""
    detail: str


class ServiceProblem(Exception):
    """A request that cannot be answered: becomes a problem+json answer with this status."""

    def __init__(self, status: int, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)


def create_service(title: str, *, lifespan: Lifespan | None = None) -> FastAPI:
    """An app that answers `GET /health`, its document, and every error as problem+json; no pages."""
    app = FastAPI(title=title, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False
    app.add_api_route("/health", _health, methods=["GET"])
    app.add_exception_handler(ServiceProblem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_unexpected)
    return app


def media_type(request: Request) -> str:
    """The media type of the body, lower case and without parameters; empty where none was sent."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def limited(request: Request, *, max_bytes: int) -> Request:
    """The same request; reading its body raises `ServiceProblem` 413 as soon as it exceeds `max_bytes`."""
    read_bytes = 0

    async def receive() -> Message:
        nonlocal read_bytes
        message = await request.receive()
        read_bytes += len(message.get("body", b""))
        if read_bytes > max_bytes:
            raise ServiceProblem(413, f"The body may have {max_bytes} bytes.")
        return message

    return Request(request.scope, receive)


async def read_model(request: Request, model: type[Model], *, max_bytes: int) -> Model:
    """The body, JSON, as a model; raises `ServiceProblem` 400 that names every refused part, or 413."""
    return parse_model(await limited(request, max_bytes=max_bytes).body(), model)


def parse_model(body: bytes, model: type[Model]) -> Model:
    """A JSON text as a model; raises `ServiceProblem` 400 that names every refused part."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise refused(field_errors(error)) from error


def refused(errors: Sequence[FieldError]) -> ServiceProblem:
    """A 400 for parts of a request that do not match the service's document."""
    parts = (
        "1 part of the request was refused"
        if len(errors) == 1
        else f"{len(errors)} parts of the request were refused"
    )
    return ServiceProblem(400, f"{parts}; see errors.", errors=errors)


def field_errors(error: ValidationError) -> list[FieldError]:
    """What pydantic refused in a body, each part by its JSON Pointer."""
    return [
        FieldError(location="body", name=_pointer(item["loc"]), detail=_detail(item["type"], item["msg"]))
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def problem_response(
    request: Request, problem: ServiceProblem, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The problem+json answer for `problem` (RFC 9457)."""
    kind, title = _KINDS.get(problem.status) or _unlisted_kind(problem.status)
    content: dict[str, Any] = {
        "type": PROBLEM_PREFIX + kind,
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": quote(request.scope["path"], safe="/:@!$&'()*+,;=~"),
    }
    if request_id := request.headers.get("x-request-id"):
        content["request_id"] = request_id
    if problem.errors:
        content["errors"] = list(problem.errors)
    return JSONResponse(content, problem.status, headers=headers, media_type="application/problem+json")


async def _health() -> dict[str, str]:
    return {"status": "ok"}


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceProblem)
    return problem_response(request, error)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:  # the router's own
        details = {
            404: f"Nothing is served at {request.scope['path']}.",
            405: f"{request.method} is not allowed here; see the Allow header.",
        }
        detail = details.get(error.status_code, detail)
    return problem_response(request, ServiceProblem(error.status_code, detail), error.headers)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problem_response(request, refused([_request_part(item) for item in error.errors()]))


async def _on_disconnect(request: Request, error: Exception) -> JSONResponse:
    # Nobody reads this answer; it keeps a traceback out of the log.
    return problem_response(request, ServiceProblem(400, "The body was cut off."))


async def _on_unexpected(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises the error again once this answer is sent, so that the server logs it.
    return problem_response(request, ServiceProblem(500, "The service failed; its log says why."))


def _request_part(item: Mapping[str, Any]) -> FieldError:
    first, *rest = item["loc"]
    location = _LOCATIONS.get(first, "body")
    name = _pointer(tuple(rest)) if location == "body" else ".".join(str(part) for part in rest)
    return FieldError(location=location, name=name, detail=_detail(item["type"], item["msg"]))


def _pointer(path: Sequence[str | int]) -> str:
    """A JSON Pointer (RFC 6901).

    >>> _pointer(("documents", 0, "a/b"))
    '/documents/0/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _detail(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not known here"
    return message[:1].lower() + message[1:]


def _unlisted_kind(status: int) -> tuple[str, str]:
    phrase = HTTPStatus(status).phrase
    return phrase.lower().replace(" ", "-"), phrase.capitalize()
