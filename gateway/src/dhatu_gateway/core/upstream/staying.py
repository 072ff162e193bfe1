"""Whether the client is still there while its request waits in line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from dhatu_gateway.core.upstream.errors import ClientDisconnected
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest

Result = TypeVar("Result")

Leaving: TypeAlias = Callable[[], Awaitable[None]]
"""Returns when the client has closed its connection."""


def left_early(request: UpstreamRequest, sink: ResponseSink) -> Leaving | None:
    """How to learn that the client leaves before anything has been sent; None where nobody can tell."""
    if request.stream is None or request.tunnel is not None:
        return sink.client_gone
    return request.upload.left if request.upload is not None else None


async def until_left(turn: asyncio.Future[Result], leaving: Leaving | None) -> Result:
    """Return the result of `turn`; raises `ClientDisconnected` as soon as the client leaves before that."""
    if leaving is None:
        return await turn
    watch = asyncio.ensure_future(leaving())

    def on_left(watch: asyncio.Future[None]) -> None:
        if not watch.cancelled() and not turn.done():
            turn.set_exception(
                watch.exception() or ClientDisconnected("the client closed its connection while it waited")
            )

    watch.add_done_callback(on_left)
    try:
        return await turn
    finally:
        watch.cancel()
