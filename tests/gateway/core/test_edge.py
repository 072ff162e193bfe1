"""From a request to its route and back: versions, methods, origins, headers, deadlines and failures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dhatu_gateway.core.exchange import Exchange, Principal
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.problem import KINDS, ProblemError
from dhatu_gateway.core.types import Body, Cors, MediaType, Version
from dhatu_gateway.core.upstream.errors import (
    ClientDisconnected,
    UpstreamAborted,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.support import PLATFORM, Reply, compose, head, make_route, serving

THINGS = make_route()
THING = make_route("DELETE", "/api/v1/things/{id}", operation="things.delete")
KEYS = make_route("GET", "/.well-known/keys")

OLD = Version(
    name="v1",
    state="deprecated",
    deprecated_at="2026-03-01",
    sunset="2027-01-01T00:00:00Z",
    link="https://d.example/v1",
)
NEW = Version(name="v2", state="current", deprecated_at="", sunset="", link="")
VERSIONED = replace(PLATFORM, versions=(OLD, NEW))


def sent_headers(reply: Reply) -> dict[str, str]:
    """What the service has seen; fails for repeated fields."""
    pairs = reply.json["headers"]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


async def test_a_request_crosses_the_gateway_and_is_counted() -> None:
    bench = compose(THINGS, THING)
    async with serving(bench.edge) as client:
        reply = await client.request("DELETE", "/api/v1/things/%61b%2a")
        assert (reply.json["method"], reply.json["target"]) == ("DELETE", "/api/v1/things/ab%2A")
    assert bench.counts.recorded == [("things.delete", 200)]
    assert bench.counts.in_flight == 0


async def test_unknown_paths_and_methods_say_so() -> None:
    bench = compose(THINGS, make_route("PUT"))
    async with serving(bench.edge) as client:
        unknown = await client.request("GET", "/api/v1/nothing")
        wrong = await client.request("POST", "/api/v1/things")
        odd = await client.request("GET", "/api/v1/../things")
    assert (unknown.status, unknown.json["instance"]) == (404, "/api/v1/nothing")
    assert unknown.json["type"].endswith("/problems/not-found")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, PUT")
    assert (odd.status, "dot segment" in odd.json["detail"]) == (400, True)
    assert bench.counts.refusals == ["not-found", "method-not-allowed", "malformed-request"]
    assert bench.counts.recorded == [("", 404), ("", 405), ("", 400)]


async def test_the_request_id_is_kept_if_it_is_sane_and_made_otherwise() -> None:
    async with serving(compose(THINGS).edge) as client:
        for given, kept in (("abc-1:2", True), ("a b", False), ("x" * 129, False), ('"><script>', False)):
            reply = await client.request("GET", "/api/v1/things", headers={"X-Request-Id": given})
            id_ = reply.headers["x-request-id"]
            assert (id_ == given) is kept
            assert sent_headers(reply)["x-request-id"] == id_
        ids = {(await client.request("GET", "/no")).json["request_id"] for _ in range(3)}
        assert len(ids) == 3


# -- versions


async def test_the_version_may_come_in_a_header() -> None:
    routes = (THINGS, make_route("GET", "/api/v2/things"), THING, KEYS)
    async with serving(compose(*routes, platform=VERSIONED).edge) as client:

        async def target(path: str, version: str | None = None) -> Reply:
            return await client.request("GET", path, headers={"API-Version": version} if version else None)

        current = await target("/api/things")
        assert (current.json["target"], current.headers["vary"]) == ("/api/v2/things", "API-Version")
        assert (await target("/api/things", "v1")).json["target"] == "/api/v1/things"
        assert (await target("/api/things", "1")).json["target"] == "/api/v1/things"
        assert (await target("/api/v1/things", "v2")).json["target"] == "/api/v1/things"
        assert (await target("/.well-known/keys")).status == 200
        unknown = await target("/api/things", "v9")
        assert (unknown.status, "v1, v2" in unknown.json["detail"]) == (400, True)
        assert (await target("/api/nothing", "v1")).status == 404
        assert (await target("/api/v2/nothing")).status == 404
        assert (await target("/elsewhere")).status == 404


async def test_old_versions_and_operations_say_that_they_are_old() -> None:
    fresh = make_route("GET", "/api/v2/things")
    old = make_route("GET", "/api/v2/old", deprecated=True, sunset="2026-12-31")
    async with serving(compose(THINGS, fresh, old, platform=VERSIONED).edge) as client:
        of_version = (await client.request("GET", "/api/v1/things")).headers
        of_operation = (await client.request("GET", "/api/v2/old")).headers
        of_none = (await client.request("GET", "/api/v2/things")).headers
    assert of_version["deprecation"] == "@1772323200"
    assert of_version["sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    successor = '</api/v2/things>; rel="successor-version"'
    assert of_version["link"] == f'<https://d.example/v1>; rel="deprecation", {successor}'
    assert (of_operation["deprecation"], of_operation["sunset"]) == ("@0", "Thu, 31 Dec 2026 00:00:00 GMT")
    assert not {"deprecation", "sunset", "link"} & of_none.keys()


async def test_without_a_version_the_newest_that_has_the_path_is_meant() -> None:
    routes = (
        THINGS,
        make_route("GET", "/api/v2/things"),
        make_route("GET", "/api/v1/only/{id}"),
        make_route("GET", "/api/v10/things"),
    )
    names = ("v1", "v10", "v2")
    versions = tuple(
        Version(name=name, state="current", deprecated_at="", sunset="", link="") for name in names
    )
    async with serving(compose(*routes, platform=replace(PLATFORM, versions=versions)).edge) as client:
        assert (await client.request("GET", "/api/things")).json["target"] == "/api/v10/things"
        assert (await client.request("GET", "/api/only/7")).json["target"] == "/api/v1/only/7"
        asked = await client.request("GET", "/api/only/7", headers={"API-Version": "v2"})
        assert asked.status == 404


async def test_a_deprecated_operation_names_its_successor_with_the_same_values() -> None:
    old = make_route("GET", "/api/v1/things/{id}", deprecated=True)
    new = make_route("GET", "/api/v2/things/{id}")
    removed = make_route("DELETE", "/api/v1/things/{id}", deprecated=True)
    async with serving(compose(old, new, removed, platform=VERSIONED).edge) as client:
        link = (await client.request("GET", "/api/v1/things/a%20b")).headers["link"]
        without = (await client.request("DELETE", "/api/v1/things/7")).headers["link"]
    assert link.endswith('</api/v2/things/a%20b>; rel="successor-version"')
    assert "successor-version" not in without


def test_a_path_must_carry_its_version() -> None:
    with pytest.raises(ValueError, match="does not carry its version"):
        compose(make_route("GET", "/things", version="v1"))


# -- origins


async def test_pages_of_any_origin_may_call() -> None:
    preflight = {"Origin": "https://page.example", "Access-Control-Request-Method": "DELETE"}
    async with serving(compose(THING).edge) as client:
        allowed = await client.request("OPTIONS", "/api/v1/things/7", headers=preflight)
        simple = await client.request(
            "DELETE", "/api/v1/things/7", headers={"Origin": "https://page.example"}
        )
        failed = await client.request("GET", "/no", headers={"Origin": "https://page.example"})
        plain = await client.request("OPTIONS", "/api/v1/things/7")
    assert (allowed.status, allowed.body) == (204, b"")
    assert allowed.headers["access-control-allow-methods"] == "DELETE, OPTIONS"
    assert allowed.headers["access-control-allow-headers"] == "Content-Type"
    assert allowed.headers["access-control-max-age"] == "600"
    for reply in (allowed, simple, failed):
        assert reply.headers["access-control-allow-origin"] == "*"
    assert simple.headers["access-control-expose-headers"] == "X-Request-Id"
    assert (plain.status, plain.headers["allow"]) == (204, "DELETE, OPTIONS")
    assert "access-control-allow-origin" not in plain.headers


async def test_pages_of_other_origins_may_not() -> None:
    cors = Cors(
        allow_origins=("https://a.example",),
        allow_headers=(),
        expose_headers=(),
        allow_credentials=False,
        max_age_s=1,
    )
    async with serving(compose(THINGS, platform=replace(PLATFORM, cors=cors)).edge) as client:
        for origin, allowed in (("https://a.example", True), ("https://b.example", False), ("null", False)):
            simple = await client.request("GET", "/api/v1/things", headers={"Origin": origin})
            headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            preflight = await client.request("OPTIONS", "/api/v1/things", headers=headers)
            for reply in (simple, preflight):
                assert reply.headers.get("access-control-allow-origin") == (origin if allowed else None)
                assert reply.headers["vary"] == "Origin"


# -- headers


async def test_the_service_sees_what_the_gateway_knows_and_no_credentials() -> None:
    def authenticate(exchange: Exchange) -> None:
        exchange.principal = Principal(id="user:ada", kind="user", scopes=frozenset(), roles=frozenset())

    policies = Policies(
        authenticate=lambda route: authenticate, authorize=lambda route: None, rate_limit=lambda route: None
    )
    forged = {
        "X-Forwarded-For": "9.9.9.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "for=9.9.9.9",
        "X-Real-Ip": "9.9.9.9",
        "X-Dhatu-Principal": "user:root",
        "X_Dhatu_Principal": "user:root",
        "X-Dhatu-Principal-Scopes": "all",
        "Authorization": "Bearer secret",
        "X-Api-Key": "secret",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Proxy-Authorization": "secret",
    }
    kept = {
        "Accept": "text/plain",
        "X-Dhatu-Attempt": "2",
        "Idempotency-Key": "k",
        "Traceparent": "00-1-2-03",
    }
    async with serving(compose(THINGS, policies=policies).edge) as client:
        seen = sent_headers(await client.request("GET", "/api/v1/things", headers=forged | kept))
    assert int(seen.pop("x-dhatu-timeout-ms")) in range(4_000, 5_001)
    assert seen.pop("x-request-id")
    assert seen == {name.lower(): value for name, value in kept.items()} | {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "gateway.test",
        "x-forwarded-proto": "http",
        "x-dhatu-principal": "user:ada",
    }


async def test_a_principal_that_is_no_proper_field_value_is_not_sent() -> None:
    def authenticate(exchange: Exchange) -> None:
        exchange.principal = Principal(
            id="user:a\r\nx: y", kind="user", scopes=frozenset(), roles=frozenset()
        )

    policies = Policies(
        authenticate=lambda route: authenticate, authorize=lambda route: None, rate_limit=lambda route: None
    )
    async with serving(compose(THINGS, policies=policies).edge) as client:
        reply = await client.request("GET", "/api/v1/things")
    assert "x-dhatu-principal" not in sent_headers(reply)


async def test_what_is_the_gateways_to_say_is_not_taken_from_the_service() -> None:
    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        names = ("date", "server", "x-request-id", "ratelimit", "access-control-allow-origin", "sunset")
        headers = [(name.encode(), b"forged") for name in names]
        sink.start(200, [*headers, (b"etag", b'"1"'), (b"content-length", b"0")])
        await sink.body(b"", False)

    bench = compose(THINGS)
    bench.upstream.answer = answer
    async with serving(bench.edge) as client:
        reply = await client.request("GET", "/api/v1/things")
    assert "forged" not in reply.headers.values()
    assert reply.headers["etag"] == '"1"'


async def test_repeated_fields_are_joined_for_the_stages() -> None:
    seen: list[dict[bytes, bytes]] = []

    def look(exchange: Exchange) -> None:
        seen.append(exchange.fields)

    policies = Policies(
        authenticate=lambda route: look, authorize=lambda route: None, rate_limit=lambda route: None
    )
    fields = b"Host: a\r\nCookie: a=1\r\nAccept: x\r\ncookie: b=2\r\naccept: y\r\n"
    request = b"GET /api/v1/things HTTP/1.1\r\n" + fields + b"\r\n"
    async with serving(compose(THINGS, policies=policies).edge) as client:
        assert (await client.send(request)).status == 200
    assert (seen[0][b"cookie"], seen[0][b"accept"]) == (b"a=1; b=2", b"x, y")


# -- deadlines


async def test_the_deadline_is_the_nearest_one() -> None:
    bench = compose(THINGS)
    async with serving(bench.edge) as client:
        for sent, least, most in (("1000", 500, 1_000), ("60000", 4_500, 5_000)):
            reply = await client.request("GET", "/api/v1/things", headers={"X-Dhatu-Timeout-Ms": sent})
            assert least < int(sent_headers(reply)["x-dhatu-timeout-ms"]) <= most
        late = await client.request("GET", "/api/v1/things", headers={"X-Dhatu-Timeout-Ms": "0"})
        assert (late.status, late.json["title"]) == (504, "Deadline exceeded")
        for bad in ("-1", "soon", "1e3", "9" * 10):
            reply = await client.request("GET", "/api/v1/things", headers={"X-Dhatu-Timeout-Ms": bad})
            assert reply.status == 400
            assert reply.parts[0][:2] == ("header", "X-Dhatu-Timeout-Ms")
    assert len(bench.upstream.requests) == 2


# -- failures


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (UpstreamUnavailable("refused 10.0.0.7:80"), 503, "upstream-unavailable"),
        (UpstreamTimeout("10.0.0.7:80 sent nothing", phase="first_byte"), 504, "upstream-timeout"),
        (UpstreamProtocolError("10.0.0.7:80 sent garbage"), 502, "upstream-failed"),
        (RuntimeError("secret at 10.0.0.7"), 500, "internal-error"),
        (ProblemError("conflict", "It is there already."), 409, "conflict"),
    ],
)
async def test_a_failing_service_gets_a_problem_without_its_address(
    error: Exception, status: int, kind: str
) -> None:
    async def fail(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        raise error

    bench = compose(THINGS)
    bench.upstream.answer = fail
    async with serving(bench.edge) as client:
        reply = await client.request("GET", "/api/v1/things")
    assert (reply.status, reply.json["status"]) == (status, status)
    assert reply.json["type"] == f"https://docs.dhatu.dev/problems/{kind}"
    assert b"10.0.0.7" not in reply.body
    assert b"Traceback" not in reply.body
    assert bench.counts.refusals == [kind]


@pytest.mark.parametrize(
    "error", [UpstreamAborted("broke off"), RuntimeError("bug"), ClientDisconnected("gone")]
)
async def test_a_failure_in_the_middle_cuts_the_answer_off(error: Exception) -> None:
    async def fail(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        sink.start(200, [(b"content-length", b"10")])
        await sink.body(b"abc", True)
        raise error

    bench = compose(THINGS)
    bench.upstream.answer = fail
    async with serving(bench.edge) as client, client.connect() as wire:
        await wire.write(b"GET /api/v1/things HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"problem" not in await wire.closed()
    assert bench.counts.recorded == [("GET /api/v1/things", 200)]


_ANYTHING = Body(
    required=True,
    media_types=(MediaType(media_type="application/octet-stream", schema="", kind="stream", parts=()),),
)
_BINARY = {"Content-Type": "application/octet-stream"}


async def test_bodies_that_nobody_reads_are_counted() -> None:
    route = make_route("POST", body=_ANYTHING, max_body_bytes=10)
    chunked = _BINARY | {"Transfer-Encoding": "chunked"}
    async with serving(compose(route).edge) as client:
        fits = await client.request("POST", "/api/v1/things", b"x" * 10, _BINARY)
        announced = await client.request("POST", "/api/v1/things", b"x" * 11, _BINARY)
        counted = await client.request(
            "POST", "/api/v1/things", b"6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n", chunked
        )
    assert (fits.status, len(fits.json["body"])) == (200, 10)
    assert [announced.status, counted.status] == [413, 413]


async def test_a_small_body_in_one_piece_is_no_stream() -> None:
    bench = compose(make_route("POST", body=_ANYTHING, max_body_bytes=100_000))
    small, large = b"x" * 100, b"x" * 50_000
    async with serving(bench.edge) as client:
        whole = await client.request("POST", "/api/v1/things", small, _BINARY)
        streamed = await client.request("POST", "/api/v1/things", large, _BINARY)
        asked = await client.request("POST", "/api/v1/things", small, _BINARY | {"Expect": "100-continue"})
    assert [request.stream is None for request in bench.upstream.requests] == [True, False, False]
    assert [len(reply.json["body"]) for reply in (whole, streamed, asked)] == [100, 50_000, 100]
    assert [reply.json["content_length"] for reply in (whole, streamed)] == [None, 50_000]


async def test_a_small_body_in_pieces_is_a_whole_one_for_the_service() -> None:
    bench = compose(make_route("POST", body=_ANYTHING))
    request = head("POST", "/api/v1/things", b"0123456789", _BINARY)
    async with serving(bench.edge) as client, client.connect() as wire:
        await wire.write(request[:-6], request[-6:-3], request[-3:])
        assert (await wire.reply()).json["body"] == "0123456789"


def test_every_kind_of_problem_has_a_status_and_a_title() -> None:
    for kind, (status, title) in KINDS.items():
        assert 400 <= status < 600
        assert title
        assert kind == kind.lower()
