"""httpx as the transport: the only module that knows it."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from importlib import import_module
from typing import Any, Generic, NamedTuple, TypeVar

import anyio
import httpx
from httpx._client import UseClientDefault  # httpx exports the value, but not its type

from .._encoding.content import BytesBody
from .._errors import ArgumentError
from .._lazy import ANYIO_ON_ASYNCIO
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
    without_user,
)
from .places import Place, place_of

T = TypeVar("T")

_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)

# Nothing is sent with it: it only tells which encodings this httpx can undo.
_ACCEPT_ENCODING = (
    b"accept-encoding",
    httpx.Client(transport=httpx.BaseTransport()).headers["accept-encoding"].encode(),
)
_parsed = lru_cache(maxsize=256)(httpx.URL)

# The first that matches; the order matters, since ConnectTimeout is a TimeoutException.
_KINDS: tuple[tuple[type[httpx.TransportError], FailureKind], ...] = (
    (httpx.ConnectTimeout, "connect_timeout"),
    (httpx.PoolTimeout, "pool_timeout"),
    (httpx.TimeoutException, "timeout"),
    (httpx.ConnectError, "connect"),
    (httpx.ProxyError, "connect"),
    (httpx.TransportError, "lost"),
)


class HttpxTransport:
    """Sends over the `httpx.Client` that is lent, or over connections of its own."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._client = client
        self._own = _Ways(httpx.HTTPTransport) if client is None else None

    def send(self, step: Send) -> Outcome:
        """One attempt; the time left is checked between the pieces of the answer."""
        deadline_s = time.monotonic() + step.time_left_s
        body = step.request.body
        content = body.data if isinstance(body, BytesBody) else body.chunks() if body else None
        try:
            response = self._begin(step, content)
            if step.keep_open(response.status_code, _media_type(response)):
                return _kept(response, _Reader(response), step)
            pieces: list[bytes] = []
            with closing(response):
                for piece in response.iter_bytes():
                    pieces.append(piece)
                    if time.monotonic() > deadline_s:
                        return out_of_time()
            return _whole(response, b"".join(pieces))
        except _TRANSPORT_ERRORS as error:
            return _failure(error)

    def _begin(self, step: Send, content: bytes | Iterator[bytes] | None) -> httpx.Response:
        """Send the request, and wait for the head of the answer."""
        if self._own is not None:
            way = self._own.to(step.endpoint.url)
            response = way.transport.handle_request(request := way.request(step, content))
            response.request = request
            return response
        assert self._client is not None, "there is one or the other"
        request = _lent_request(self._client, step, content)
        return self._client.send(request, stream=True, follow_redirects=_redirects(step))

    def close(self) -> None:
        if self._own is not None:
            for transport in self._own.close():
                transport.close()


class AsyncHttpxTransport:
    """Sends over the `httpx.AsyncClient` that is lent, or over connections of its own."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client
        self._own = _Ways(httpx.AsyncHTTPTransport) if client is None else None

    def prepare(self) -> None:
        """Import what anyio and httpx would import with the first request."""
        import_module(ANYIO_ON_ASYNCIO)

    async def send(self, step: Send) -> Outcome:
        """One attempt, given up when the time left is over."""
        body = step.request.body
        content = body.data if isinstance(body, BytesBody) else body.achunks() if body else None
        with anyio.move_on_after(step.time_left_s):
            try:
                response = await self._begin(step, content)
                if step.keep_open(response.status_code, _media_type(response)):
                    return _kept(response, _AsyncReader(response), step)
                try:
                    return _whole(response, await response.aread())
                finally:
                    await response.aclose()
            except _TRANSPORT_ERRORS as error:
                return _failure(error)
        return out_of_time()

    async def _begin(self, step: Send, content: bytes | AsyncIterator[bytes] | None) -> httpx.Response:
        """Send the request, and wait for the head of the answer."""
        if self._own is not None:
            way = self._own.to(step.endpoint.url)
            response = await way.transport.handle_async_request(request := way.request(step, content))
            response.request = request
            return response
        assert self._client is not None, "there is one or the other"
        request = _lent_request(self._client, step, content)
        return await self._client.send(request, stream=True, follow_redirects=_redirects(step))

    async def aclose(self) -> None:
        if self._own is not None:
            for transport in self._own.close():
                await transport.aclose()


class _Way(NamedTuple, Generic[T]):
    """The way to an endpoint over connections of our own."""

    place: Place
    transport: T

    def request(
        self, step: Send, content: bytes | Iterator[bytes] | AsyncIterator[bytes] | None
    ) -> httpx.Request:
        """What `httpx.Client.build_request` would make, in a quarter of its time: nothing is merged."""
        headers = [*_headers(step), _ACCEPT_ENCODING]
        if self.place.authorization:
            headers = [pair for pair in headers if pair[0] != b"authorization"]
            headers.append((b"authorization", self.place.authorization.encode()))
        return httpx.Request(
            step.request.method,
            _parsed(self.place.base + step.request.target),
            headers=headers,
            content=content,
            extensions=_extensions(step),
        )


class _Ways(Generic[T]):
    """Connections of our own, without what an `httpx.Client` does besides: cookies, redirects, a log."""

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._tls = httpx.create_ssl_context()
        self._lock = threading.Lock()
        self._transports: dict[str, T] = {"": make(verify=self._tls, limits=_LIMITS)}  # by proxy
        self._ways: dict[str, _Way[T]] = {}
        self._closed = False

    def to(self, url: str) -> _Way[T]:
        if self._closed:
            raise RuntimeError("the client is closed")
        return self._ways.get(url) or self._found(url)

    def close(self) -> Iterable[T]:
        """The transports, to be closed."""
        self._closed = True
        return self._transports.values()

    def _found(self, url: str) -> _Way[T]:
        place = place_of(url)
        with self._lock:
            if place.proxy not in self._transports:
                proxy = httpx.Proxy(place.proxy) if place.proxy else None
                self._transports[place.proxy] = self._make(verify=self._tls, limits=_LIMITS, proxy=proxy)
            return self._ways.setdefault(url, _Way(place, self._transports[place.proxy]))


class _Reader:
    """The body of a kept answer."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def chunks(self) -> Generator[bytes, None, None]:
        try:
            yield from self._response.iter_bytes()
        except _TRANSPORT_ERRORS as error:
            raise TransportFailed(_failure(error)) from error

    def close(self) -> None:
        self._response.close()


class _AsyncReader:
    """The body of a kept answer."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except _TRANSPORT_ERRORS as error:
            raise TransportFailed(_failure(error)) from error

    async def aclose(self) -> None:
        await self._response.aclose()


# In TLS 1.3 a certificate is refused after the handshake, which httpx passes on as what `ssl` raised.
_TRANSPORT_ERRORS = (httpx.TransportError, httpx.DecodingError, ssl.SSLError)


def _redirects(step: Send) -> bool | UseClientDefault:
    return False if step.request.confined else httpx.USE_CLIENT_DEFAULT


def _lent_request(
    client: httpx.Client | httpx.AsyncClient,
    step: Send,
    content: bytes | Iterator[bytes] | AsyncIterator[bytes] | None,
) -> httpx.Request:
    """With what the client that is lent adds to every request."""
    built = client.build_request(
        step.request.method, step.url, headers=_headers(step), content=content, extensions=_extensions(step)
    )
    built.url = _OwnURL(built.url)
    return built


def _headers(step: Send) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode(), text.encode()) for name, text in (*step.request.headers, *step.headers)]
    body, name = step.request.body, step.endpoint.host
    if body is not None and body.size_bytes is not None:
        headers.append((b"content-length", str(body.size_bytes).encode()))
    if name:
        headers.append((b"host", name.encode()))
    return headers


def _extensions(step: Send) -> dict[str, Any]:
    """Times, and the name that is asked for in the TLS handshake, and compared with the certificate, where
    the URL holds an address."""
    left_s = max(step.time_left_s, 0.001)
    unsent_s = left_s * SHARE_TO_CONNECT
    connect_s = min(unsent_s, step.connect_s)
    timeout = {"connect": connect_s, "pool": unsent_s, "write": left_s, "read": left_s}
    name = step.endpoint.host
    return {"timeout": timeout, "sni_hostname": name.partition(":")[0]} if name else {"timeout": timeout}


class _OwnURL(httpx.URL):
    """The address of a request of ours, which may hold an API key in its query."""


class _HidesSecrets(logging.Filter):
    """httpx logs the address of every request: of ours without user and query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_user(str(arg.copy_with(query=None))) if isinstance(arg, _OwnURL) else arg
                for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_HidesSecrets())


def _failure(error: httpx.TransportError | httpx.DecodingError | ssl.SSLError) -> Failure:
    """What an error of httpx, or under it, means.

    Raises `ArgumentError` where it was the request that was wrong: repeating it would not help.
    """
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        raise ArgumentError(
            "the request does not form valid HTTP; check base_url, headers and the size of the body"
        ) from error
    for kind, name in _KINDS:
        if isinstance(error, kind):
            return Failure(kind=name, cause=error)
    return Failure(kind="lost", cause=error)


def _media_type(response: httpx.Response) -> str:
    return essence(response.headers.get("content-type", ""))


def _kept(response: httpx.Response, reader: _Reader | _AsyncReader, step: Send) -> Answer:
    # httpx has one time for reading, and looks at it again when the body begins.
    response.request.extensions["timeout"]["read"] = step.idle_s
    return Answer(status=response.status_code, headers=response.headers, reader=reader)


def _whole(response: httpx.Response, content: bytes) -> Answer:
    return Answer(status=response.status_code, headers=response.headers, content=content)
