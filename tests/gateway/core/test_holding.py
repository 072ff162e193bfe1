"""What a call holds is given back once, however the call ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from dhatu_gateway.core.pipeline import Handler, HoldingHandler, Pipeline, Policies
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Body, MediaType, Route
from dhatu_gateway.core.upstream.errors import (
    ClientDisconnected,
    UpstreamAborted,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.rate_limiting.stage import build_rate_limit
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from gateway.rate_limiting.support import Watched, limit
from gateway.support import PLATFORM, Bench, Client, Counts, compose, head, make_route, serving

ONE = limit(name="one", algorithm="concurrency", limit=1, by="operation")
BODY = Body(
    required=True,
    media_types=(
        MediaType(media_type="application/octet-stream", schema="", kind="stream", parts=()),
        MediaType(media_type="application/json", schema="/schema", kind="json", parts=()),
    ),
)
ROUTE = make_route("POST", "/api/v1/things", rate_limits=(ONE,), body=BODY)
STREAM = {"Content-Type": "application/octet-stream"}


def bench_of(route: Route = ROUTE) -> Bench:
    """A gateway with one call at once."""
    storage = MemoryStorage()
    policies = Policies(
        authenticate=lambda route: None,
        authorize=lambda route: None,
        rate_limit=lambda route: build_rate_limit(route, storage, Watched()),
    )
    return compose(route, policies=policies, document={"schema": {"type": "object"}})


async def call(client: Client, body: bytes = b"x", headers: dict[str, str] | None = None) -> int:
    return (await client.request("POST", "/api/v1/things", body, headers or STREAM)).status


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # a socket that opens or closes sets no event
            await asyncio.sleep(0.005)


async def is_free(bench: Bench, client: Client) -> bool:
    """Whether the only slot can be had, once and no more."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def wait(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        entered.set()
        await leave.wait()
        sink.start(204, [])
        await sink.body(b"", False)

    bench.upstream.answer = wait
    first = asyncio.create_task(call(client))
    await asyncio.wait(
        (first, asyncio.ensure_future(entered.wait())), return_when=asyncio.FIRST_COMPLETED, timeout=5
    )
    second = await call(client)
    leave.set()
    return (await first, second) == (204, 429)


Answer = Callable[[UpstreamRequest, bytes, ResponseSink], Awaitable[None]]


def failing(error: Exception, *, after: bool = False) -> Answer:
    async def fail(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        if after:
            sink.start(200, [(b"content-length", b"9")])
            await sink.body(b"half", True)
        raise error

    return fail


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        UpstreamUnavailable("refused"),
        UpstreamTimeout("late", phase="first_byte"),
        UpstreamProtocolError("nonsense"),
        UpstreamAborted("broke off"),
        ClientDisconnected("gone"),
        ConnectionResetError("gone"),
        ProblemError("not-found", "a stage has refused"),
        RuntimeError("bug"),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_call_that_fails_gives_back(error: Exception, after: bool) -> None:
    bench = bench_of()
    bench.upstream.answer = failing(error, after=after)
    async with serving(bench.edge) as client:
        async with client.connect() as wire:
            await wire.write(head("POST", "/api/v1/things", b"x", STREAM))
            await wire.reader.read(1)
            wire.writer.close()
        assert await is_free(bench, client)


async def test_a_complete_answer_gives_back() -> None:
    bench = bench_of()
    async with serving(bench.edge) as client:
        for _ in range(3):
            assert await call(client) == 200
        assert await is_free(bench, client)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[]", {"Content-Type": "application/json"}, 400),
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"x", {"Content-Type": "text/plain"}, 415),
        (b"x" * 2_000, STREAM, 413),
        (b"{}", {"Content-Type": "application/json", "X-Dhatu-Timeout-Ms": "0"}, 504),
    ],
)
async def test_a_call_that_another_stage_refuses_gives_back(
    body: bytes, headers: dict[str, str], status: int
) -> None:
    bench = bench_of()
    async with serving(bench.edge) as client:
        for _ in range(2):
            assert await call(client, body, headers) == status
        assert await is_free(bench, client)


@pytest.mark.parametrize("sent", [b"", b"half"])
async def test_a_client_that_goes_away_gives_back(sent: bytes) -> None:
    bench, entered, left = bench_of(), asyncio.Event(), asyncio.Event()

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        if sent:
            sink.start(200, [(b"content-length", b"9")])
            await sink.body(sent, True)
        entered.set()
        await sink.client_gone()
        left.set()
        raise ClientDisconnected("gone")

    bench.upstream.answer = answer
    async with serving(bench.edge) as client:
        async with client.connect() as wire:
            await wire.write(head("POST", "/api/v1/things", b"x", STREAM))
            await entered.wait()
            assert await call(client) == 429
        await left.wait()
        assert await is_free(bench, client)


async def test_a_client_that_goes_away_while_it_sends_gives_back() -> None:
    bench = bench_of()
    async with serving(bench.edge) as client:
        async with client.connect() as wire:
            await wire.write(head("POST", "/api/v1/things", None, STREAM | {"Content-Length": "500"}) + b"x")
            await until(lambda: bench.counts.in_flight == 1)
            assert await call(client) == 429
        await until(lambda: bench.counts.in_flight == 0)
        assert await is_free(bench, client)


async def test_calls_that_are_cut_off_when_the_server_stops_give_back() -> None:
    bench, entered = bench_of(), asyncio.Event()

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        entered.set()
        await asyncio.Event().wait()

    bench.upstream.answer = answer
    async with serving(bench.edge) as client, client.connect() as wire:
        await wire.write(head("POST", "/api/v1/things", b"x", STREAM))
        await entered.wait()
    async with serving(bench.edge) as client:
        assert await is_free(bench, client)


def test_a_route_that_holds_nothing_is_handled_without_looking() -> None:
    schemas = Schemas({"schema": {}})
    pipeline = Pipeline(
        PLATFORM,
        (),
        lambda route: schemas,
        Policies(authenticate=lambda _: None, authorize=lambda _: None, rate_limit=lambda _: None),
        Counts(),
    )

    async def terminal(exchange: Any) -> None: ...

    other = replace(ROUTE, rate_limits=(limit(name="calls"),))
    assert type(pipeline.compose(other, terminal, Counts().of(other))) is Handler
    assert type(pipeline.compose(ROUTE, terminal, Counts().of(ROUTE))) is HoldingHandler
