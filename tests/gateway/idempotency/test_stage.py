"""One effect per idempotency key, over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dhatu_gateway.core.answering import KeptAnswers
from dhatu_gateway.core.cache.memory import MemoryCache
from dhatu_gateway.core.exchange import Exchange, Principal
from dhatu_gateway.core.idempotency.records import MAX_BODY_BYTES, Found, KeptAnswer, Started
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.types import Idempotency
from dhatu_gateway.core.upstream.errors import ClientDisconnected, UpstreamUnavailable
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.shared.link import StorageUnavailableError
from gateway.support import Bench, Reply, compose, head, make_route, serving, validate

KEYED = Idempotency(keep_s=60.0, required=False)
PATH = "/api/v1/things"


class Till:
    """A service that counts what it has done; each call answers with its number."""

    def __init__(self, status: int = 201, body: bytes | None = None) -> None:
        self.calls = 0
        self.status = status
        self.body = body
        self.open = asyncio.Event()
        self.open.set()
        self.entered = asyncio.Event()

    async def __call__(self, request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        self.calls += 1
        number = self.calls
        self.entered.set()
        await self._go_on(sink)
        content = self.body if self.body is not None else b"%d" % number
        headers = [(b"content-length", b"%d" % len(content)), (b"location", b"/things/%d" % number)]
        sink.start(self.status, headers)
        await sink.body(content, False)

    async def _go_on(self, sink: ResponseSink) -> None:
        """Wait, but not for longer than the client does: as the real upstream."""
        gone, told = asyncio.ensure_future(sink.client_gone()), asyncio.ensure_future(self.open.wait())
        await asyncio.wait((gone, told), return_when=asyncio.FIRST_COMPLETED)
        is_gone = gone.done()
        gone.cancel()
        told.cancel()
        await asyncio.gather(gone, told, return_exceptions=True)
        if is_gone:
            raise ClientDisconnected("the client is gone")


def shop(till: Till, *, idempotency: Idempotency = KEYED, **changes: Any) -> Bench:
    # Nothing is checked of bodies, so that they stream.
    what = validate(body="off")
    bench = compose(
        make_route("POST", PATH, idempotency=idempotency, validate=what, max_body_bytes=100_000), **changes
    )
    bench.upstream.answer = till
    return bench


async def buy(client: Any, key: str | None = "k-1", body: bytes = b"one", **headers: str) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        fields["Idempotency-Key"] = key
    reply: Reply = await client.request("POST", PATH, body, fields)
    return reply


async def test_the_first_answer_is_given_again_with_headers_of_its_own() -> None:
    till = Till()
    async with serving(shop(till).edge) as client:
        first = await buy(client, X_Request_Id="first")
        again = await buy(client, X_Request_Id="again")
    assert till.calls == 1
    assert (first.status, first.body) == (again.status, again.body) == (201, b"1")
    assert again.headers["location"] == "/things/1"
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (first.headers["x-request-id"], again.headers["x-request-id"]) == ("first", "again")


async def test_without_a_key_every_request_runs() -> None:
    till = Till()
    async with serving(shop(till).edge) as client:
        assert [(await buy(client, None)).body for _ in range(2)] == [b"1", b"2"]


async def test_another_body_under_the_same_key_is_refused() -> None:
    till = Till()
    async with serving(shop(till).edge) as client:
        await buy(client)
        refused = await buy(client, body=b"two")
        query = await client.request("POST", f"{PATH}?x=1", b"one", {"Idempotency-Key": "k-1"})
    assert refused.status == 422
    assert refused.json["type"].endswith("/idempotency-key-reused")
    assert query.status in (400, 422)
    assert till.calls == 1


async def test_a_body_in_pieces_is_the_same_as_one_in_one_piece() -> None:
    till = Till()
    async with serving(shop(till).edge) as client:
        await buy(client)
        chunked = {"Transfer-Encoding": "chunked", "Idempotency-Key": "k-1"}
        again = await client.request("POST", PATH, b"1\r\no\r\n2\r\nne\r\n0\r\n\r\n", chunked)
    assert (again.status, again.body) == (201, b"1")
    assert till.calls == 1


async def test_requests_at_the_same_time_have_one_effect() -> None:
    till = Till()
    till.open.clear()
    async with serving(shop(till).edge) as client:
        asked = [asyncio.create_task(buy(client)) for _ in range(8)]
        await till.entered.wait()
        till.open.set()
        replies = await asyncio.gather(*asked)
    assert till.calls == 1
    assert {(reply.status, reply.body) for reply in replies} == {(201, b"1")}
    assert sum("idempotency-replayed" in reply.headers for reply in replies) == 7


async def test_whoever_waits_in_vain_is_told_to_ask_again() -> None:
    till = Till()
    till.open.clear()
    async with serving(shop(till).edge) as client:
        first = asyncio.create_task(buy(client))
        await till.entered.wait()
        second = await buy(client, X_Dhatu_Timeout_Ms="80")
        till.open.set()
        assert (await first).status == 201
    assert second.status == 409
    assert second.headers["retry-after"] == "1"
    assert till.calls == 1


async def test_a_client_that_went_away_finds_the_answer_later() -> None:
    till = Till()
    till.open.clear()
    async with serving(shop(till).edge) as client:
        async with client.connect() as wire:
            await wire.write(head("POST", PATH, b"one", {"Idempotency-Key": "k-1"}))
            await till.entered.wait()
        while client.connections:  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0)
        till.open.set()
        again = await buy(client)
    assert (again.status, again.body) == (201, b"1")
    assert till.calls == 1


@pytest.mark.parametrize(("status", "runs"), [(400, 1), (404, 1), (408, 2), (429, 2), (500, 2), (503, 2)])
async def test_only_an_answer_that_is_final_is_kept(status: int, runs: int) -> None:
    till = Till(status)
    async with serving(shop(till).edge) as client:
        assert [(await buy(client)).status for _ in range(2)] == [status, status]
    assert till.calls == runs


async def test_a_service_that_cannot_be_reached_leaves_the_key_free() -> None:
    till = Till()
    bench = shop(till)

    async def out(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        raise UpstreamUnavailable("out", endpoint="a:1")

    bench.upstream.answer = out
    async with serving(bench.edge) as client:
        assert (await buy(client)).status == 503
        bench.upstream.answer = till
        assert (await buy(client)).body == b"1"


async def test_an_answer_too_large_to_keep_is_not_made_twice() -> None:
    till = Till(200, bytes(MAX_BODY_BYTES + 1))
    async with serving(shop(till).edge) as client:
        assert (await buy(client)).status == 200
        again = await buy(client)
    assert again.status == 409
    assert "too large" in again.json["detail"]
    assert till.calls == 1


async def test_nobody_gets_the_answer_of_another_caller() -> None:
    till = Till()

    def sign_in(exchange: Exchange) -> None:
        name = exchange.fields[b"x-who"].decode()
        exchange.principal = Principal(id=f"user:{name}", kind="user", scopes=frozenset(), roles=frozenset())

    policies = Policies(
        authenticate=lambda route: sign_in, authorize=lambda route: None, rate_limit=lambda route: None
    )
    async with serving(shop(till, policies=policies).edge) as client:
        bodies = [(await buy(client, X_Who=who)).body for who in ("ada", "grace", "ada")]
    assert bodies == [b"1", b"2", b"1"]


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", 'a"b', "a\\b", "ключ".encode().decode("latin-1")])
async def test_a_key_that_is_none_is_refused(key: str) -> None:
    till = Till()
    async with serving(shop(till).edge) as client:
        reply = await buy(client, key)
    assert reply.status == 400
    assert [part[:2] for part in reply.parts] == [("header", "Idempotency-Key")]
    assert till.calls == 0


async def test_a_quoted_key_is_the_same_as_a_bare_one() -> None:
    till = Till()
    async with serving(shop(till).edge) as client:
        assert [(await buy(client, key)).body for key in ("k", '"k"')] == [b"1", b"1"]


async def test_a_key_can_be_required() -> None:
    till = Till()
    async with serving(shop(till, idempotency=Idempotency(keep_s=60.0, required=True)).edge) as client:
        assert (await buy(client, None)).status == 400
        assert (await buy(client)).status == 201


class Out:
    """A store that cannot be asked, at the beginning or in the end."""

    def __init__(self, works_at_first: bool) -> None:
        self._works_at_first = works_at_first

    async def begin(self, name: str, holder: str, *, hold_s: float) -> Found:
        if not self._works_at_first:
            raise StorageUnavailableError("out")
        return Started()

    async def finish(self, name: str, holder: str, answer: KeptAnswer, *, keep_s: float) -> None:
        raise StorageUnavailableError("out")

    async def abandon(self, name: str, holder: str) -> None:
        raise StorageUnavailableError("out")


async def test_without_the_store_nothing_runs_that_may_be_the_second_time() -> None:
    till = Till()
    async with serving(
        shop(till, kept=KeptAnswers(by_key=Out(works_at_first=False), cache=MemoryCache())).edge
    ) as client:
        refused = await buy(client)
        unkeyed = await buy(client, None)
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert (unkeyed.status, till.calls) == (201, 1)


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same() -> None:
    till = Till()
    async with serving(
        shop(till, kept=KeptAnswers(by_key=Out(works_at_first=True), cache=MemoryCache())).edge
    ) as client:
        assert (await buy(client)).status == 201
