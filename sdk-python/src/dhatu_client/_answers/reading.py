"""How the body of an answer is read: decided by a generator without I/O, carried out in two colours."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from .._policies.retry import RetryPolicy
from .._wire import Answer, AnswerReader, AsyncAnswerReader, Failure, TransportFailed

if TYPE_CHECKING:
    from anyio import CancelScope

T = TypeVar("T")
Headers: TypeAlias = tuple[tuple[str, str], ...]


class Read(NamedTuple):
    """Asks for the next piece of the body; None is its end. Raises `TransportFailed` in the reading."""

    limit_s: float | None = None
    """Longest wait for it. Blocking code cannot be interrupted, and waits as long as its transport does."""


class Reopen(NamedTuple):
    """Asks for the whole call again with further headers; from here on, the body read is that of its answer.

    Raises `DhatuError` in the reading.
    """

    headers: Headers


class Wait(NamedTuple):
    """Asks to let time pass."""

    delay_s: float


class Run(NamedTuple):
    """Asks for work that may block, such as that on files."""

    work: Callable[[], object]


class Give(NamedTuple, Generic[T]):
    """Hands an item to whoever reads; goes on when the next is wanted."""

    item: T


Step: TypeAlias = Read | Reopen | Wait | Run
Steps: TypeAlias = Generator[Step, Any, T]
"""A part of a reading that gives nothing, and returns something."""
Reading: TypeAlias = Generator[Step | Give[T], Any, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """How to go on with an answer that broke off, of an operation that may be repeated."""

    open: Callable[[Headers], Any]
    """The whole call again, with further headers: an `Answer`, or for the async client an awaitable of it."""
    sleep: Callable[[float], Any]
    method: str
    resource: str
    """What was asked for: tells a part of one thing from a part of another; may hold an API key."""
    retry: RetryPolicy
    withdraw: Callable[[], bool]
    """Takes a token of the retry budget."""
    random: Callable[[], float]


class ClosedError(RuntimeError):
    """An answer was read after, or while, it was closed: a fault of the program."""


class SyncSource:
    """Carries out a reading, blocking."""

    def __init__(self, reader: AnswerReader, resumption: Resumption | None) -> None:
        self._reader: AnswerReader | None = reader
        self._chunks: Generator[bytes, None, None] = reader.chunks()
        self._resumption = resumption

    def advance(self, reading: Reading[T]) -> T:
        """The next item. Raises `StopIteration` after the last; however a reading ends, its source closes."""
        try:
            step = next(reading)
            while not isinstance(step, Give):
                try:
                    result = self._carry_out(step)
                except Exception as error:  # for the reading to decide about
                    step = reading.throw(error)
                else:
                    step = reading.send(result)
            item: T = step.item
            return item
        except BaseException:
            reading.close()
            self.close()
            raise

    def close(self) -> None:
        self._chunks.close()
        if self._reader is not None:
            self._reader.close()

    def _carry_out(self, step: Step) -> object:
        if isinstance(step, Read):
            return next(self._chunks, None)
        if isinstance(step, Run):
            return step.work()
        assert self._resumption is not None, "only a reading that can be resumed waits and reopens"
        if isinstance(step, Wait):
            return self._resumption.sleep(step.delay_s)
        self.close()
        answer = cast("Answer", self._resumption.open(step.headers))
        self._reader = cast("AnswerReader | None", answer.reader)
        self._chunks = self._reader.chunks() if self._reader is not None else _arrived(answer.content)
        return answer


class AsyncSource:
    """Carries out a reading, awaiting."""

    def __init__(self, reader: AsyncAnswerReader, resumption: Resumption | None) -> None:
        self._reader: AsyncAnswerReader | None = reader
        self._chunks: AsyncGenerator[bytes, None] = reader.chunks()
        self._resumption = resumption
        self._cancelled = False
        self._waiting: CancelScope | None = None

    async def advance(self, reading: Reading[T]) -> T:
        """The next item.

        Raises `StopAsyncIteration` after the last; however a reading ends, its source closes. One that was
        cancelled has not ended, but is lost: the next raises `ClosedError`, lest it look like the end.
        """
        if self._cancelled:
            raise ClosedError("reading the answer was cancelled, which closed it; make the call again")
        try:
            step = next(reading)
            while not isinstance(step, Give):
                try:
                    result = await self._interruptible(step)
                except ClosedError:
                    raise
                except Exception as error:  # for the reading to decide about
                    step = reading.throw(error)
                else:
                    step = reading.send(result)
            item: T = step.item
            return item
        except BaseException as error:
            self._cancelled = not isinstance(error, Exception)
            reading.close()
            await self.aclose()
            if isinstance(error, StopIteration):
                raise StopAsyncIteration from None
            raise

    async def aclose(self) -> None:
        """Where another task is just reading, that task's reading ends, and closes the source."""
        if self._waiting is not None:
            self._waiting.cancel()
            return
        await self._chunks.aclose()
        if self._reader is not None:
            await self._reader.aclose()

    async def _interruptible(self, step: Step) -> object:
        """Raises `ClosedError` where the source is closed meanwhile."""
        from anyio import CancelScope

        with CancelScope() as self._waiting:
            try:
                return await self._carry_out(step)
            finally:
                self._waiting = None
        raise ClosedError("the answer was closed while it was being read")

    async def _carry_out(self, step: Step) -> object:
        if isinstance(step, Read):
            return await self._read(step.limit_s)
        if isinstance(step, Run):
            from anyio import to_thread  # only files need threads

            return await to_thread.run_sync(step.work)
        assert self._resumption is not None, "only a reading that can be resumed waits and reopens"
        if isinstance(step, Wait):
            return await self._resumption.sleep(step.delay_s)
        await self._chunks.aclose()
        if self._reader is not None:
            await self._reader.aclose()
        answer = cast("Answer", await self._resumption.open(step.headers))
        self._reader = cast("AsyncAnswerReader | None", answer.reader)
        self._chunks = self._reader.chunks() if self._reader is not None else _arrived_async(answer.content)
        return answer

    async def _read(self, limit_s: float | None) -> bytes | None:
        if limit_s is None:
            return await anext(self._chunks, None)
        from anyio import move_on_after

        with move_on_after(limit_s):
            return await anext(self._chunks, None)
        raise TransportFailed(silence())


def silence() -> Failure:
    """What a body is given up for that says nothing."""
    return Failure(kind="timeout", cause=TimeoutError("nothing arrived in time"))


def _arrived(content: bytes) -> Generator[bytes, None, None]:
    yield content


async def _arrived_async(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content
