"""What every answer tells browsers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dhatu_gateway.core.clients import ClientNetworks, parse_networks
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.support import PLATFORM, compose, make_route, serving

HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("Content-Security-Policy", "default-src 'none'"),
)


@pytest.mark.parametrize("target", ["/api/v1/things", "/no", "/a//b"])
async def test_every_answer_has_the_security_headers(target: str) -> None:
    bench = compose(make_route(), platform=replace(PLATFORM, security_headers=HEADERS))
    async with serving(bench.edge) as client:
        headers = (await client.request("GET", target)).headers
        forged = (await client.request("GET", target, headers={"X-Forwarded-Proto": "https"})).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'"
    # anybody on the way could have put it into an answer over plain HTTP
    assert "strict-transport-security" not in headers.keys() | forged.keys()


async def test_transport_security_is_asked_for_where_tls_is_in_front() -> None:
    bench = compose(
        make_route(),
        platform=replace(PLATFORM, security_headers=HEADERS),
        clients=ClientNetworks(trusted_proxies=parse_networks("127.0.0.1")),
    )
    async with serving(bench.edge) as client:
        for scheme, sent in (("https", True), ("http", False)):
            fields = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme}
            reply = await client.request("GET", "/api/v1/things", headers=fields)
            assert ("strict-transport-security" in reply.headers) is sent


async def test_a_service_does_not_weaken_them() -> None:
    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        weak = (b"content-security-policy", b"default-src *")
        sink.start(200, [weak, (b"referrer-policy", b"origin"), (b"content-length", b"0")])
        await sink.body(b"", False)

    bench = compose(make_route(), platform=replace(PLATFORM, security_headers=HEADERS))
    bench.upstream.answer = answer
    async with serving(bench.edge) as client:
        headers = (await client.request("GET", "/api/v1/things")).headers
    assert headers["content-security-policy"] == "default-src 'none'"
    assert headers["referrer-policy"] == "origin"  # about which the platform says nothing here
