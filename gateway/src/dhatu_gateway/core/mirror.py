"""Copies of requests for another deployment of a service, whose answers nobody waits for.

As Envoy's request mirroring: what is tried there sees real requests, and cannot harm those who sent them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from dhatu_gateway.core.exchange import Header
from dhatu_gateway.core.upstream.errors import UpstreamError
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest

MAX_PENDING = 64
"""Copies under way at once; more are not made, so that a slow mirror costs no memory."""

_logger = logging.getLogger("dhatu.mirror")


class Forwarder(Protocol):
    """What sends a request to a service."""

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None: ...


class Mirror:
    """Where copies go, and how many of the requests are copied."""

    def __init__(
        self,
        upstream: Forwarder,
        *,
        share: float,
        random: Callable[[], float],
        header_prefix: str,
        count: Callable[[str], None],
    ) -> None:
        """`random` yields floats in [0, 1); `count` is told `answered`, `failed` or `dropped` for each."""
        self._upstream = upstream
        self._share = share
        self._random = random
        self._mark: Header = (f"{header_prefix}Mirrored".lower().encode("ascii"), b"true")
        self._count = count
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(self, request: UpstreamRequest) -> None:
        """Send a copy, if it is this request's turn; a body that is streamed cannot be sent twice."""
        if request.stream is not None or self._random() >= self._share:
            return
        if len(self._tasks) >= MAX_PENDING:
            self._count("dropped")
            return
        copy = UpstreamRequest(
            request.method, request.target, [*request.headers, self._mark], request.body, request.deadline_s
        )
        task = asyncio.get_running_loop().create_task(self._send(copy))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, copy: UpstreamRequest) -> None:
        try:
            await self._upstream.forward(copy, _Nobody())
        except UpstreamError as error:
            _logger.debug("a copy was lost: %s", error)
            self._count("failed")
        else:
            self._count("answered")


class Mirrored:
    """A way to a service that shows its requests to a mirror first."""

    def __init__(self, upstream: Forwarder, mirror: Mirror) -> None:
        self._upstream = upstream
        self._mirror = mirror

    async def forward(self, request: UpstreamRequest, sink: ResponseSink) -> None:
        """Send the request as ever."""
        self._mirror.offer(request)
        await self._upstream.forward(request, sink)


class _Nobody:
    """Takes an answer that nobody reads."""

    def start(self, status: int, headers: list[Header]) -> None:
        pass

    async def body(self, chunk: bytes, more: bool) -> None:
        pass

    async def client_gone(self) -> None:
        await asyncio.get_running_loop().create_future()
