"""Search while somebody types, as the corpus service answers it over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from dhatu_reference.corpus.live import answer_newest
from fastapi import WebSocket
from starlette.types import Message, Scope


class Typist:
    """The client's side of a WebSocket without a wire."""

    def __init__(self) -> None:
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self.answers: asyncio.Queue[Message] = asyncio.Queue()
        scope: Scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
        self.read = asyncio.Event()
        """Everything that was sent has been received."""
        self.socket = WebSocket(scope, self._receive, self.answers.put)
        self._sent.put_nowait({"type": "websocket.connect"})

    async def _receive(self) -> Message:
        if self._sent.empty():
            self.read.set()
        return await self._sent.get()

    def types(self, q: str) -> None:
        self.read.clear()
        self._sent.put_nowait({"type": "websocket.receive", "text": q})

    def sends(self, data: bytes) -> None:
        self._sent.put_nowait({"type": "websocket.receive", "bytes": data})

    def leaves(self) -> None:
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1000})


async def found(q: str) -> Mapping[str, Any]:
    return {"total": len(q)}


async def test_every_query_is_answered_in_turn_where_nobody_is_in_a_hurry() -> None:
    typist = Typist()
    serving = asyncio.create_task(answer_newest(typist.socket, found))
    assert (await typist.answers.get())["type"] == "websocket.accept"
    for q in ("a", "ab"):
        typist.types(q)
        assert json.loads((await typist.answers.get())["text"]) == {"q": q, "total": len(q)}
    typist.leaves()
    await serving


async def test_of_those_that_come_meanwhile_the_newest_is_answered() -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def slowly(q: str) -> Mapping[str, Any]:
        asked.set()
        await go.wait()
        return {}

    typist = Typist()
    serving = asyncio.create_task(answer_newest(typist.socket, slowly))
    typist.types("d")
    await asked.wait()
    for q in ("dh", "dhā", "dhātu"):
        typist.types(q)
    await typist.read.wait()
    go.set()
    assert (await typist.answers.get())["type"] == "websocket.accept"
    answers = [json.loads((await typist.answers.get())["text"]) for _ in range(2)]
    assert answers == [{"q": "d"}, {"q": "dhātu"}]
    typist.leaves()
    await serving
    assert typist.answers.empty()


async def test_what_is_no_query_is_said_to_be_none() -> None:
    typist = Typist()
    serving = asyncio.create_task(answer_newest(typist.socket, found))
    await typist.answers.get()
    for q in ("", "a" * 513):
        typist.types(q)
        assert json.loads((await typist.answers.get())["text"]) == {
            "q": q,
            "error": "A query has 1 to 512 characters.",
        }
    typist.sends(b"dh")
    assert (await typist.answers.get())["code"] == 1003
    await serving


async def test_a_client_that_leaves_while_it_is_answered_ends_it() -> None:
    typist = Typist()

    async def meanwhile(q: str) -> Mapping[str, Any]:
        typist.leaves()
        await asyncio.sleep(0)
        return {}

    typist.types("d")
    await asyncio.wait_for(answer_newest(typist.socket, meanwhile), 10)
