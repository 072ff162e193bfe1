"""No secret is ever shown: every repr, message, pickle, event, span, warning and log record is searched."""

from __future__ import annotations

import logging
import pickle
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from dhatu_client import (
    APIKeyGrant,
    ArgumentError,
    BreakerPolicy,
    ClientCredentials,
    ConfigurationError,
    ConsulEndpoints,
    DhatuError,
    DiscoveryError,
    PasswordGrant,
    RefreshToken,
    Resilience,
    Token,
)
from dhatu_client._call import BodySpec, SchemeSpec
from sdk.auth.world import READ, TOKEN_API, Connect
from sdk.support import Caller

CANARIES = {
    name: f"canary-{name.replace(' ', '-')}-7Qx"
    for name in (
        "api key", "token", "client secret", "password", "refresh token", "userinfo", "header", "query",
        "body", "access token", "new refresh token", "extra", "idempotency key",
    )
}  # fmt: skip

API = replace(
    TOKEN_API,
    schemes=(
        *TOKEN_API.schemes,
        SchemeSpec(key="queryKey", kind="api_key", location="query", parameter="key"),
        SchemeSpec(key="cookieKey", kind="api_key", location="cookie", parameter="key"),
        SchemeSpec(key="basic", kind="basic"),
    ),
)
BASE_URL = f"https://user:{CANARIES['userinfo']}@api.sample.test/base"

WRITE = replace(
    READ,
    method="POST",
    retry="keyed",
    deprecated="documents.write goes away",
    bodies=(BodySpec(media_type="application/json", kind="json", argument="value"),),
    security=(("bearer", "queryKey"), ("bearer",), ("basic",), ("queryKey",)),
)

GIVEN: dict[str, dict[str, Any]] = {
    "static": {"api_key": CANARIES["api key"], "token": CANARIES["token"]},
    "by scheme": {"credentials": {"queryKey": CANARIES["api key"], "basic": ("u", CANARIES["password"])}},
    "cookie": {"credentials": {"cookieKey": CANARIES["api key"]}},
    "basic": {"username": "u", "password": CANARIES["password"]},
    "function": {"token": lambda: Token(CANARIES["token"], 60.0, CANARIES["refresh token"])},
    "client": {
        "auth": ClientCredentials(
            client_id="c", client_secret=CANARIES["client secret"], extra={"x": CANARIES["extra"]}
        )
    },
    "client by post": {
        "auth": ClientCredentials(client_id="c", client_secret=CANARIES["client secret"], client_auth="post")
    },
    "refresh": {
        "auth": RefreshToken(
            refresh_token=CANARIES["refresh token"], client_secret=CANARIES["client secret"], client_id="c"
        )
    },
    "password": {"auth": PasswordGrant(username="u", password=CANARIES["password"])},
    "key": {"auth": APIKeyGrant(api_key=CANARIES["api key"])},
}

TOKENS = httpx.Response(
    200,
    json={
        "access_token": CANARIES["access token"],
        "refresh_token": CANARIES["new refresh token"],
        "expires_in": 60,
    },
)
ECHO = " ".join(CANARIES.values())
ENDINGS: dict[str, httpx.Response | Exception] = {
    "success": httpx.Response(200, json={}),
    "no JSON": httpx.Response(200, content=b"<"),
    "401": httpx.Response(401, json={"title": "Unauthorized"}),
    "429": httpx.Response(429, headers={"retry-after": "1"}),
    "500": httpx.Response(500),
    "refused": httpx.ConnectError("refused"),
    "late": httpx.ReadTimeout("late"),
    "lost": httpx.RemoteProtocolError("garbage"),
}


FROM_WITHIN_A_BODY = ("ChecksumError", "StreamError")
"""Raised by the reading of an answer, long after the request: they are made of what the server sent."""
FROM_WHAT_WAS_ANSWERED = ("JobFailedError", "JobTimeoutError", "PaginationError")
"""They quote the operation and the state of a job, but nothing that was sent."""


class Shown:
    """Everything that a person or a program could come to see."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, *things: object) -> None:
        for thing in things:
            self.texts += [repr(thing), str(thing), f"{thing}"]

    def error(self, error: BaseException) -> None:
        self(error, error.args, vars(error))
        self.texts.append("".join(traceback.format_exception(error)))
        self.texts.append(pickle.dumps(error, protocol=0).decode("latin-1"))

    def found(self) -> set[str]:
        text = "\n".join(self.texts)
        return {name for name, canary in CANARIES.items() if canary in text}


class Spans:
    """A tracer that shows all it is told."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self.headers = (("traceparent", "00-1-1-01"),)

    def start_call(self, *told: object) -> Spans:
        self._shown(*told)
        return self

    def start_attempt(self, *told: object) -> Spans:
        self._shown(*told)
        return self

    def end(self, *told: object) -> None:
        self._shown(*told)


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Iterator[Shown]:
    """What was shown; log records of every logger at every level are."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "dhatu_client", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    shown = Shown()
    yield shown
    for record in caplog.get_records("call"):  # by now `records` holds those of the teardown
        shown(record.getMessage(), record.args, record.exc_text)
    assert shown.found() == set()


def watched(connect: Connect, handler: Any, shown: Shown, **settings: Any) -> Caller:
    """A client with everything turned on that could tell something."""

    def listen(event: object) -> None:
        shown(event)
        if "Started" in type(event).__name__:
            raise RuntimeError("a listener that fails is logged")

    caller = connect(
        handler,
        api=API,
        on_event=listen,
        tracer=Spans(shown),
        resilience=Resilience(breaker=BreakerPolicy(failures=1)),
        **{"base_url": BASE_URL, **settings},
    )
    shown(caller.client, caller.client._settings, caller.client._settings.credentials, caller.client._engine)
    return caller


def write(caller: Caller, shown: Shown) -> DhatuError | None:
    """A call that holds a secret wherever one can be, and how it failed."""
    failed: DhatuError | None = None
    options = {
        "extra_headers": {"X-Also": CANARIES["header"]},
        "extra_query": {"also": CANARIES["query"]},
        "idempotency_key": CANARIES["idempotency key"],
    }
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            caller.call(WRITE, options=options, value={"secret": CANARIES["body"]})
        except DhatuError as error:
            shown.error(error)
            failed = error
    shown(*(warning.message for warning in warned))
    return failed


def server(ending: httpx.Response | Exception, tokens: httpx.Response | Exception = TOKENS) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        met = ending if request.url.path == "/base/documents" else tokens
        if isinstance(met, Exception):
            raise met
        return httpx.Response(met.status_code, headers=met.headers, content=met.content)

    return answer


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=list(ENDINGS))
@pytest.mark.parametrize("given", GIVEN.values(), ids=list(GIVEN))
def test_however_a_call_ends(connect: Connect, shown: Shown, given: dict[str, Any], ending: Any) -> None:
    caller = watched(connect, server(ending), shown, **given)
    write(caller, shown)
    write(caller, shown)
    shown(caller.client)


@pytest.mark.parametrize(
    "tokens",
    [
        httpx.Response(400, json={"error": "invalid_grant", "error_description": ECHO}),
        httpx.Response(400, json={"error": ECHO}),
        httpx.Response(400, json={"title": "No", "detail": ECHO, "errors": [{"name": ECHO}]}),
        httpx.Response(400, text=ECHO),
        httpx.Response(302, headers={"location": f"https://evil.test/{ECHO}"}),
        httpx.Response(503, text=ECHO),
        httpx.ConnectError("refused"),
        httpx.Response(200, json={"access_token": CANARIES["access token"] + "\n"}),
        httpx.Response(200, json={"access_token": CANARIES["access token"], "token_type": "mac"}),
        httpx.Response(200, text=CANARIES["access token"]),
    ],
)
@pytest.mark.parametrize(
    "auth",
    [
        ClientCredentials(client_id="c", client_secret=CANARIES["client secret"]),
        RefreshToken(refresh_token=CANARIES["refresh token"]),
        PasswordGrant(username="u", password=CANARIES["password"]),
        APIKeyGrant(api_key=CANARIES["api key"]),
    ],
    ids=lambda auth: type(auth).__name__,
)
def test_however_a_token_endpoint_refuses(connect: Connect, shown: Shown, auth: Any, tokens: Any) -> None:
    if isinstance(tokens, httpx.Response):  # says what it was sent, but not what it was not
        sent = (
            CANARIES["client secret"],
            CANARIES["refresh token"],
            CANARIES["password"],
            CANARIES["api key"],
        )
        own = " ".join(secret for secret in sent if secret in repr(vars_of(auth)))
        content = tokens.text.replace(ECHO, own).encode()
        tokens = httpx.Response(tokens.status_code, headers=tokens.headers, content=content)
        tokens.headers.pop("content-length", None)
    write(watched(connect, server(httpx.Response(200, json={}), tokens), shown, auth=auth), shown)


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": CANARIES["api key"] + "\n"},
        {"token": CANARIES["token"] + "ś"},
        {"token": lambda: CANARIES["token"] + "\n"},
        {"token": CANARIES["token"], "auth": APIKeyGrant(api_key=CANARIES["api key"])},
        {"auth": CANARIES["token"]},
        {"password": CANARIES["password"]},
        {"username": "a:b", "password": CANARIES["password"]},
        {"credentials": {"nothing": CANARIES["api key"]}},
        {"credentials": {"basic": CANARIES["password"]}},
        {"credentials": {"bearer": ("u", CANARIES["password"])}},
        {"credentials": {"apiKey": APIKeyGrant(api_key=CANARIES["api key"])}},
        {"base_url": f"ftp://u:{CANARIES['userinfo']}@host"},
        {"base_url": f"https://u:{CANARIES['userinfo']}@host?x"},
        {"base_url": [f"https://u:{CANARIES['userinfo']}@host", ""]},
        {
            "auth": ClientCredentials(
                client_id="c",
                client_secret=CANARIES["client secret"],
                token_url=f"http://u:{CANARIES['userinfo']}@host/?{CANARIES['query']}",
            )
        },
    ],
)
def test_however_a_client_is_set_up_wrongly(connect: Connect, shown: Shown, settings: dict[str, Any]) -> None:
    try:
        write(watched(connect, server(TOKENS), shown, **settings), shown)
    except DhatuError as error:
        shown.error(error)


def test_what_is_made_of_secrets_hides_them(shown: Shown) -> None:
    shown(Token(CANARIES["token"], 1.0, CANARIES["refresh token"]))
    shown([Token(CANARIES["token"])])
    for given in GIVEN.values():
        shown(given.get("auth"))
    assert "expires_in_s=1.0" in shown.texts[0]


def test_the_search_would_find_one() -> None:
    shown = Shown()
    shown({"deep": [CANARIES["token"]]})
    shown.error(DhatuError(CANARIES["password"]))
    assert shown.found() == {"token", "password"}


def test_every_class_of_error_was_searched(connect: Connect, shown: Shown) -> None:
    """A class that no ending here raises has to be thought of: what of its arguments does it show?"""
    statuses = (400, 401, 403, 404, 409, 413, 415, 418, 422, 429, 500)
    endings: list[httpx.Response | Exception] = [httpx.Response(status) for status in statuses]
    endings += [*ENDINGS.values(), httpx.ConnectTimeout("slow")]
    seen: set[type] = set()
    for ending in endings:
        for settings in ({}, {"attempt_timeout_s": 1.0}):
            caller = watched(connect, server(ending), shown, **GIVEN["static"], **settings)
            seen |= {type(write(caller, shown)), type(write(caller, shown))}
    refusing = watched(connect, server(TOKENS, httpx.Response(400)), shown, **GIVEN["client"])
    seen.add(type(write(refusing, shown)))
    lost = watched(connect, server(httpx.Response(403)), shown, base_url=consul())
    seen.add(type(write(lost, shown)))
    for wrong, kind in (({"api_key": "\n"}, ConfigurationError), ({}, ArgumentError)):
        with pytest.raises(kind) as raised:
            connect(api=API, **wrong).call(READ, options={"extra_headers": {"Host": "\n"}})
        seen.add(raised.type)
    unseen = {kind.__name__ for kind in tree(DhatuError) - seen}
    known = {*FROM_WITHIN_A_BODY, *FROM_WHAT_WAS_ANSWERED}
    assert unseen <= {"DhatuError", "TransportError", *known}, "the first two are only caught"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_provider_that_fails(connect: Connect, shown: Shown, ending: str) -> None:
    provider = consul()
    shown(provider)
    error = write(watched(connect, server(ENDINGS[ending]), shown, base_url=provider), shown)
    assert isinstance(error, DiscoveryError)


def consul() -> ConsulEndpoints:
    return ConsulEndpoints(
        service="api",
        address=f"http://user:{CANARIES['userinfo']}@127.0.0.1:8500",
        token=CANARIES["token"],
    )


def tree(kind: type[DhatuError]) -> set[type[DhatuError]]:
    return {kind}.union(*(tree(child) for child in kind.__subclasses__()))


def test_httpx_logs_no_query_of_ours_but_all_of_others(
    connect: Connect, caplog: pytest.LogCaptureFixture, shown: Shown
) -> None:
    write(watched(connect, server(ENDINGS["success"]), shown, **GIVEN["static"]), shown)
    assert "POST https://api.sample.test/base/documents " in caplog.text
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(204))) as client:
        client.get("https://other.test/?page=2")
    assert "https://other.test/?page=2" in caplog.text


def vars_of(auth: Any) -> dict[str, Any]:
    return {name: getattr(auth, name) for name in auth.__slots__}
