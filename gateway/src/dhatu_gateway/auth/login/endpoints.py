"""The operations that a browser goes through to sign in at a provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response

from dhatu_gateway.auth.answers import CHALLENGE, refusing, token_pair
from dhatu_gateway.auth.login.attempts import Cookie
from dhatu_gateway.auth.login.errors import Failure, LoginError
from dhatu_gateway.auth.login.flow import FORGED, Callback, Logins, Outcome, Returned
from dhatu_gateway.auth.tokens import TokenPair
from dhatu_gateway.core.exchange import SCOPE_KEY, Exchange
from dhatu_gateway.core.problem import Kind, ProblemError
from dhatu_gateway.generated import models

KINDS: dict[Failure, Kind] = {
    "access_denied": "forbidden",
    "login_failed": "unauthorized",
    "unavailable": "unavailable",
}
MAX_PARAMETERS = 50


def add_logins(router: APIRouter, logins: Logins, wall_clock: Callable[[], float]) -> None:
    """Handlers of `startLogin` and `finishLogin`."""

    @router.get("/api/v1/auth/login/{provider}", status_code=302, response_model=None)
    async def start(
        provider: str,
        return_to: Annotated[str | None, Query(max_length=2000)] = None,
        code_challenge: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{43}$")] = None,
    ) -> Response:
        _check_known(logins, provider)
        try:
            begun = await logins.begin(
                provider, return_to=return_to, challenge=code_challenge, now_s=wall_clock()
            )
        except LoginError as error:
            kind: Kind = "unavailable" if error.failure == "unavailable" else "invalid-request"
            raise ProblemError(kind, str(error)) from error
        return _redirect(302, begun.location, begun.cookie)

    @router.get("/api/v1/auth/callback/{provider}", response_model=None)
    async def finish(provider: str, request: Request, response: Response) -> Response | models.TokenPair:
        _check_known(logins, provider)
        exchange: Exchange = request.scope[SCOPE_KEY]
        try:
            callback = read_callback(exchange.query)
            with refusing():
                outcome, cookie = await logins.finish(provider, callback, request.cookies, now_s=wall_clock())
        except LoginError as error:
            raise ProblemError("invalid-request", str(error)) from error
        return _answer(outcome, cookie, response)


def _check_known(logins: Logins, provider: str) -> None:
    if provider not in logins.parties:
        raise ProblemError("not-found", f"Nobody can sign in at a provider called {provider}.")


def _answer(outcome: Outcome, cookie: Cookie, response: Response) -> Response | models.TokenPair:
    match outcome:
        case Returned():
            # 303: whatever the browser sent here, it asks the page with GET.
            return _redirect(303, outcome.location, cookie)
        case TokenPair():
            response.headers["set-cookie"] = cookie.header
            return token_pair(outcome, response)
        case LoginError():
            headers = [(b"set-cookie", cookie.header.encode("ascii"))]
            if outcome.failure == "login_failed":
                headers.append(CHALLENGE)
            raise ProblemError(KINDS[outcome.failure], str(outcome), headers=headers)


def _redirect(status: int, location: str, cookie: Cookie) -> Response:
    headers = {"location": location, "set-cookie": cookie.header, "cache-control": "no-store"}
    return Response(status_code=status, headers=headers)


def read_callback(query: bytes) -> Callback:
    """What the provider sent the browser with; raises `LoginError` for what can be read in two ways.

    >>> read_callback(b"state=a&code=b&session_state=c").state
    'a'
    """
    try:
        found = parse_qs(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError as error:
        raise LoginError(FORGED) from error

    def one(name: str) -> str | None:
        values = found.get(name, [])
        # RFC 6749 section 3.1: no parameter more than once.
        if len(values) > 1:
            raise LoginError(FORGED)
        return values[0] if values else None

    return Callback(state=one("state") or "", code=one("code"), issuer=one("iss"), error=one("error"))
