"""httpx as the transport: the only module that knows it."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import closing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module

import anyio
import httpx
from httpx._client import UseClientDefault  # httpx exports the value, but not its type

from ._content import BytesBody
from ._errors import ArgumentError
from ._media import essence
from ._wire import (
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

_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)

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
    """Sends over an `httpx.Client`, made here unless one is given."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._owned = client is None
        self._client = client or httpx.Client(limits=_LIMITS, cookies=_no_cookies())

    def send(self, step: Send) -> Outcome:
        """One attempt; the time left is checked between the pieces of the answer."""
        deadline_s = time.monotonic() + step.time_left_s
        body = step.request.body
        content = body.data if isinstance(body, BytesBody) else body.chunks() if body else None
        request = _request(self._client, step, content)
        try:
            response = self._client.send(request, stream=True, follow_redirects=_redirects(step))
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

    def close(self) -> None:
        if self._owned:
            self._client.close()


class AsyncHttpxTransport:
    """Sends over an `httpx.AsyncClient`, made here unless one is given."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._owned = client is None
        self._client = client or httpx.AsyncClient(limits=_LIMITS, cookies=_no_cookies())

    async def send(self, step: Send) -> Outcome:
        """One attempt, given up when the time left is over."""
        body = step.request.body
        content = body.data if isinstance(body, BytesBody) else body.achunks() if body else None
        request = _request(self._client, step, content)
        with anyio.move_on_after(step.time_left_s):
            try:
                response = await self._client.send(request, stream=True, follow_redirects=_redirects(step))
                if step.keep_open(response.status_code, _media_type(response)):
                    return _kept(response, _AsyncReader(response), step)
                try:
                    return _whole(response, await response.aread())
                finally:
                    await response.aclose()
            except _TRANSPORT_ERRORS as error:
                return _failure(error)
        return out_of_time()

    def prepare(self) -> None:
        """Import what anyio and httpx would import with the first request."""
        import_module("anyio._backends._asyncio")

    async def aclose(self) -> None:
        if self._owned:
            await self._client.aclose()


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


_TRANSPORT_ERRORS = (httpx.TransportError, httpx.DecodingError)


def _no_cookies() -> CookieJar:
    """A jar that takes none: a session of the server's would silently be shared by all calls."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _redirects(step: Send) -> bool | UseClientDefault:
    return False if step.request.confined else httpx.USE_CLIENT_DEFAULT


def _request(
    client: httpx.Client | httpx.AsyncClient,
    step: Send,
    content: bytes | Iterator[bytes] | AsyncIterator[bytes] | None,
) -> httpx.Request:
    request = step.request
    headers = [(name.encode(), text.encode()) for name, text in (*request.headers, *step.headers)]
    if request.body is not None and request.body.size_bytes is not None:
        headers.append((b"content-length", str(request.body.size_bytes).encode()))
    left_s = max(step.time_left_s, 0.001)
    unsent_s = left_s * SHARE_TO_CONNECT
    timeout = httpx.Timeout(
        connect=min(unsent_s, step.connect_s),
        pool=unsent_s,
        write=left_s,
        read=left_s,
    )
    name = step.endpoint.host
    if name:
        headers.append((b"host", name.encode()))
    built = client.build_request(
        request.method,
        step.url,
        headers=headers,
        content=content,
        timeout=timeout,
        # Asked for in the TLS handshake, and compared with the certificate, in place of the URL's address.
        extensions={"sni_hostname": name.partition(":")[0]} if name else None,
    )
    built.url = _OwnURL(built.url)
    return built


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


def _failure(error: httpx.TransportError | httpx.DecodingError) -> Failure:
    """What an error of httpx means.

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
