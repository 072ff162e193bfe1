"""A small API, a clock that nobody waits for, and one caller per colour with the same methods."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import httpx
from dhatu_client import _call as spec
from dhatu_client._answers.binary import BinaryResponse, SyncBinaryResponse
from dhatu_client._answers.streams import EventStream, SyncEventStream
from dhatu_client._client import AsyncAPIClient, SyncAPIClient
from dhatu_client._settings import Surroundings

T = TypeVar("T")

API = spec.ApiSpec(
    client="SampleAPI",
    distribution="sample-client",
    version="1.2.3",
    base_url="https://api.sample.test/base",
    environment_prefix="SAMPLE",
    header_prefix="X-Sample-",
    schemes=(
        spec.SchemeSpec(key="bearer", kind="bearer"),
        spec.SchemeSpec(key="apiKey", kind="api_key", parameter="X-API-Key"),
        spec.SchemeSpec(key="queryKey", kind="api_key", location="query", parameter="key"),
        spec.SchemeSpec(key="cookieKey", kind="api_key", location="cookie", parameter="session"),
        spec.SchemeSpec(key="certificate", kind="other"),
    ),
    models="sdk.sample_models",
)

Handler = Callable[[httpx.Request], httpx.Response]


def operation(**changes: Any) -> spec.Operation[Any, Any]:
    """A read that answers with any JSON value."""
    plain: spec.Operation[Any, Any] = spec.Operation(
        key="documents.get",
        method="GET",
        path="/documents",
        responses=(spec.ResponseSpec(status="200", media_type="application/json", kind="json"),),
        retry="safe",
        timeout_s=60.0,
    )
    return replace(plain, **changes)


def parameter(argument: str, location: Any, **changes: Any) -> spec.ParameterSpec:
    style = "simple" if location in ("path", "header") else "form"
    plain = spec.ParameterSpec(
        argument=argument, name=argument, location=location, style=style, explode=style == "form"
    )
    return replace(plain, **changes)


def answer(kind: Any, media_type: str = "", *, status: str = "200", type_: str = "") -> spec.ResponseSpec:
    return spec.ResponseSpec(status=status, media_type=media_type, kind=kind, type=type_)


class VirtualTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def now_s(self) -> float:
        return self.now

    def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        self.now += delay_s

    async def asleep(self, delay_s: float) -> None:
        self.sleep(delay_s)


def surroundings(time: VirtualTime) -> Surroundings:
    tokens = iter(f"token-{number}" for number in range(1, 1000))
    return Surroundings(
        now_s=time.now_s,
        wall_s=lambda: 1_700_000_000.0,
        random=random.Random(7).random,
        sleep=time.sleep,
        asleep=time.asleep,
        new_token=lambda: next(tokens),
    )


class Caller(Protocol):
    """A client of either colour, seen from code that does not await."""

    time: VirtualTime
    client: Any

    def call(
        self,
        operation: spec.Operation[Any, Any],
        *,
        stream: bool = False,
        options: Any = ...,
        **arguments: object,
    ) -> Any: ...

    def items(self, stream: Any) -> list[Any]: ...

    def next(self, stream: Any) -> Any:
        """The next item; the stream stays open."""
        ...

    def first(self, stream: Any) -> Any:
        """The first item; the stream is closed after it."""
        ...

    def read(self, response: Any) -> bytes: ...

    def events(self, stream: Any) -> list[Any]: ...

    def save(self, response: Any, path: Path, **options: Any) -> int: ...

    def shut(self) -> None:
        """Close the client alone."""
        ...

    def close(self) -> None: ...


class SyncCaller:
    def __init__(self, handler: Handler | None = None, *, api: spec.ApiSpec = API, **settings: Any) -> None:
        self.time = VirtualTime()
        kind = type(
            "SyncSampleAPI", (SyncAPIClient,), {"_api": api, "_surroundings": surroundings(self.time)}
        )
        self._http = httpx.Client(transport=httpx.MockTransport(handler)) if handler else None
        self.client: SyncAPIClient = kind(**{"http_client": self._http, **settings})

    def call(
        self,
        operation: spec.Operation[Any, Any],
        *,
        stream: bool = False,
        options: Any = None,
        **arguments: object,
    ) -> Any:
        return self.client.call(operation, arguments, cast("spec.CallOptions", options or {}), stream=stream)

    def items(self, stream: SyncEventStream[Any]) -> list[Any]:
        with stream:
            return list(stream)

    def next(self, stream: SyncEventStream[Any]) -> Any:
        return next(stream)

    def first(self, stream: SyncEventStream[Any]) -> Any:
        with stream:
            return next(stream)

    def read(self, response: SyncBinaryResponse) -> bytes:
        with response:
            return response.read()

    def events(self, stream: SyncEventStream[Any]) -> list[Any]:
        with stream:
            return list(stream.events())

    def save(self, response: SyncBinaryResponse, path: Path, **options: Any) -> int:
        with response:
            return response.save(path, **options)

    def shut(self) -> None:
        self.client.close()

    def close(self) -> None:
        self.client.close()
        if self._http:
            self._http.close()


class AsyncCaller:
    def __init__(self, handler: Handler | None = None, *, api: spec.ApiSpec = API, **settings: Any) -> None:
        self.time = VirtualTime()
        self._runner = asyncio.Runner()
        kind = type("SampleAPI", (AsyncAPIClient,), {"_api": api, "_surroundings": surroundings(self.time)})
        self._http = httpx.AsyncClient(transport=httpx.MockTransport(handler)) if handler else None
        self.client: AsyncAPIClient = kind(**{"http_client": self._http, **settings})

    def call(
        self,
        operation: spec.Operation[Any, Any],
        *,
        stream: bool = False,
        options: Any = None,
        **arguments: object,
    ) -> Any:
        return self._runner.run(
            self.client.call(operation, arguments, cast("spec.CallOptions", options or {}), stream=stream)
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out something of the test's own on the client's loop."""
        return self._runner.run(work)

    def items(self, stream: EventStream[Any]) -> list[Any]:
        async def collect() -> list[Any]:
            async with stream:
                return [item async for item in stream]

        return self._runner.run(collect())

    def next(self, stream: EventStream[Any]) -> Any:
        async def take() -> Any:
            return await anext(stream)

        return self._runner.run(take())

    def first(self, stream: EventStream[Any]) -> Any:
        async def take() -> Any:
            async with stream:
                return await anext(stream)

        return self._runner.run(take())

    def read(self, response: BinaryResponse) -> bytes:
        async def collect() -> bytes:
            async with response:
                return await response.read()

        return self._runner.run(collect())

    def events(self, stream: EventStream[Any]) -> list[Any]:
        async def collect() -> list[Any]:
            async with stream:
                return [event async for event in stream.events()]

        return self._runner.run(collect())

    def save(self, response: BinaryResponse, path: Path, **options: Any) -> int:
        async def write() -> int:
            async with response:
                return await response.save(path, **options)

        return self._runner.run(write())

    def shut(self) -> None:
        self._runner.run(self.client.aclose())

    def close(self) -> None:
        async def close() -> None:
            await self.client.aclose()
            if self._http:
                await self._http.aclose()

        self._runner.run(close())
        self._runner.close()


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives in pieces, of either colour: an exception breaks it off, a function runs."""

    def __init__(self, *pieces: bytes | Exception | Callable[[], object]) -> None:
        self._pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, bytes):
                yield piece
            else:
                piece()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


BROKEN = httpx.ReadError("reset by peer")


class Server:
    """Canned answers in order, the last one for ever, and the requests that came."""

    def __init__(self, *answers: httpx.Response | Exception | Handler) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        canned = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(canned, Exception):
            raise canned
        if isinstance(canned, httpx.Response):
            return httpx.Response(canned.status_code, headers=canned.headers, content=canned.content)
        return canned(request)

    @property
    def request(self) -> httpx.Request:
        (request,) = self.requests
        return request
