"""What is answered where a service cannot, over real sockets."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.types import Fallback
from dhatu_gateway.core.upstream.errors import UpstreamTimeout, UpstreamUnavailable
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.support import Bench, compose, make_route, serving, validate

PATH = "/api/v1/things"


def fragile(status: int) -> Bench:
    """A service that answers with a status; 0 for one that is down, 1 for one that takes too long."""
    fallback = Fallback(status=203, body='{"things":[],"title":"गीता"}')
    bench = compose(make_route("GET", PATH, fallback=fallback, validate=validate("off")))

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        if status == 0:
            raise UpstreamUnavailable("down", endpoint="a:1")
        if status == 1:
            raise UpstreamTimeout("slow", phase="first_byte", endpoint="a:1")
        sink.start(status, [(b"content-length", b"4"), (b"x-own", b"1")])
        await sink.body(b"own!", False)

    bench.upstream.answer = answer
    return bench


@pytest.mark.parametrize("status", [0, 1, 500, 502, 503, 504])
async def test_a_service_that_cannot_is_stood_in_for(status: int) -> None:
    bench = fragile(status)
    async with serving(bench.edge) as client:
        reply = await client.request("GET", PATH)
    assert reply.status == 203
    assert reply.json == {"things": [], "title": "गीता"}
    assert reply.headers["x-dhatu-degraded"] == "fallback"
    assert reply.headers["cache-control"] == "no-store"
    assert "x-own" not in reply.headers
    assert bench.counts.recorded == [(f"GET {PATH}", 203)]


@pytest.mark.parametrize("status", [200, 404, 429, 501])
async def test_a_service_that_answers_is_heard(status: int) -> None:
    async with serving(fragile(status).edge) as client:
        reply = await client.request("GET", PATH)
    assert (reply.status, reply.body) == (status, b"own!")
    assert "x-dhatu-degraded" not in reply.headers
