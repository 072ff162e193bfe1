"""Which pages may call what: each operation by its own rules, which are also those of its preflights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from dhatu_gateway.core.cors import CrossOrigin
from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Cors
from gateway.support import PLATFORM, Bench, Client, Reply, compose, make_route, serving

APP, ADMIN, OTHER = "https://app.example", "https://admin.example", "https://other.example"


def rules(*origins: str, **changes: Any) -> Cors:
    defaults: dict[str, Any] = {
        "allow_headers": ("Content-Type",),
        "expose_headers": ("X-Request-Id",),
        "allow_credentials": False,
        "max_age_s": 600,
    }
    return Cors(allow_origins=origins, **(defaults | changes))


def mixed(platform: Cors) -> Bench:
    """Read by all, written by two applications, deleted by one with credentials, purged by none."""
    return compose(
        make_route("GET", cors=rules("*")),
        make_route("PUT", cors=rules(APP, ADMIN)),
        make_route("PATCH", cors=rules(APP, ADMIN)),
        make_route(
            "DELETE", cors=rules(ADMIN, allow_credentials=True, allow_headers=("X-Reason",), max_age_s=5)
        ),
        make_route("POST", cors=rules()),
        make_route("GET", "/api/v1/plain"),
        platform=replace(PLATFORM, cors=platform),
    )


async def preflight(client: Client, method: str, origin: str) -> Reply:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return await client.request("OPTIONS", "/api/v1/things", headers=headers)


def cors_of(reply: Reply) -> dict[str, str]:
    prefix = "access-control-"
    return {
        name.removeprefix(prefix): value for name, value in reply.headers.items() if name.startswith(prefix)
    }


async def test_a_preflight_is_answered_by_the_operation_that_it_is_about() -> None:
    async with serving(mixed(rules("*")).edge) as client:
        read = await preflight(client, "GET", OTHER)
        write = await preflight(client, "PUT", APP)
        delete = await preflight(client, "DELETE", ADMIN)
        refused = [await preflight(client, *pair) for pair in (("PUT", OTHER), ("DELETE", APP))]
        closed = await preflight(client, "POST", ADMIN)
    assert cors_of(read) == {
        "allow-origin": "*",
        "allow-methods": "GET, HEAD, OPTIONS",
        "allow-headers": "Content-Type",
        "max-age": "600",
    }
    assert "vary" not in read.headers
    assert cors_of(write) == {
        "allow-origin": APP,
        "allow-methods": "OPTIONS, PATCH, PUT",
        "allow-headers": "Content-Type",
        "max-age": "600",
    }
    assert cors_of(delete) == {
        "allow-origin": ADMIN,
        "allow-credentials": "true",
        "allow-methods": "DELETE, OPTIONS",
        "allow-headers": "X-Reason",
        "max-age": "5",
    }
    for reply in (write, delete, *refused):
        assert (reply.status, reply.headers["vary"]) == (204, "Origin")
    assert [cors_of(reply) for reply in (*refused, closed)] == [{}, {}, {}]


async def test_a_preflight_about_no_operation_is_answered_by_the_platform() -> None:
    async with serving(mixed(rules(APP)).edge) as client:
        known, unknown = await preflight(client, "BREW", APP), await preflight(client, "BREW", OTHER)
        nowhere = await client.request("OPTIONS", "/no", headers={"Origin": APP})
    assert cors_of(known)["allow-methods"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert cors_of(unknown) == {}
    assert (nowhere.status, cors_of(nowhere)["allow-origin"]) == (404, APP)


async def test_an_answer_is_read_by_the_pages_that_its_operation_lets_in() -> None:
    async with serving(mixed(rules("*")).edge) as client:

        async def seen(method: str, origin: str | None) -> tuple[dict[str, str], str | None]:
            headers = {"Origin": origin} if origin else {}
            reply = await client.request(method, "/api/v1/things", headers=headers)
            assert reply.status == 200
            return cors_of(reply), reply.headers.get("vary")

        exposed = {"expose-headers": "X-Request-Id"}
        assert await seen("GET", OTHER) == ({"allow-origin": "*"} | exposed, None)
        assert await seen("GET", None) == ({}, None)
        assert await seen("PUT", APP) == ({"allow-origin": APP} | exposed, "Origin")
        assert await seen("PUT", OTHER) == ({}, "Origin")
        assert await seen("PUT", None) == ({}, "Origin")  # or a cache would keep it for pages
        credentials = {"allow-origin": ADMIN, "allow-credentials": "true"} | exposed
        assert await seen("DELETE", ADMIN) == (credentials, "Origin")
        assert await seen("POST", ADMIN) == ({}, None)


@pytest.mark.parametrize(
    "origin", ["null", "https://app.example.evil", "https://APP.example", f"{APP}:443", f"{APP}/"]
)
async def test_an_origin_that_resembles_an_allowed_one_is_another(origin: str) -> None:
    async with serving(mixed(rules("*")).edge) as client:
        for method in ("PUT", "DELETE"):
            asked = await preflight(client, method, origin)
            called = await client.request(method, "/api/v1/things", headers={"Origin": origin})
            assert (cors_of(asked), cors_of(called)) == ({}, {})


async def test_refusals_are_readable_like_answers_and_once() -> None:
    def refuse(exchange: Exchange) -> None:
        raise ProblemError("forbidden", "No.")

    policies = Policies(
        authenticate=lambda route: refuse, authorize=lambda route: None, rate_limit=lambda route: None
    )
    route = make_route("PUT", cors=rules(APP))
    async with serving(compose(route, policies=policies).edge) as client:
        refused = await client.request("PUT", "/api/v1/things", headers={"Origin": APP})
        method = await client.request("DELETE", "/api/v1/things", headers={"Origin": OTHER})
        path = await client.request("GET", "/a//b", headers={"Origin": OTHER})
    assert (refused.status, cors_of(refused)["allow-origin"]) == (403, APP)
    assert (method.status, cors_of(method)["allow-origin"]) == (405, "*")
    assert (path.status, cors_of(path)["allow-origin"]) == (400, "*")


@pytest.mark.parametrize(
    "cors",
    [
        rules("*", allow_credentials=True),
        rules("null"),
        rules(APP, "null"),
        rules(APP, allow_credentials=True, allow_headers=("*",)),
        rules(APP, allow_credentials=True, expose_headers=("*",)),
    ],
)
def test_rules_that_no_browser_obeys_are_refused_at_boot(cors: Cors) -> None:
    with pytest.raises(ValueError, match="cross-origin rules"):
        CrossOrigin(cors)
    with pytest.raises(ValueError, match="cross-origin rules"):
        compose(make_route(cors=cors))
