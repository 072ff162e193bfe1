"""Slowloris: a client may be slow, but not for ever, whichever side of the exchange it is slow on."""

from __future__ import annotations

import asyncio
import socket

import pytest
from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.server.limits import ServerLimits
from gateway.attacks.support import attacked, post
from gateway.support import Client, head, serving

QUICK = ServerLimits(
    header_timeout_s=0.1,
    body_grace_s=0.1,
    min_body_bytes_per_s=1e9,
    keep_alive_s=0.1,
    linger_s=0.05,
    write_stall_s=0.1,
    tick_s=0.01,
)


async def drip(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send a piece every now and then, more often than anything times out."""
    while True:
        writer.write(piece)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("first", "piece", "status"),
    [
        (b"GET /", b"a", 408),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: a\r\n", 408),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"a", 408),
        (post(b"Content-Length: 999"), b"a", 408),
        (post(b"Transfer-Encoding: chunked"), b"1\r\na\r\n", 408),
        (post(b"Transfer-Encoding: chunked", body=b"1;a="), b"a", 408),
        (post(b"Transfer-Encoding: chunked", body=b"1\r\na\r\n0\r\nX: "), b"a", 408),
    ],
    ids=["target", "fields", "value", "body", "chunks", "extension", "trailer"],
)
async def test_a_client_that_drips_is_refused(first: bytes, piece: bytes, status: int) -> None:
    async with attacked(QUICK) as target, target.client.connect() as wire:
        await wire.write(first)
        dripping = asyncio.create_task(drip(wire.writer, piece))
        reply = await wire.reply()
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
    assert (reply.status, reply.closed) == (status, True)


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("before", [0, 1])
async def test_a_body_that_never_begins_is_refused(framing: bytes, before: int) -> None:
    async with attacked(QUICK) as target, target.client.connect() as wire:
        for _ in range(before):
            await wire.write(head("GET", "/api/v1/things"))
            await wire.reply()
        await wire.write(post(framing))
        reply = await wire.reply()
    assert (reply.status, reply.closed) == (408, True)


async def test_the_second_request_may_not_be_slower_than_the_first() -> None:
    async with attacked(QUICK) as target, target.client.connect() as wire:
        await wire.write(head("GET", "/api/v1/things"))
        assert (await wire.reply()).status == 200
        await wire.write(b"GET / HTTP/1.1\r\n")
        assert (await wire.reply()).status == 408


async def let_go_of_one_who_does_not_read(client: Client, request: bytes) -> None:
    """Send a request, read nothing, and return once the server has let go of the connection."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, ("127.0.0.1", client.port))
        await loop.sock_sendall(raw, request)
        for wanted in (1, 0):  # it is taken, and let go of
            for _ in range(500):
                if len(client.connections) == wanted:
                    break
                await asyncio.sleep(0.01)
            assert len(client.connections) == wanted


@pytest.mark.parametrize("size", [5_000_000, 50_000_000])
@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_a_client_that_reads_nothing_is_cut_off(size: int, connection: str) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        length = (b"content-length", b"%d" % size)
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": bytes(size)})

    async with serving(application, QUICK) as client:
        request = head("GET", "/", headers={"Connection": connection})
        await let_go_of_one_who_does_not_read(client, request)


async def test_a_small_rest_that_is_not_read_does_not_hold_its_connection() -> None:
    """Below the mark at which writing pauses nobody waits for the client: only the clock lets it go."""
    left_bytes = 0

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal left_bytes
        [connection] = client.connections
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not left_bytes:  # until the kernel takes no more
            await send({"type": "http.response.body", "body": bytes(1_000), "more_body": True})
            left_bytes = connection.transport.get_write_buffer_size()
        await send({"type": "http.response.body", "body": b"end"})

    async with serving(application, QUICK) as client:
        await let_go_of_one_who_does_not_read(client, head("GET", "/"))
    assert 0 < left_bytes < 2_000


async def test_others_are_served_while_many_are_slow() -> None:
    async with attacked() as target:
        slow = [await asyncio.open_connection("127.0.0.1", target.client.port) for _ in range(200)]
        for _, writer in slow:
            writer.write(b"POST /api/v1/things HTTP/1.1\r\nHost: a\r\nX: ")
        assert (await target.client.request("GET", "/api/v1/things")).status == 200
        for _, writer in slow:
            writer.close()
