"""aiohttp as the transport of the async client, for programs that make many calls at once.

The only module that knows it; the extra `aiohttp` installs it. It runs under asyncio alone.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from .._encoding.content import CHUNK_BYTES, Body, BytesBody
from .._errors import ArgumentError, ConfigurationError
from .._lazy import off_loop
from .._media import essence
from .._wire import (
    SHARE_TO_CONNECT,
    Answer,
    Failure,
    FailureKind,
    Outcome,
    Send,
    TransportFailed,
    out_of_time,
)
from .places import place_of

if TYPE_CHECKING:
    import ssl

_CONNECTIONS: Final = 1000
_HEAD_BYTES: Final = 64 * 1024
"""Longest line of a head that is taken; aiohttp's own 8 KiB are less than some servers send."""

# The first that matches; the order matters, since several are subclasses of others.
_KINDS: Final[tuple[tuple[type[Exception], FailureKind], ...]] = (
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ClientHttpProxyError, "connect"),
    (aiohttp.ServerFingerprintMismatch, "connect"),
)
_ERRORS: Final = (aiohttp.ClientError, OSError)


class AiohttpTransport:
    """Sends over an `aiohttp.ClientSession`: one made on the loop that sends first, unless one is given."""

    def __init__(self, session: aiohttp.ClientSession | None = None) -> None:
        self._owned = session is None
        self._session = session
        self._closed = False
        self._ways: dict[str, _Way] = {}
        self._under_way = 0

    async def send(self, step: Send) -> Outcome:
        """One attempt, given up when the time left is over."""
        body = _Outgoing(step.request.body) if step.request.body is not None else None
        kept = False
        self._under_way += 1
        try:
            async with asyncio.timeout(step.time_left_s):
                response = await self._begin(step, body)
                try:
                    kept = step.keep_open(response.status, essence(response.headers.get("content-type", "")))
                    if kept:
                        reader = _Reader(response, step, self._reader_closed)
                        return Answer(status=response.status, headers=_headers(response), reader=reader)
                    content = await response.read()
                    return Answer(status=response.status, headers=_headers(response), content=content)
                finally:
                    if not kept:
                        response.close()
        except _ERRORS as error:
            if body is not None and body.error is not None:
                raise body.error from None  # the caller's own
            return self._failure(error, step)
        finally:
            if not kept:
                self._under_way -= 1
            if body is not None:
                await body.aclose()

    def prepare(self) -> None:
        """Nothing is left to do."""

    async def aclose(self) -> None:
        self._closed = True
        if self._owned and self._session is not None:
            await self._session.close()

    async def _begin(self, step: Send, body: _Outgoing | None) -> aiohttp.ClientResponse:
        """Send the request, and wait for the head of the answer."""
        session = self._session or self._opened()
        request = step.request
        way = self._ways.get(step.endpoint.url) or await self._way(step.endpoint.url)
        headers = CIMultiDict((*request.headers, *step.headers))
        if body is not None and body.size_bytes is not None:
            headers["content-length"] = str(body.size_bytes)
        if way.authorization:
            headers["authorization"] = way.authorization
        if step.endpoint.host:
            headers["host"] = step.endpoint.host
        unsent_s = max(step.time_left_s, 0.001) * SHARE_TO_CONNECT
        try:
            return await session.request(
                request.method,
                URL(way.base + request.target, encoded=True),
                headers=headers,
                data=None if body is None else body.data(),
                allow_redirects=False,
                proxy=way.proxy,
                ssl=True if way.tls is None else way.tls,
                server_hostname=step.endpoint.host.partition(":")[0] or None,
                timeout=aiohttp.ClientTimeout(
                    connect=unsent_s, sock_connect=min(unsent_s, step.connect_s), ceil_threshold=math.inf
                ),
            )
        except ValueError as error:  # and `aiohttp.InvalidURL`, which is one
            if isinstance(error, aiohttp.ClientConnectorError):  # and so is a certificate that is refused
                raise
            if body is not None and body.error is not None:
                raise body.error from None
            raise ArgumentError(
                "the request does not form valid HTTP; check base_url, headers and the size of the body"
            ) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the client is closed")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_HEAD_BYTES,
            max_field_size=_HEAD_BYTES,
            middlewares=(_once,),
        )
        return self._session

    async def _way(self, url: str) -> _Way:
        place = place_of(url)
        origin, slash, path = place.base.removeprefix(f"{place.scheme}://").partition("/")
        way = _Way(
            base=str(URL(f"{place.scheme}://{origin}").origin()) + slash + path,
            authorization=place.authorization,
            proxy=_proxy(place.proxy) if self._owned else None,
            tls=await off_loop(_tls) if self._owned and place.scheme == "https" else None,
        )
        self._ways[url] = way
        return way

    def _failure(self, error: Exception, step: Send) -> Failure:
        if type(error) is TimeoutError:
            return out_of_time()
        kind = _kind(error)
        connector = self._session.connector if self._session is not None else None
        if kind == "connect_timeout" and connector is not None and 0 < connector.limit < self._under_way:
            kind = "pool_timeout"  # aiohttp does not tell a wait for a connection from one in a queue
        return Failure(kind=kind, cause=_presentable(error, step))

    def _reader_closed(self) -> None:
        self._under_way -= 1


class _Way(NamedTuple):
    """The way to an endpoint."""

    base: str
    authorization: str
    proxy: URL | None
    tls: ssl.SSLContext | None


class _Outgoing:
    """The body of one attempt, and the error that its source raised, which aiohttp would wrap."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._chunks: AsyncGenerator[bytes, None] | None = None
        self.size_bytes = body.size_bytes
        self.error: Exception | None = None

    def data(self) -> bytes | AsyncIterator[bytes]:
        body = self._body
        if isinstance(body, BytesBody) and len(body.data) <= CHUNK_BYTES:
            return body.data
        self._chunks = self._watched(_slices(body.data) if isinstance(body, BytesBody) else body.achunks())
        return self._chunks

    async def aclose(self) -> None:
        if self._chunks is not None:
            with suppress(RuntimeError):  # where it is just running it ends by being cancelled
                await self._chunks.aclose()

    async def _watched(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in chunks:
                yield chunk
        except Exception as error:
            self.error = error
            raise


class _Reader:
    """The body of a kept answer."""

    def __init__(self, response: aiohttp.ClientResponse, step: Send, closed: Callable[[], None]) -> None:
        self._response = response
        self._step = step
        self._closed: Callable[[], None] | None = closed

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        content = self._response.content
        try:
            while True:
                async with asyncio.timeout(self._step.idle_s):
                    piece = await content.readany()
                if not piece:
                    return
                yield piece
        except _ERRORS as error:
            kind: FailureKind = "timeout" if isinstance(error, TimeoutError) else "lost"
            raise TransportFailed(Failure(kind=kind, cause=_presentable(error, self._step))) from error

    async def aclose(self) -> None:
        self._response.close()
        if self._closed is not None:
            self._closed()
            self._closed = None


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp repeats what is idempotent by itself, unseen by the budget and by those who count attempts."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


async def _slices(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def _kind(error: Exception) -> FailureKind:
    for of, kind in _KINDS:
        if isinstance(error, of):
            return kind
    return "lost"


def _headers(response: aiohttp.ClientResponse) -> CIMultiDict[str]:
    """By their names in lower case; repeated ones are joined by commas."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name, text in response.headers.items():
        name = name.lower()
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _proxy(url: str) -> URL | None:
    if not url:
        return None
    proxy = URL(url)
    if proxy.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"aiohttp has no {proxy.scheme} proxies, but the environment names one; use httpx instead"
        )
    return proxy


def _tls() -> ssl.SSLContext:
    """Trusts what httpx trusts."""
    import httpx

    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _presentable(error: Exception, step: Send) -> Exception:
    """The error, unless its message holds the address, in which there may be an API key."""
    text = str(error)
    if step.request.target not in text:
        return error
    return TimeoutError("timed out") if isinstance(error, TimeoutError) else ConnectionError("it broke off")
