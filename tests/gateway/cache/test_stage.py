"""Answers that are given again, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from dhatu_gateway.core.exchange import Exchange, Principal
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.types import Cache, Version
from dhatu_gateway.core.upstream.errors import ClientDisconnected, UpstreamUnavailable
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.support import PLATFORM, Bench, Reply, compose, make_route, serving, validate

PATH = "/api/v1/things"
TTL = Cache(ttl_s=60.0, stale_if_error_s=300.0, vary=(), shared=False)
NO_STALE = Cache(ttl_s=60.0, stale_if_error_s=0.0, vary=(), shared=False)


class Origin:
    """A service whose answers carry their number."""

    def __init__(self, **named: str) -> None:
        self.calls: list[dict[str, str]] = []
        self.named = named
        self.status = 200
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        self.calls.append({name.decode(): value.decode() for name, value in request.headers})
        number = len(self.calls)
        await self.open_gate(sink)
        if self.down:
            raise UpstreamUnavailable("down", endpoint="a:1")
        fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in self.named.items()]
        etag = self.named.get("etag")
        if etag is not None and self.calls[-1].get("if-none-match") == etag:
            sink.start(304, fields)
            await sink.body(b"", False)
            return
        content = b"%d" % number
        sink.start(self.status, [*fields, (b"content-length", b"%d" % len(content))])
        await sink.body(content, False)

    async def open_gate(self, sink: ResponseSink) -> None:
        """Wait until the answer may come, or the client has left."""
        gone = asyncio.create_task(sink.client_gone())
        try:
            opened = asyncio.create_task(self.gate.wait())
            await asyncio.wait((gone, opened), return_when=asyncio.FIRST_COMPLETED)
            opened.cancel()
            if gone.done():
                raise ClientDisconnected("the client left")
        finally:
            gone.cancel()


def library(origin: Origin, cache: Cache = TTL, **changes: Any) -> Bench:
    what = validate("off")
    bench = compose(
        make_route("GET", PATH, cache=cache, validate=what),
        make_route("DELETE", PATH, validate=what),
        **changes,
    )
    bench.upstream.answer = origin
    return bench


async def ask(client: Any, target: str = PATH, method: str = "GET", **headers: str) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    reply: Reply = await client.request(method, target, None, fields)
    return reply


async def test_an_answer_is_given_again_and_says_so() -> None:
    origin = Origin(content_type="text/plain", x_kind="verse")
    async with serving(library(origin).edge) as client:
        first = await ask(client, X_Request_Id="one")
        again = await ask(client, X_Request_Id="two")
    assert len(origin.calls) == 1
    assert (first.body, again.body) == (b"1", b"1")
    assert first.headers["cache-status"] == "dhatu; fwd=uri-miss"
    assert again.headers["cache-status"].startswith("dhatu; hit; ttl=")
    assert again.headers["age"] == "0"
    assert again.headers["x-kind"] == "verse"
    assert again.headers["x-request-id"] == "two"
    assert "age" not in first.headers


async def test_a_question_is_another_with_another_query_or_field_of_vary() -> None:
    origin = Origin()
    by_language = Cache(ttl_s=60.0, stale_if_error_s=0.0, vary=("Accept-Language",), shared=False)
    async with serving(library(origin, by_language).edge) as client:
        bodies = [
            (await ask(client, target, Accept_Language=language)).body
            for target in (PATH, f"{PATH}?q=1", PATH)
            for language in ("sa", "en")
        ]
    assert bodies == [b"1", b"2", b"3", b"4", b"1", b"2"]


async def test_the_fields_that_an_answer_names_in_vary_count_too() -> None:
    origin = Origin(vary="X-Script")
    async with serving(library(origin).edge) as client:
        bodies = [(await ask(client, X_Script=script)).body for script in ("latn", "deva", "latn", "deva")]
    assert bodies == [b"1", b"2", b"1", b"2"]


async def test_a_field_that_the_service_does_not_see_keeps_no_answer_for_others() -> None:
    origin = Origin(vary="X-Script")
    async with serving(library(origin).edge) as client:
        hidden = await ask(client, X_Script="deva", Connection="X-Script")
        seen = await ask(client, X_Script="deva")
    assert (hidden.body, seen.body) == (b"1", b"2")
    assert "x-script" not in origin.calls[0]
    assert hidden.headers["cache-status"] == "dhatu; fwd=bypass"


def signed_in() -> Policies:
    def authenticate(exchange: Exchange) -> None:
        name = exchange.fields[b"x-who"].decode()
        exchange.principal = Principal(id=f"user:{name}", kind="user", scopes=frozenset(), roles=frozenset())

    return Policies(
        authenticate=lambda route: authenticate, authorize=lambda route: None, rate_limit=lambda route: None
    )


async def test_nobody_gets_the_answer_of_another_caller_unless_all_get_the_same() -> None:
    for shared, expected in ((False, [b"1", b"2", b"1"]), (True, [b"1", b"1", b"1"])):
        origin = Origin()
        cache = Cache(ttl_s=60.0, stale_if_error_s=0.0, vary=(), shared=shared)
        bench = compose(
            make_route("GET", PATH, cache=cache, validate=validate("off"), security=((),)),
            policies=signed_in(),
        )
        bench.upstream.answer = origin
        async with serving(bench.edge) as client:
            assert [(await ask(client, X_Who=who)).body for who in ("ada", "bhaskara", "ada")] == expected


@pytest.mark.parametrize(
    "named",
    [
        {"cache_control": "no-store"},
        {"set_cookie": "session=1"},
        {"vary": "*"},
        {"cache_control": "max-age=0"},
    ],
)
async def test_what_an_answer_says_of_itself_counts_more(named: dict[str, str]) -> None:
    origin = Origin(**named)
    async with serving(library(origin, NO_STALE).edge) as client:
        assert [(await ask(client)).body for _ in range(2)] == [b"1", b"2"]


@pytest.mark.parametrize("asked", ["no-cache", "no-store", "max-age=0"])
async def test_a_client_can_ask_for_a_new_answer(asked: str) -> None:
    origin = Origin()
    async with serving(library(origin).edge) as client:
        await ask(client)
        assert (await ask(client, Cache_Control=asked)).body == b"2"


async def test_a_client_can_ask_for_nothing_but_what_is_kept() -> None:
    origin = Origin()
    async with serving(library(origin).edge) as client:
        refused = await ask(client, Cache_Control="only-if-cached")
        await ask(client)
        kept = await ask(client, Cache_Control="only-if-cached")
    assert refused.status == 504
    assert kept.body == b"1"
    assert len(origin.calls) == 1


async def test_a_client_that_has_the_answer_is_told_so() -> None:
    origin = Origin(etag='"v1"', content_type="text/plain")
    async with serving(library(origin).edge) as client:
        first = await ask(client)
        again = await ask(client, If_None_Match='"v1"')
    assert first.status == 200
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", '"v1"')
    assert "content-type" not in again.headers
    assert len(origin.calls) == 1


async def test_the_service_is_asked_whether_an_old_answer_still_holds() -> None:
    origin = Origin(etag='"v1"')
    async with serving(library(origin).edge) as client:
        await ask(client)
        again = await ask(client, Cache_Control="no-cache")
        origin.named = {"etag": '"v2"'}
        changed = await ask(client, Cache_Control="no-cache")
    assert origin.calls[1]["if-none-match"] == '"v1"'
    assert (again.status, again.body) == (200, b"1")
    assert again.headers["cache-status"] == "dhatu; hit; fwd=stale; fwd-status=304"
    assert changed.body == b"3"


async def test_many_questions_at_once_are_one_question() -> None:
    origin = Origin()
    origin.gate.clear()
    async with serving(library(origin).edge) as client:
        asked = [asyncio.create_task(ask(client)) for _ in range(10)]
        while len(client.connections) < 10 or not origin.calls:  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.001)
        origin.gate.set()
        replies = await asyncio.gather(*asked)
    assert len(origin.calls) == 1
    assert {reply.body for reply in replies} == {b"1"}


async def test_who_leaves_while_others_wait_for_the_same_hands_on_the_question() -> None:
    origin = Origin()
    origin.gate.clear()
    async with serving(library(origin).edge) as client:
        leaving = asyncio.create_task(ask(client))
        while not origin.calls:  # noqa: ASYNC110  # the service tells nobody
            await asyncio.sleep(0.001)
        asked = [asyncio.create_task(ask(client)) for _ in range(5)]
        while len(client.connections) < 6:  # noqa: ASYNC110  # nor does the server
            await asyncio.sleep(0.001)
        leaving.cancel()
        while len(origin.calls) < 2:  # noqa: ASYNC110  # ends when another one asks
            await asyncio.sleep(0.001)
        origin.gate.set()
        replies = await asyncio.gather(*asked)
    assert {reply.body for reply in replies} == {b"2"}


async def test_questions_whose_answers_cannot_be_kept_do_not_wait_for_one_another() -> None:
    origin = Origin(cache_control="no-store")
    async with serving(library(origin).edge) as client:
        await ask(client)
        origin.gate.clear()
        asked = [asyncio.create_task(ask(client)) for _ in range(5)]
        while len(origin.calls) < 6:  # noqa: ASYNC110  # ends when all have reached the service together
            await asyncio.sleep(0.001)
        origin.gate.set()
        replies = await asyncio.gather(*asked)
    assert len({reply.body for reply in replies}) == 5


def fails_with(status: int) -> Callable[[Origin], None]:
    def fail(origin: Origin) -> None:
        origin.status = status

    return fail


def goes_down(origin: Origin) -> None:
    origin.down = True


@pytest.mark.parametrize("fail", [goes_down, fails_with(500), fails_with(503)])
async def test_an_old_answer_stands_in_for_an_error_and_says_so(fail: Callable[[Origin], None]) -> None:
    origin = Origin(cache_control="max-age=0, stale-if-error=300")
    async with serving(library(origin).edge) as client:
        await ask(client)
        fail(origin)
        old = await ask(client)
        asked = len(origin.calls)
        again = await ask(client)
    assert (old.status, old.body) == (200, b"1")
    assert old.headers["cache-status"] == "dhatu; hit; fwd=stale; detail=stale-if-error"
    assert old.headers["x-dhatu-degraded"] == "stale"
    assert again.body == b"1"
    assert len(origin.calls) == asked  # the service is left alone for a moment


async def test_an_error_that_nothing_stands_in_for_is_told() -> None:
    origin = Origin(cache_control="max-age=0, must-revalidate")
    async with serving(library(origin).edge) as client:
        await ask(client)
        origin.down = True
        assert (await ask(client)).status == 503


async def test_a_refusal_is_no_error_to_stand_in_for() -> None:
    origin = Origin(cache_control="max-age=0, stale-if-error=300")
    async with serving(library(origin).edge) as client:
        await ask(client)
        origin.status = 404
        assert (await ask(client)).status == 404


async def test_a_change_makes_what_is_kept_of_its_path_void() -> None:
    origin = Origin()
    async with serving(library(origin).edge) as client:
        await ask(client)
        assert (await ask(client)).body == b"1"
        await ask(client, method="DELETE")
        assert (await ask(client)).body == b"3"
        origin.status = 409
        await ask(client, method="DELETE")
        assert (await ask(client)).body == b"3"  # that change was refused


async def test_a_change_counts_for_every_version_of_a_resource() -> None:
    origin = Origin()
    what = validate("off")
    versions = tuple(
        Version(name=name, state="current", deprecated_at="", sunset="", link="") for name in ("v1", "v2")
    )
    bench = compose(
        make_route("GET", "/api/v1/things/{id}", cache=TTL, validate=what),
        make_route("GET", "/api/v2/things/{id}", cache=TTL, validate=what),
        make_route("DELETE", "/api/v1/things/{id}", validate=what),
        platform=replace(PLATFORM, versions=versions),
    )
    bench.upstream.answer = origin
    async with serving(bench.edge) as client:
        paths = ("/api/v1/things/7", "/api/v2/things/7", "/api/v1/things/8")
        assert [(await ask(client, path)).body for path in (*paths, *paths)] == [b"1", b"2", b"3"] * 2
        await ask(client, "/api/v1/things/7", "DELETE")
        assert [(await ask(client, path)).body for path in paths] == [b"5", b"6", b"3"]


async def test_head_is_answered_by_what_is_kept_of_get() -> None:
    origin = Origin()
    async with serving(library(origin).edge) as client:
        await ask(client)
        async with client.connect() as wire:
            await wire.write(b"HEAD /api/v1/things HTTP/1.1\r\nHost: a\r\n\r\n")
            reply = await wire.reply(to_head=True)
    assert reply.status == 200
    assert reply.headers["content-length"] == "1"
    assert len(origin.calls) == 1


async def test_a_question_about_a_part_is_left_to_the_service() -> None:
    origin = Origin()
    async with serving(library(origin).edge) as client:
        await ask(client)
        reply = await ask(client, Range="bytes=0-0")
    assert reply.headers["cache-status"] == "dhatu; fwd=bypass"
    assert len(origin.calls) == 2
    assert origin.calls[1]["range"] == "bytes=0-0"
