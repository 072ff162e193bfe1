"""Which transport carries the calls of a client: httpx, or for the async one aiohttp."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from .._call import ApiSpec
from .._errors import ConfigurationError
from .._lazy import off_loop, running_loop
from .._wire import AsyncTransport, Outcome, Send, Transport

if TYPE_CHECKING:
    import aiohttp
    import httpx

    AsyncHttpClient: TypeAlias = httpx.AsyncClient | aiohttp.ClientSession | Literal["httpx", "aiohttp"]
    """One that is lent, or the name of the library to make one with."""


class OwnTransport(Transport, Protocol):
    def close(self) -> None: ...


class OwnAsyncTransport(AsyncTransport, Protocol):
    def prepare(self) -> None:
        """Import and build what sending needs, which may take long; called in threads."""
        ...

    async def aclose(self) -> None: ...


def sync_transport(given: httpx.Client | None) -> OwnTransport:
    """Raises `ConfigurationError` where `given` is something else."""
    import httpx  # takes 100 ms

    from .over_httpx import HttpxTransport

    lent: Any = given
    if lent is not None and not isinstance(lent, httpx.Client):
        raise ConfigurationError(f"http_client= must be an httpx.Client, not {_named(lent)}")
    return HttpxTransport(lent)


def async_transport(given: AsyncHttpClient | None, api: ApiSpec) -> OwnAsyncTransport:
    """Raises `ConfigurationError` where `given` is something else, or aiohttp is not installed."""
    if given is None or given == "httpx":
        return _Deferred(_httpx)
    if given == "aiohttp":
        from importlib.util import find_spec

        if find_spec("aiohttp") is None:
            raise ConfigurationError(
                f'http_client="aiohttp" needs aiohttp: pip install "{api.distribution}[aiohttp]"'
            )
        return _Deferred(_aiohttp)
    lent: Any = given
    # Whoever lends something has imported where it is from.
    httpx, aiohttp = sys.modules.get("httpx"), sys.modules.get("aiohttp")
    if httpx is not None and isinstance(lent, httpx.AsyncClient):
        from .over_httpx import AsyncHttpxTransport

        return AsyncHttpxTransport(lent)
    if aiohttp is not None and isinstance(lent, aiohttp.ClientSession):
        from .over_aiohttp import AiohttpTransport

        return AiohttpTransport(lent)
    raise ConfigurationError(
        f'http_client= must be an httpx.AsyncClient, an aiohttp.ClientSession, "httpx" or "aiohttp", '
        f"not {_named(lent)}"
    )


class _Deferred:
    """Transports made when they are needed, in a thread: imports and certificates would hold up the loop.

    Each event loop has its own, since connections belong to the loop that opened them: a client may outlive
    one `asyncio.run` and serve another.
    """

    def __init__(self, make: Callable[[], OwnAsyncTransport]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._spare: OwnAsyncTransport | None = None
        self._by_loop: WeakKeyDictionary[object, OwnAsyncTransport] = WeakKeyDictionary()
        self._closed = False

    def prepare(self) -> None:
        if not self._by_loop:
            self._stock()

    async def send(self, step: Send) -> Outcome:
        loop = running_loop() or self
        while (transport := self._by_loop.get(loop)) is None:
            await off_loop(self._stock)
            self._take(loop)
        return await transport.send(step)

    async def aclose(self) -> None:
        """Those of other loops cannot be closed from here; they go with their loops."""
        self._closed = True
        for transport in (self._by_loop.get(running_loop() or self), self._spare):
            if transport is not None:
                await transport.aclose()

    def _stock(self) -> None:
        with self._lock:
            if self._spare is None and not self._closed:
                made = self._make()
                made.prepare()
                self._spare = made

    def _take(self, loop: object) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            if loop not in self._by_loop and self._spare is not None:
                self._by_loop[loop], self._spare = self._spare, None


def _httpx() -> OwnAsyncTransport:
    from .over_httpx import AsyncHttpxTransport

    return AsyncHttpxTransport()


def _aiohttp() -> OwnAsyncTransport:
    from .over_aiohttp import AiohttpTransport

    return AiohttpTransport()


def _named(given: object) -> str:
    return repr(given) if isinstance(given, str) else f"{type(given).__module__}.{type(given).__qualname__}"
