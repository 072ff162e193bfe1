"""Cache and log injection: what a client writes stays data, in answers, in caches and in logs."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.types import Credential, SecurityScheme
from dhatu_gateway.core.upstream.errors import UpstreamUnavailable
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.monitoring.logging import JsonFormatter
from gateway.attacks.support import GET, POST, attacked
from gateway.support import PLATFORM, compose, head, make_route, serving


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "http\u00e9"},
        {"X-Original-URL": "/api/v1/secret"},
        {"X-Forwarded-Prefix": "//evil.example"},
        {"X-HTTP-Method-Override": "POST"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_cache_poisoning_by_a_field_that_no_cache_knows(headers: dict[str, str]) -> None:
    """An answer is the same with and without a field that is not part of any cache's key."""
    async with attacked() as target:
        fixed = {"X-Request-Id": "r"}
        plain = await target.client.request("GET", "/api/v1/things", headers=fixed)
        poisoned = await target.client.request("GET", "/api/v1/things", headers=fixed | headers)
    first, second = plain.json, poisoned.json
    for seen in (first, second):
        seen["headers"] = [pair for pair in seen["headers"] if pair[0] != "x-dhatu-timeout-ms"]
    assert first == second


async def test_errors_are_not_cached() -> None:
    async with serving(compose(GET, POST).edge) as client:
        for method, target in (
            ("GET", "/no"),
            ("DELETE", "/api/v1/things"),
            ("GET", "/a//b"),
            ("GET", "/a b"),
        ):
            reply = await client.request(method, target)
            assert reply.status >= 400
            assert reply.headers["cache-control"] == "no-store"


async def test_response_splitting_by_a_request_id() -> None:
    async with attacked() as target:
        for id_ in ("a\tb", "a%0d%0aSet-Cookie: x", "a;b", "\u00e9", '"', "a,b"):
            reply = await target.client.request("GET", "/api/v1/things", headers={"X-Request-Id": id_})
            assert (reply.headers["x-request-id"] != id_, "set-cookie" in reply.headers) == (True, False)


async def test_html_in_a_path_stays_text() -> None:
    async with serving(compose(GET).edge) as client:
        reply = await client.request("GET", "/api/%3Cscript%3Ealert(1)%3C/script%3E")
        odd = await client.request("GET", "/<script>")
    assert reply.headers["content-type"] == odd.headers["content-type"] == "application/problem+json"
    assert b"<script>" not in reply.body + odd.body


async def test_log_injection_by_what_a_client_sends(caplog: pytest.LogCaptureFixture) -> None:
    """Each record is one line, whatever is in a path, a query, a field or an error of the service."""

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        raise UpstreamUnavailable('x\r\n{"level":"error","message":"forged"}\x1b[2J\x9b2J\u2028\x85')

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a\nb")

    async with attacked() as target:
        target.bench.upstream.answer = answer
        await target.client.request("GET", "/api/v1/things", headers={"X": "\u00e9"})
    async with serving(broken) as client:
        await client.send(head("GET", "/%0a%1b[2J?%0d", headers={"User-Agent": "\u0085"}))
    with caplog.at_level(logging.WARNING):
        lines = [JsonFormatter().format(record) for record in caplog.records]
    assert len(lines) == 2
    for line in lines:
        assert json.loads(line)["level"] in ("warning", "error")
        assert line.isprintable()


KEY = SecurityScheme(key="key", kind="api_key", location="header", parameter="X-API-Key")
QUERY = SecurityScheme(key="query", kind="api_key", location="query", parameter="key")
COOKIE = SecurityScheme(key="cookie", kind="api_key", location="cookie", parameter="session")
BEARER = SecurityScheme(key="bearer", kind="bearer", location="header", parameter="Authorization")


@pytest.mark.parametrize(
    ("security", "vary"),
    [
        ((), None),
        ((("key",),), "X-API-Key"),
        ((("key",), ("bearer",)), "Authorization, X-API-Key"),
        ((("key", "cookie"), ()), "Cookie, X-API-Key"),
        ((("query",),), None),  # part of the URL already
    ],
)
async def test_an_answer_for_one_caller_is_not_kept_for_another(
    security: tuple[tuple[str, ...], ...], vary: str | None
) -> None:
    required = tuple(tuple(Credential(scheme=name, scopes=()) for name in names) for names in security)
    platform = replace(PLATFORM, security_schemes=(KEY, QUERY, COOKIE, BEARER))
    async with serving(compose(make_route(security=required), platform=platform).edge) as client:
        reply = await client.request("GET", "/api/v1/things")
    assert (reply.status, reply.headers.get("vary")) == (200, vary)
