"""Many requests, services failing in every way, callers giving up: afterwards nothing is missing."""

from __future__ import annotations

import asyncio
import dataclasses
import random

import pytest
from dhatu_gateway.core.upstream.errors import ClientDisconnected, UpstreamError
from gateway.upstream.scripted import (
    LIMITS,
    OK,
    RecordingSink,
    Wire,
    exchange,
    request_for,
    serving,
    upstream_to,
)

CONNECTIONS = 4
OUTCOMES = (
    OK,
    OK,
    OK + b"junk",
    b"",
    b"HTTP/1.1 200",
    b"garbage\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
)


@pytest.mark.parametrize("seed", range(5))
async def test_after_every_kind_of_failure_all_places_are_free_again(seed: int) -> None:
    dice = random.Random(seed)
    all_held = asyncio.Event()
    held = 0

    async def moody(wire: Wire) -> None:
        nonlocal held
        while True:
            line, _ = await wire.request_head()
            if b"/hold" in line:
                held += 1
                if held == CONNECTIONS:
                    all_held.set()
                await all_held.wait()
                await wire.send(OK)
                continue
            answer = dice.choice(OUTCOMES)
            await wire.send(answer)
            if b"ok" not in answer:
                return wire.abort() if dice.random() < 0.5 else None

    limits = dataclasses.replace(LIMITS, max_connections=CONNECTIONS, disconnect_check_s=0.01)
    async with serving(moody) as (_, endpoint), upstream_to(endpoint, limits=limits) as upstream:

        async def one() -> None:
            sink = RecordingSink()
            if dice.random() < 0.1:
                sink.gone.set()
            await upstream.forward(request_for(), sink)
            assert (sink.status, sink.content, sink.finished) == (200, b"ok", True)

        tasks = [asyncio.create_task(one()) for _ in range(150)]
        for task in dice.sample(tasks, 30):
            asyncio.get_running_loop().call_later(dice.random() * 0.02, task.cancel)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert result is None or isinstance(
                result, UpstreamError | ClientDisconnected | asyncio.CancelledError
            )
        assert upstream.in_flight() == ((endpoint.authority, 0),)

        request = request_for()
        request.target = b"/hold"
        holding = [exchange(upstream, dataclasses.replace(request)) for _ in range(CONNECTIONS)]
        assert [sink.content for sink in await asyncio.gather(*holding)] == [b"ok"] * CONNECTIONS
