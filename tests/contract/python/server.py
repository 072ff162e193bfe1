"""The server of a case: answers in order of arrival, and a record of what arrived."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

Answer = Mapping[str, Any]
"""As `case.schema.json` describes it under `answer`."""

_MEDIA_TYPES: Final = {"json": "application/json", "text": "text/plain; charset=utf-8"}
_UNSENT: Final = ("connect", "connect_timeout", "pool_timeout")
"""Failures before which nothing is read of a request's body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request, and when it came."""

    at_s: float
    request: httpx.Request
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Time that passes before what comes next; with an error, the client has given up by then."""

    delay_s: float
    error: httpx.TransportError | None = None


Step = Wait | bytes
"""What a body does next."""


@dataclass
class Server:
    """Answers as its script says."""

    script: Sequence[Answer] | Mapping[str, Sequence[Answer]]
    now_s: Callable[[], float]
    arrivals: list[Arrival] = field(default_factory=list)

    def __post_init__(self) -> None:
        scripts = self.script if isinstance(self.script, Mapping) else {"": self.script}
        self._answers = {url: _repeated(answers) for url, answers in scripts.items()}

    def choose(self, request: httpx.Request) -> Answer:
        """The next answer for where the request goes."""
        url = str(request.url)
        fitting = [base for base in self._answers if url.startswith(base)]
        answer = next(self._answers[max(fitting, key=len)], None) if fitting else None
        assert answer is not None, f"nobody expected {request.method} {url} at {self.now_s():g} s"
        return answer

    def receive(self, request: httpx.Request, answer: Answer, content: bytes) -> Wait:
        """What happens before the answer begins, if it does."""
        self.arrivals.append(Arrival(at_s=self.now_s(), request=request, content=content))
        limits = request.extensions["timeout"]
        after_s = answer.get("after_s", 0)
        match answer.get("failure"):
            case "connect":
                return Wait(delay_s=after_s, error=httpx.ConnectError("refused"))
            case "connect_timeout":
                return Wait(delay_s=limits["connect"], error=httpx.ConnectTimeout("too slow"))
            case "pool_timeout":
                return Wait(delay_s=limits["pool"], error=httpx.PoolTimeout("none is free"))
            case "lost":
                return Wait(delay_s=after_s, error=httpx.ReadError("reset"))
            case "hang":
                return _wait(math.inf, limits["read"])
            case _:
                return _wait(after_s, limits["read"])


class SyncServer(httpx.BaseTransport):
    """The server as a client that blocks meets it."""

    def __init__(self, server: Server, sleep: Callable[[float], None]) -> None:
        self._server = server
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._server.choose(request)
        content = b"" if answer.get("failure") in _UNSENT else request.read()
        self._pass(self._server.receive(request, answer, content))
        steps = _body(answer, request.extensions["timeout"]["read"])
        return httpx.Response(
            answer.get("status", 200), headers=_headers(answer), stream=_Body(steps, self._pass)
        )

    def _pass(self, wait: Wait) -> None:
        if wait.delay_s:
            self._sleep(wait.delay_s)
        if wait.error is not None:
            raise wait.error


class AsyncServer(httpx.AsyncBaseTransport):
    """The server as a client that awaits meets it."""

    def __init__(self, server: Server, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._server = server
        self._sleep = sleep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._server.choose(request)
        content = b"" if answer.get("failure") in _UNSENT else await request.aread()
        await self._pass(self._server.receive(request, answer, content))
        steps = _body(answer, request.extensions["timeout"]["read"])
        return httpx.Response(
            answer.get("status", 200), headers=_headers(answer), stream=_AsyncBody(steps, self._pass)
        )

    async def _pass(self, wait: Wait) -> None:
        if wait.delay_s:
            await self._sleep(wait.delay_s)
        if wait.error is not None:
            raise wait.error


class _Body(httpx.SyncByteStream):
    def __init__(self, steps: Iterator[Step], let_pass: Callable[[Wait], None]) -> None:
        self._steps = steps
        self._let_pass = let_pass

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, Wait):
                self._let_pass(step)
            else:
                yield step


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, steps: Iterator[Step], let_pass: Callable[[Wait], Awaitable[None]]) -> None:
        self._steps = steps
        self._let_pass = let_pass

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, Wait):
                await self._let_pass(step)
            else:
                yield step


def _repeated(answers: Sequence[Answer]) -> Iterator[Answer]:
    for answer in answers:
        times = answer.get("repeat", 1)
        while times == "forever":
            yield answer
        for _ in range(times):
            yield answer


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    headers = {name.lower(): text for name, text in answer.get("headers", {}).items()}
    kind = next((kind for kind in _MEDIA_TYPES if kind in answer), None)
    if kind and "content-type" not in headers:
        headers["content-type"] = _MEDIA_TYPES[kind]
    return [(name.encode(), text.encode()) for name, text in headers.items()]


def _body(answer: Answer, limit_s: float) -> Iterator[Step]:
    for chunk in answer.get("chunks", [answer]):
        if "chunks" in answer and chunk.get("after_s"):
            yield _wait(chunk["after_s"], limit_s)
        content = content_of(chunk)
        size = answer.get("chunk_bytes") or len(content) or 1
        for start in range(0, len(content), size):
            yield content[start : start + size]
    if answer.get("break"):
        yield Wait(delay_s=0, error=httpx.ReadError("reset"))


def content_of(described: Mapping[str, Any]) -> bytes:
    """The bytes that `json`, `text` or `base64` stands for."""
    if "json" in described:
        return json.dumps(described["json"]).encode()
    if "base64" in described:
        return base64.b64decode(described["base64"])
    text: str = described.get("text", "")
    return text.encode()


def _wait(delay_s: float, limit_s: float) -> Wait:
    """Until the answer goes on, or until the client has waited long enough."""
    if delay_s > limit_s:
        return Wait(delay_s=limit_s, error=httpx.ReadTimeout("too slow"))
    return Wait(delay_s=delay_s)
