"""Search while somebody types: queries come over a WebSocket, and the newest of them is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

from fastapi import WebSocket, WebSocketDisconnect

_MAX_QUERY: Final = 512
"""Characters."""
_UNSUPPORTED_DATA: Final = 1003
"""Why a WebSocket is closed on which bytes came (RFC 6455 section 7.4.1)."""

Find: TypeAlias = Callable[[str], Awaitable[Mapping[str, Any]]]
"""The members of the answer to a query."""


async def answer_newest(socket: WebSocket, find: Find) -> None:
    """Answer until the client leaves; of queries that come while one is answered, the last one counts."""
    await socket.accept()
    newest: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)
    receiving = asyncio.create_task(_receive(socket, newest))
    try:
        while (q := await newest.get()) is not None:
            content = await find(q) if 1 <= len(q) <= _MAX_QUERY else {"error": _refusal()}
            await socket.send_text(json.dumps({"q": q, **content}, ensure_ascii=False))
    except WebSocketDisconnect:
        pass  # it left while it was answered
    finally:
        receiving.cancel()
        with suppress(asyncio.CancelledError):
            await receiving


async def _receive(socket: WebSocket, newest: asyncio.Queue[str | None]) -> None:
    """Let each message take the place of the one before; None is the end."""
    open_ = True
    while open_:
        message = await socket.receive()
        q: str | None = message.get("text")
        open_ = q is not None
        if message["type"] == "websocket.receive" and q is None:
            await socket.close(_UNSUPPORTED_DATA, "Queries are text.")
        if newest.full():
            newest.get_nowait()
        newest.put_nowait(q)


def _refusal() -> str:
    return f"A query has 1 to {_MAX_QUERY} characters."
