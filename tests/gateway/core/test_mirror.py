"""Copies of requests for another deployment of a service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dhatu_gateway.core.mirror import MAX_PENDING, Mirror, Mirrored
from dhatu_gateway.core.upstream.errors import UpstreamUnavailable
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from gateway.support import FakeUpstream


class Sink:
    """Keeps an answer."""

    def __init__(self) -> None:
        self.status = 0
        self.content = b""

    def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status

    async def body(self, chunk: bytes, more: bool) -> None:
        self.content += chunk

    async def client_gone(self) -> None:
        await asyncio.Event().wait()


def request(stream: AsyncIterator[bytes] | None = None) -> UpstreamRequest:
    return UpstreamRequest(b"POST", b"/things?x=1", [(b"x-a", b"1")], b"body", 1e12, stream)


class Scene:
    """A service, its mirror, and what was counted; chances are drawn from the list."""

    def __init__(self, share: float = 1.0, chances: tuple[float, ...] = ()) -> None:
        self.service, self.copies = FakeUpstream(), FakeUpstream()
        self.counted: list[str] = []
        drawn = iter(chances)
        self.mirror = Mirror(
            self.copies,
            share=share,
            random=lambda: next(drawn, 0.0),
            header_prefix="X-Dhatu-",
            count=self.counted.append,
        )
        self.way = Mirrored(self.service, self.mirror)

    async def send(self, stream: AsyncIterator[bytes] | None = None) -> Sink:
        sink = Sink()
        await self.way.forward(request(stream), sink)
        await asyncio.sleep(0)
        return sink


async def test_the_mirror_gets_the_same_request_marked_as_a_copy() -> None:
    scene = Scene()
    assert (await scene.send()).status == 200
    [seen], [copy] = scene.service.requests, scene.copies.requests
    assert (copy.method, copy.target, copy.body) == (seen.method, seen.target, seen.body)
    assert copy.headers == [*seen.headers, (b"x-dhatu-mirrored", b"true")]
    assert (b"x-dhatu-mirrored", b"true") not in seen.headers
    assert scene.counted == ["answered"]


async def test_a_share_of_the_requests_is_copied() -> None:
    scene = Scene(share=0.25, chances=(0.1, 0.25, 0.9, 0.24))
    for _ in range(4):
        await scene.send()
    assert len(scene.service.requests) == 4
    assert len(scene.copies.requests) == 2


async def test_a_mirror_that_fails_or_hangs_harms_nobody() -> None:
    scene = Scene()
    stuck = asyncio.Event()

    async def fail(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        raise UpstreamUnavailable("out", endpoint="a:1")

    async def hang(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        await stuck.wait()

    scene.copies.answer = fail
    assert (await scene.send()).status == 200
    scene.copies.answer = hang
    for _ in range(MAX_PENDING + 3):
        assert (await scene.send()).status == 200
    assert scene.counted == ["failed"] + ["dropped"] * 3
    await scene.mirror.close()
    assert len(scene.copies.requests) == 1 + MAX_PENDING


async def test_a_body_that_streams_is_not_copied() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"

    scene = Scene()
    assert (await scene.send(pieces())).status == 200
    assert scene.copies.requests == []
    assert scene.counted == []
