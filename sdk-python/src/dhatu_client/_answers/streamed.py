"""What all answers have in common whose body is still arriving."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._closing import AsyncClosing, Closing
from .._errors import CallTimeoutError, DhatuError
from .._flow.failures import failure_error
from .._media import essence
from .._wire import Answer, AnswerReader, AsyncAnswerReader, TransportFailed
from .reading import AsyncSource, Reading, Resumption, SyncSource

if TYPE_CHECKING:
    from .._flow.plan import Call, Policies

T_co = TypeVar("T_co", covariant=True)

_RECONNECT_S = 1.0


def resumption_of(
    call: Call, policies: Policies, again: Callable[[Call], Any], sleep: Callable[[float], Any]
) -> Resumption | None:
    """How the answer to a call is gone on with; None where asking again could do harm, or is not wanted."""
    body = call.request.body
    if not call.resume or call.operation.retry not in ("safe", "idempotent"):
        return None
    if body is not None and not body.repeatable:
        return None
    return Resumption(
        open=lambda headers: again(call.with_headers(headers)),
        sleep=sleep,
        method=call.request.method,
        resource=call.request.target,
        retry=call.retry,
        withdraw=policies.budget.withdraw,
        random=policies.random,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHead:
    """What is known of a streamed answer before its body."""

    answer: Answer
    operation: str
    distribution: str = ""
    """Whose extras to point at."""
    idle_s: float
    """Longest time between two events, or two pieces of bytes."""
    now_s: Callable[[], float] = time.monotonic
    resumption: Resumption | None = None
    """None where an answer that breaks off is not to be asked for again."""

    def error(self, failed: TransportFailed) -> DhatuError:
        """The error to raise where the body breaks off."""
        if failed.failure.kind != "timeout":
            return failure_error(failed.failure, self.operation, self.idle_s, self.answer.attempts)
        return CallTimeoutError(
            f"nothing arrived for {self.idle_s:g} s; give a larger event_idle_s if that is expected",
            operation=self.operation,
            attempts=self.answer.attempts,
        )


class Reconnects:
    """When to ask again for an answer that broke off: a number of times without progress between them."""

    def __init__(self, resumption: Resumption) -> None:
        self._resumption = resumption
        self._in_a_row = 0

    def progressed(self) -> None:
        self._in_a_row = 0

    def delay_s(self, asked_s: float | None = None) -> float | None:
        """Seconds to wait before the next; None where there is to be none.

        What the server asked for, else `(0.5 + random()) * min(cap_s, 2**n)` for the n-th without progress
        (0 = first).
        """
        retry = self._resumption.retry
        if self._in_a_row >= retry.max_retries:
            return None
        if asked_s is not None and asked_s > retry.retry_after_cap_s:
            return None
        if not self._resumption.withdraw():
            return None
        self._in_a_row += 1
        if asked_s is not None:
            return asked_s
        window_s: float = min(retry.cap_s, _RECONNECT_S * 2 ** (self._in_a_row - 1))
        jitter: float = 0.5 + self._resumption.random()
        return jitter * window_s


class StreamedAnswer:
    """An answer whose body is still arriving; close it, or read it to its end, to free its connection."""

    def __init__(self, head: StreamHead) -> None:
        self._head = head

    @property
    def status(self) -> int:
        return self._head.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Looked up in lower case."""
        return self._head.answer.headers

    @property
    def request_id(self) -> str:
        """Names this request in the server's logs; empty where the server gave none."""
        return self._head.answer.request_id

    @property
    def attempts(self) -> int:
        """The first try and its retries."""
        return self._head.answer.attempts

    @property
    def media_type(self) -> str:
        """Of the body, without parameters."""
        return essence(self.headers.get("content-type", ""))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._head.operation}, {self.status} {self.media_type}>"


class AsyncStreamedAnswer(StreamedAnswer, AsyncClosing, Generic[T_co]):
    """One that is read awaiting."""

    def __init__(self, head: StreamHead, reader: AsyncAnswerReader, reading: Reading[T_co]) -> None:
        super().__init__(head)
        self._source = AsyncSource(reader, head.resumption)
        self._reading = reading

    async def aclose(self) -> None:
        """Stop reading and free the connection."""
        self._reading.close()
        await self._source.aclose()


class SyncStreamedAnswer(StreamedAnswer, Closing, Generic[T_co]):
    """One that is read blocking."""

    def __init__(self, head: StreamHead, reader: AnswerReader, reading: Reading[T_co]) -> None:
        super().__init__(head)
        self._source = SyncSource(reader, head.resumption)
        self._reading = reading

    def close(self) -> None:
        """Stop reading and free the connection."""
        self._reading.close()
        self._source.close()
