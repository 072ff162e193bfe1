"""What a client returns, and its methods in another mode than the usual one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeAlias, TypeVar, cast

from ._answers.decode import find_response
from ._call import STREAMED, Operation
from ._wire import Answer

if TYPE_CHECKING:
    from ._answers.raw import RawResponse, StreamingResponse, SyncStreamingResponse

Mode: TypeAlias = Literal["plain", "raw", "streaming"]
"""What a client returns: values, `RawResponse`, or `StreamingResponse`."""

P = ParamSpec("P")
R = TypeVar("R")


def is_kept_open(mode: Mode, operation: Operation[Any, Any], status: int, media_type: str) -> bool:
    """Whether the body of such an answer is left to the caller to read.

    A raw response holds bytes, but not events, which may go on for ever.
    """
    if mode == "streaming":
        return status < 300
    kept = STREAMED - {"binary"} if mode == "raw" else STREAMED
    spec = find_response(operation, status, media_type) if status < 300 else None
    return spec is not None and spec.kind in kept


def describes_stream(operation: Operation[Any, Any], answer: Answer) -> bool:
    """Whether such an answer is read as it arrives, unless somebody wants it whole."""
    return is_kept_open("plain", operation, answer.status, answer.headers.get("content-type", ""))


def raw(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[RawResponse[R]]]:
    """A method of a client in the mode `raw`, as what it is."""
    return cast("Callable[P, Awaitable[RawResponse[R]]]", method)


def sync_raw(method: Callable[P, R]) -> Callable[P, RawResponse[R]]:
    """The twin of `raw`."""
    return cast("Callable[P, RawResponse[R]]", method)


def streamed(
    method: Callable[P, Awaitable[R]],
) -> Callable[P, AbstractAsyncContextManager[StreamingResponse[R]]]:
    """A method of a client in the mode `streaming`, which sends its request when the context is entered."""
    sending = cast("Callable[P, Awaitable[StreamingResponse[R]]]", method)

    @asynccontextmanager
    async def opened(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[StreamingResponse[R], None]:
        async with await sending(*args, **kwargs) as response:
            yield response

    return opened


def sync_streamed(method: Callable[P, R]) -> Callable[P, AbstractContextManager[SyncStreamingResponse[R]]]:
    """The twin of `streamed`."""
    sending = cast("Callable[P, SyncStreamingResponse[R]]", method)

    @contextmanager
    def opened(*args: P.args, **kwargs: P.kwargs) -> Generator[SyncStreamingResponse[R], None, None]:
        with sending(*args, **kwargs) as response:
            yield response

    return opened
