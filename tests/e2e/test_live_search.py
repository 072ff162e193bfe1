"""The corpus service's WebSocket, through the gateway."""

from __future__ import annotations

import json

import pytest
from dhatu_reference.stack import Stack
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

PATH = "/api/v1/corpus/search/live"


def opening(base_url: str, key: str, query: str = "") -> connect:
    headers = {"X-API-Key": key} if key else {}
    return connect(base_url.replace("http", "ws") + PATH + query, additional_headers=headers, proxy=None)


async def test_queries_are_answered_as_they_are_typed(base_url: str, api_key: str) -> None:
    async with opening(base_url, api_key, "?limit=1") as socket:
        for q, least in (("zzzz", 0), ("panini", 1), ("pāṇini", 1)):
            await socket.send(q)
            answer = json.loads(await socket.recv())
            assert answer["q"] == q
            assert answer["total"] >= least
            assert len(answer["documents"]) == least


async def test_a_message_beyond_all_queries_ends_it(base_url: str, api_key: str) -> None:
    async with opening(base_url, api_key) as socket:
        await socket.send("a" * 10_000)
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_it_is_refused_as_every_call_is(base_url: str, stack: Stack) -> None:
    stranger = stack.create_key("stranger", ("analysis:use",))
    for key, query, status in (("", "", 401), (stranger, "", 403), (stack.api_key, "?limit=0", 400)):
        with pytest.raises(InvalidStatus) as refused:
            await opening(base_url, key, query)
        assert refused.value.response.status_code == status
        assert refused.value.response.headers["content-type"] == "application/problem+json"
