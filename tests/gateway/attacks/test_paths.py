"""Path tricks: one meaning or none, and the service sees what the gateway has decided on."""

from __future__ import annotations

import pytest
from gateway.support import compose, make_route, serving

PUBLIC = make_route("GET", "/api/v1/public/{name}")
SECRET = make_route("GET", "/api/v1/secret", operation="secret")
THING = make_route("GET", "/api/v1/things/{id}")

REFUSED = {
    "dot segments": "/api/v1/public/../secret",
    "encoded dot segments": "/api/v1/public/%2e%2e/secret",
    "half-encoded dot segments": "/api/v1/public/.%2E/secret",
    "dot segments encoded twice": "/api/v1/public/%252e%252e/secret",
    "dot segments encoded three times": "/api/v1/public/%25252e%25252e/secret",
    "overlong UTF-8 dots": "/api/v1/public/%c0%ae%c0%ae/secret",
    "overlong UTF-8 slash": "/api/v1/public/..%c0%afsecret",
    "dot segments before a parameter": "/api/v1/public/..;/secret",
    "dot segments before an encoded semicolon": "/api/v1/public/..%3b/secret",
    "a single dot": "/api/v1/./secret",
    "a dot at the end": "/api/v1/secret/.",
    "an encoded slash": "/api/v1/public%2fsecret",
    "an encoded slash in a value": "/api/v1/things/a%2Fb",
    "a slash encoded twice": "/api/v1/public%252Fsecret",
    "a backslash": "/api/v1/public\\secret",
    "backslash dots": "/api/v1/public\\..\\secret",
    "an encoded backslash": "/api/v1/public/..%5csecret",
    "a backslash encoded twice": "/api/v1/public/..%255csecret",
    "an encoded NUL": "/api/v1/things/a%00",
    "a NUL encoded twice": "/api/v1/things/a%2500",
    "an encoded line break": "/api/v1/things/a%0d%0aX:%20y",
    "an encoded tab": "/api/v1/things/a%09",
    "DEL": "/api/v1/things/a%7f",
    "two slashes": "/api/v1//secret",
    "two slashes first": "//api/v1/secret",
    "three slashes first": "///evil.example/api/v1/secret",
    "a slash and a backslash": "/\\evil.example/",
    "half an escape": "/api/v1/things/%2",
    "no escape": "/api/v1/things/%zz",
    "a wide escape": "/api/v1/things/%u002e%u002e",
    "bad UTF-8": "/api/v1/things/%ff",
    "a fragment": "/api/v1/secret#x",
    "a byte above ASCII": "/api/v1/things/\xe9",
}

UNKNOWN = {
    "a slash at the end": "/api/v1/secret/",
    "a parameter": "/api/v1/secret;x=y",
    "an encoded question mark": "/api/v1/secret%3fx",
    "an encoded hash": "/api/v1/secret%23x",
    "another case": "/API/v1/secret",
    "a suffix": "/api/v1/secret.json",
    "a space": "/api/v1/secret%20",
    "three dots": "/api/v1/public/.../secret",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_path_with_two_readings_is_refused(name: str) -> None:
    bench = compose(PUBLIC, SECRET, THING)
    async with serving(bench.edge) as client:
        reply = await client.request("GET", REFUSED[name])
    assert reply.status == 400
    assert bench.upstream.requests == []


@pytest.mark.parametrize("name", UNKNOWN)
async def test_a_path_that_is_nearly_one_is_none(name: str) -> None:
    bench = compose(PUBLIC, SECRET, THING)
    async with serving(bench.edge) as client:
        reply = await client.request("GET", UNKNOWN[name])
    assert reply.status == 404
    assert bench.upstream.requests == []


@pytest.mark.parametrize("path", ["/api/v1/%73ecret", "/%61pi/v1/secret", "/api/v1/s%65cret"])
async def test_an_encoded_letter_does_not_get_round_a_route(path: str) -> None:
    bench = compose(PUBLIC, SECRET)
    async with serving(bench.edge) as client:
        assert (await client.request("GET", path)).status == 200
    assert bench.counts.recorded == [("secret", 200)]
    assert [request.target for request in bench.upstream.requests] == [b"/api/v1/secret"]


async def test_the_host_decides_nothing() -> None:
    bench = compose(SECRET)
    async with serving(bench.edge) as client:
        for host in ("a/../", "a/api/v1/secret?", "a?", "a#", "a\\b", "a@b", "a%2f", "a'b", ""):
            reply = await client.request("GET", "/api/v1/nothing", headers={"Host": host})
            assert reply.status == 400
    assert bench.upstream.requests == []
