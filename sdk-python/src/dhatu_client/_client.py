"""The two clients that generated ones extend: settings, the HTTP client, and `call`."""

from __future__ import annotations

from types import TracebackType
from typing import Any, ClassVar, TypeVar

import httpx
from typing_extensions import Self

from ._call import ApiSpec, Arguments, CallOptions, Operation

T = TypeVar("T")


class AsyncAPIClient:
    """The async client of an API; a generated class sets `_api` and adds the operations.

    Names taken here, which no operation that hangs on the client may have: `call`, `with_options`, `aclose`, `close`.
    """

    _api: ClassVar[ApiSpec]

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        timeout_s: float | None = None,
        max_retries: int | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None: ...

    async def call(
        self,
        operation: Operation[T, Any],
        arguments: Arguments,
        options: CallOptions,
        *,
        stream: bool = False,
    ) -> T:
        """Carry out one operation.

        What comes back follows the answer: a model for JSON, str for text, None for an empty one, `BinaryResponse`
        for bytes, `EventStream` for server-sent events and JSON Lines. `stream` asks for events where an operation
        offers JSON as well.
        """
        raise NotImplementedError

    def with_options(self, *, timeout_s: float | None = None, max_retries: int | None = None) -> Self:
        """A client with other settings that shares this one's connections."""
        raise NotImplementedError

    async def aclose(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class SyncAPIClient:
    """The twin of `AsyncAPIClient` for code without an event loop."""

    _api: ClassVar[ApiSpec]

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        timeout_s: float | None = None,
        max_retries: int | None = None,
        http_client: httpx.Client | None = None,
    ) -> None: ...

    def call(
        self,
        operation: Operation[Any, T],
        arguments: Arguments,
        options: CallOptions,
        *,
        stream: bool = False,
    ) -> T:
        raise NotImplementedError

    def with_options(self, *, timeout_s: float | None = None, max_retries: int | None = None) -> Self:
        raise NotImplementedError

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
