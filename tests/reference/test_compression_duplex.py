"""The order of receiving and sending, which httpx's in-process transport does not show."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from dhatu_reference.compression.app import create_app
from dhatu_reference.compression.encoders import compress
from starlette.types import Message, Scope

NOISE = random.Random(2).randbytes(3 << 20)
PATIENCE_S = 20


def _scope(operation: str, query: bytes = b"") -> Scope:
    path = f"/api/v1/{operation}"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"content-type", b"application/octet-stream")],
        "client": None,
        "server": None,
    }


async def _serve(
    scope: Scope, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await create_app()(scope, receive, send)


def _chunk(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_the_answer_begins_before_the_request_ends() -> None:
    started = asyncio.Event()
    pending = [_chunk(NOISE, more=True), _chunk(b"end", more=False)]
    sent: list[Message] = []

    async def receive() -> Message:
        if len(pending) == 1:
            await started.wait()
        return pending.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)
        started.set()

    await _serve(_scope("compress"), receive, send)
    assert sent[0]["status"] == 200
    assert sent[-1]["more_body"] is False


async def test_the_request_is_read_while_nobody_reads_the_answer() -> None:
    read_all = asyncio.Event()
    pending = [_chunk(NOISE, more=True), _chunk(NOISE, more=True), _chunk(b"", more=False)]
    size_bytes = 0

    async def receive() -> Message:
        message = pending.pop(0)
        if not pending:
            read_all.set()
        return message

    async def send(message: Message) -> None:
        nonlocal size_bytes
        await read_all.wait()
        size_bytes += len(message.get("body", b""))

    await _serve(_scope("compress"), receive, send)
    assert size_bytes > 2 * len(NOISE)


async def test_damage_after_the_beginning_cuts_the_answer_off() -> None:
    packed = compress("gzip", 1, NOISE)
    pending = [_chunk(packed[:-8], more=True), _chunk(b"\0" * 8, more=False)]
    sent: list[Message] = []
    started = asyncio.Event()

    async def receive() -> Message:
        if len(pending) == 1:
            await started.wait()
        return pending.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)
        started.set()

    with pytest.raises(RuntimeError, match="response already started"):
        await _serve(_scope("decompress", b"algorithm=gzip"), receive, send)
    assert sent[0]["status"] == 200
    assert all(message["more_body"] for message in sent[1:])


async def test_a_caller_who_leaves_stops_the_work() -> None:
    pending: list[Message] = [_chunk(b"first", more=True), {"type": "http.disconnect"}]
    before = asyncio.all_tasks()

    async def receive() -> Message:
        return pending.pop(0)

    async def send(message: Message) -> None:
        assert message.get("status") != 500

    for operation in ("compress", "decompress", "analyze"):
        pending[:] = [_chunk(b"first", more=True), {"type": "http.disconnect"}]
        await _serve(_scope(operation), receive, send)
        assert asyncio.all_tasks() == before
