"""The conformance client: generated from a document in memory, installed, and called in both colours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
from codegen.python.conformance.decoder import Wire
from codegen.python.package import install
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.ir.api import Api
from dhatu_codegen.parse.document import parse
from dhatu_codegen.reading.load import load
from dhatu_codegen.targets.python import PythonTarget

Answerer = Callable[[httpx.Request], httpx.Response]


def api_of(document: Any, root: Path, diagnostics: Diagnostics | None = None) -> Api:
    """The IR of one document, as it is."""
    (root / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    diagnostics = diagnostics or Diagnostics()
    loaded = load(root, "openapi.json", diagnostics)
    assert loaded is not None
    return parse(loaded, diagnostics)


def installed(api: Api, root: Path) -> Path:
    return install(PythonTarget().render(api), root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Calls one method of the generated client, sync and async, and shows what travelled."""

    module: ModuleType
    client: str = "WireAPI"

    def sent(self, method: str, _settings: dict[str, Any] | None = None, /, **arguments: Any) -> Wire:
        """The request of both clients, which must be the same but for boundaries; the answer is of no use."""
        seen: list[Wire] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(wire_of(request))
            return httpx.Response(204)

        for colour in ("sync", "async"):
            try:
                self.both(method, answer, settings=_settings or {}, colour=colour, **arguments)
            except Exception as error:
                if type(error).__name__ != "DecodingError":
                    raise
        first, second = seen
        assert (first.method, first.path, first.query) == (second.method, second.path, second.query)
        return first

    def answers(self, method: str, answer: Callable[[], httpx.Response], **arguments: Any) -> list[Any]:
        """What both clients make of an answer; series and bytes are read out."""
        return [
            self.both(method, lambda _: answer(), settings={}, colour=colour, **arguments)[1]
            for colour in ("sync", "async")
        ]

    def both(
        self, method: str, answer: Answerer, *, settings: dict[str, Any], colour: str, **arguments: Any
    ) -> tuple[Wire, Any]:
        seen: list[Wire] = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(wire_of(request))
            return answer(request)

        if colour == "sync":
            with httpx.Client(transport=httpx.MockTransport(_sync(handle))) as http:
                client = getattr(self.module, f"Sync{self.client}")(http_client=http, **settings)
                result = _read(_method(client, method)(**arguments))
        else:
            result = asyncio.run(self._call(method, handle, settings, arguments))
        (wire,) = seen
        return wire, result

    async def _call(self, method: str, handle: Answerer, settings: dict[str, Any], arguments: Any) -> Any:
        async def answer(request: httpx.Request) -> httpx.Response:
            await request.aread()
            return handle(request)

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            client = getattr(self.module, self.client)(http_client=http, **settings)
            return await _aread(await _method(client, method)(**arguments))


def _sync(handle: Answerer) -> Answerer:
    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        return handle(request)

    return answer


def _method(client: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        client = getattr(client, name)
    return client


def _read(result: Any) -> Any:
    if hasattr(result, "read"):
        return result.read()
    return list(result) if hasattr(result, "__next__") else result


async def _aread(result: Any) -> Any:
    if hasattr(result, "read"):
        return await result.read()
    return [item async for item in result] if hasattr(result, "__anext__") else result


def wire_of(request: httpx.Request) -> Wire:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = tuple((name.decode("utf-8"), text.decode("utf-8")) for name, text in request.headers.raw)
    return Wire(
        method=request.method,
        path=path,
        query=query,
        headers=headers,
        body=request.content,
        url=str(request.url),
    )
