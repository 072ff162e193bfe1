"""The gateway's own operations: a FastAPI application behind the same stages as every other route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from dhatu_gateway.auth.endpoints import auth_router
from dhatu_gateway.auth.setup import Auth
from dhatu_gateway.core.exchange import SCOPE_KEY, Exchange
from dhatu_gateway.core.local import Application
from dhatu_gateway.core.problem import KINDS, FieldError, Kind, ProblemError
from dhatu_gateway.core.types import Route
from dhatu_gateway.monitoring.endpoints import Shown, monitoring_router

SYSTEM = "system"
"""The service whose operations the gateway answers itself."""

_LOCATIONS: dict[str, Literal["body", "path", "query", "header", "cookie"]] = {
    "path": "path",
    "query": "query",
    "header": "header",
    "cookie": "cookie",
}


def build_system(auth: Auth, shown: Shown, routes: Iterable[Route]) -> Application:
    """Return the application; raises `ValueError` where it and the table of routes do not agree."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    routers = (auth_router(auth), monitoring_router(shown))
    check_agreement([route for router in routers for route in router.routes], routes)
    for router in routers:
        app.include_router(router)
    for kind in (ProblemError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _hand_over)
    return cast(Application, app)


def check_agreement(served: Sequence[BaseRoute], routes: Iterable[Route]) -> None:
    """Hold handlers and specification together, both ways; raises `ValueError` that names the odd ones."""
    specified = {(route.method, route.path) for route in routes if route.service == SYSTEM}
    handled = set(_operations(served))
    complaints = [f"{method} {path} has no handler" for method, path in sorted(specified - handled)]
    complaints += [
        f"{method} {path} is not in the specification" for method, path in sorted(handled - specified)
    ]
    if complaints:
        raise ValueError(
            "the gateway's own operations differ from the specification: " + "; ".join(complaints)
        )


def _operations(served: Sequence[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in served:
        if isinstance(route, APIRoute):
            for method in (route.methods or set[str]()) - {"HEAD"}:
                yield method, route.path


async def _hand_over(request: Request, error: Exception) -> Response:
    """Leave the answer to the edge, which renders every problem in one way."""
    exchange: Exchange = request.scope[SCOPE_KEY]
    exchange.refusal = _problem_of(error)
    return _Silence()


class _Silence(Response):
    """Answers nothing."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        return None


def _problem_of(error: Exception) -> Exception:
    match error:
        case HTTPException():
            by_status: dict[int, Kind] = {status: kind for kind, (status, _) in reversed(KINDS.items())}
            return ProblemError(by_status.get(error.status_code, "internal-error"), error.detail)
        case RequestValidationError():
            return ProblemError(
                "invalid-request", "The request was refused; see errors.", errors=tuple(_errors(error))
            )
        case _:
            return error


def _errors(error: RequestValidationError) -> Iterator[FieldError]:
    for part in error.errors():
        first, *rest = [str(step) for step in part["loc"]]
        location = _LOCATIONS.get(first)
        name = ".".join(rest) if location else "".join(f"/{step}" for step in rest)
        yield FieldError(location=location or "body", name=name, detail=str(part["msg"]))
