"""Answers that are a series of items: server-sent events and JSON Lines, read as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, NamedTuple, Self, TypeVar

from .._errors import DecodingError
from .._wire import Answer, AnswerReader, AsyncAnswerReader, TransportFailed
from .instream import is_error, is_plain_error, stream_error
from .reading import Give, Read, Reading, Reopen, Wait, silence
from .sse import OversizedError, Payload, Payloads
from .streamed import AsyncStreamedAnswer, Reconnects, StreamHead, SyncStreamedAnswer

T_co = TypeVar("T_co", covariant=True)


class StreamEvent(NamedTuple, Generic[T_co]):
    """An item, and what came with it."""

    data: T_co
    event: str
    """Its name; `message` where the server gave none, as always in JSON Lines."""
    id: str
    """The last id that the server sent, with this event or before it; empty where there was none."""
    retry_ms: int | None
    """Time to wait before reconnecting, where the server has said so."""


class Series(Generic[T_co]):
    """The events of an answer, and of those that go on with it where its connection breaks.

    Reconnecting follows WHATWG HTML, section 9.2.3, with two differences: a body that ends in good order is
    the end of the stream, and only a stream whose events have ids is gone on with.
    """

    def __init__(self, head: StreamHead, payloads: Payloads, parse: Callable[[bytes], T_co]) -> None:
        self._head = head
        self._payloads = payloads
        self._parse = parse
        self._reconnects = Reconnects(head.resumption) if head.resumption else None
        self._alive_s = head.now_s()
        self.last_event_id = ""
        self.retry_ms: int | None = None

    def read(self) -> Reading[StreamEvent[T_co]]:
        """Raises the error of the connection where it breaks for good."""
        while True:
            try:
                yield from self._body()
                return
            except TransportFailed as failed:
                delay_s = self._delay_s()
                if delay_s is None:
                    raise self._head.error(failed) from failed.failure.cause
            yield Wait(delay_s)
            answer: Answer = yield Reopen((("last-event-id", self._payloads.last_event_id),))
            if answer.status == 204:  # the standard's way to say that there is no more
                return
            self._check(answer)
            self._payloads.restart()
            self._alive_s = self._head.now_s()

    def _body(self) -> Reading[StreamEvent[T_co]]:
        """The events of one connection."""
        while (chunk := (yield Read(self._left_s()))) is not None:
            for payload in self._taken_apart(chunk):
                yield Give(self._event(payload))
                # What the caller does with an item is not the server's silence.
                self._alive_s = self._head.now_s()
            self._caught_up()
        for payload in self._payloads.finish():
            yield Give(self._event(payload))

    def _event(self, payload: Payload) -> StreamEvent[T_co]:
        if self._reconnects is not None:
            self._reconnects.progressed()
        self.last_event_id, self.retry_ms = payload.id, payload.retry_ms
        return StreamEvent(self._item(payload), payload.event, payload.id, payload.retry_ms)

    def _caught_up(self) -> None:
        self.last_event_id, self.retry_ms = self._payloads.last_event_id, self._payloads.retry_ms

    def _left_s(self) -> float:
        """Seconds that the next event may take: comments do not count as life. Raises `TransportFailed`."""
        left_s = self._alive_s + self._head.idle_s - self._head.now_s()
        if left_s <= 0:
            raise TransportFailed(silence())
        return left_s

    def _taken_apart(self, chunk: bytes) -> list[Payload]:
        try:
            return self._payloads.feed(chunk)
        except OversizedError as error:
            raise self._refusal(str(error)) from error

    def _item(self, payload: Payload) -> T_co:
        """Raises `StreamError` for an item that reports an error, `DecodingError` for one that is wrong."""
        head = self._head
        if payload.event == "error":
            raise stream_error(head.operation, head.answer, payload.data)
        try:
            item = self._parse(payload.data)
        except DecodingError:
            if is_error(payload.data):
                raise stream_error(head.operation, head.answer, payload.data) from None
            raise
        if is_plain_error(payload.data, item):
            raise stream_error(head.operation, head.answer, payload.data)
        return item

    def _delay_s(self) -> float | None:
        """Seconds to wait before going on after a break; None where that cannot be."""
        if self._reconnects is None or not self._payloads.last_event_id:
            return None
        retry_ms = self._payloads.retry_ms
        return self._reconnects.delay_s(None if retry_ms is None else retry_ms / 1000)

    def _check(self, answer: Answer) -> None:
        """Raises `DecodingError` where what goes on is not what broke off."""
        first, again = (one.headers.get("content-type", "") for one in (self._head.answer, answer))
        if first.partition(";")[0] != again.partition(";")[0]:
            raise self._refusal("the stream broke off, and what the server went on with is no such stream")

    def _refusal(self, message: str) -> DecodingError:
        head = self._head
        return DecodingError(
            message,
            operation=head.operation,
            status=head.answer.status,
            request_id=head.answer.request_id,
        )


class EventStream(AsyncStreamedAnswer[StreamEvent[T_co]], Generic[T_co]):
    """Items as they arrive: `async with stream: async for item in stream: ...`.

    Iteration goes on where the last one stopped, and ends by closing the stream. Where the connection breaks
    in the middle of events with ids, it is made anew and goes on after the last event, if the operation may
    be repeated; `resume=False` turns that off. Raises `TransportError` where the connection breaks for good
    or no event comes for `event_idle_s`, `StreamError` where the server reports an error in the stream,
    `DecodingError` at an item that does not match the API's description.
    """

    def __init__(
        self,
        head: StreamHead,
        reader: AsyncAnswerReader,
        payloads: Payloads,
        parse: Callable[[bytes], T_co],
    ) -> None:
        self._series = Series(head, payloads, parse)
        super().__init__(head, reader, self._series.read())

    @property
    def last_event_id(self) -> str:
        """Of the last event that was read; empty where the server sends no ids."""
        return self._series.last_event_id

    @property
    def retry_ms(self) -> int | None:
        """How long the server wants clients to wait before they reconnect, where it has said so."""
        return self._series.retry_ms

    async def events(self) -> AsyncIterator[StreamEvent[T_co]]:
        """The items with the names and ids of their events, from where iteration stands."""
        while True:
            try:
                event = await self._source.advance(self._reading)
            except StopAsyncIteration:
                return
            yield event

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T_co:
        return (await self._source.advance(self._reading)).data


class SyncEventStream(SyncStreamedAnswer[StreamEvent[T_co]], Generic[T_co]):
    """The twin of `EventStream` for code without an event loop.

    Silence is noticed when the connection's own wait is over, which may be up to `event_idle_s` later.
    """

    def __init__(
        self, head: StreamHead, reader: AnswerReader, payloads: Payloads, parse: Callable[[bytes], T_co]
    ) -> None:
        self._series = Series(head, payloads, parse)
        super().__init__(head, reader, self._series.read())

    @property
    def last_event_id(self) -> str:
        """Of the last event that was read; empty where the server sends no ids."""
        return self._series.last_event_id

    @property
    def retry_ms(self) -> int | None:
        """How long the server wants clients to wait before they reconnect, where it has said so."""
        return self._series.retry_ms

    def events(self) -> Iterator[StreamEvent[T_co]]:
        """The items with the names and ids of their events, from where iteration stands."""
        while True:
            try:
                event = self._source.advance(self._reading)
            except StopIteration:
                return
            yield event

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        return self._source.advance(self._reading).data
