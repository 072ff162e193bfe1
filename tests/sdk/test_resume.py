"""Streams whose connection breaks or falls silent: gone on with where they stopped, or given up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from dhatu_client import (
    CallTimeoutError,
    ConnectionLostError,
    DecodingError,
    PermissionDeniedError,
)
from dhatu_client._call import BodySpec
from dhatu_client._client import AsyncAPIClient
from dhatu_client._policies.budget import BudgetPolicy
from dhatu_client._resilience import Resilience
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sdk.support import API, BROKEN, AsyncCaller, Caller, Pieces, Server, SyncCaller, answer, operation

Connect = Callable[..., Caller]
EVENTS = operation(responses=(answer("sse", "text/event-stream"),))
SSE = {"content-type": "text/event-stream"}


def stream(*pieces: bytes | Exception | Callable[[], object], **headers: str) -> Any:
    """A handler that answers with such a body, a new one each time."""
    return lambda request: httpx.Response(200, headers=SSE | headers, stream=Pieces(*pieces))


def event(number: int, *, retry: str = "") -> bytes:
    return f"{retry}id: {number}\ndata: {number}\n\n".encode()


class TestGoingOn:
    def test_nothing_is_lost_and_nothing_comes_twice(self, connect: Connect) -> None:
        server = Server(stream(event(1), event(2), BROKEN), stream(event(3), event(4)))
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1, 2, 3, 4]
        first, second = server.requests
        assert "last-event-id" not in first.headers
        assert second.headers["last-event-id"] == "2"
        assert second.headers["accept"] == "text/event-stream"

    def test_a_half_event_is_dropped_and_its_id_does_not_count(self, connect: Connect) -> None:
        server = Server(stream(event(1), b"id: 2\ndata: 2", BROKEN), stream(event(2)))
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1, 2]
        assert server.requests[1].headers["last-event-id"] == "1"

    def test_an_id_without_data_counts(self, connect: Connect) -> None:
        server = Server(stream(event(1), b"id: 9\n\n", BROKEN), stream(event(10)))
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1, 10]
        assert server.requests[1].headers["last-event-id"] == "9"

    def test_an_id_holds_over_a_connection_without_ids(self, connect: Connect) -> None:
        server = Server(
            stream(event(1), BROKEN), stream(b"data: 2\n\n", BROKEN), stream(b"\xef\xbb\xbfdata: 3\n\n")
        )
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1, 2, 3]
        assert [request.headers.get("last-event-id") for request in server.requests] == [None, "1", "1"]

    def test_the_caller_s_own_last_event_id_is_replaced(self, connect: Connect) -> None:
        server = Server(stream(event(6), BROKEN), stream(event(7)))
        caller = connect(server)
        options = {"extra_headers": {"Last-Event-ID": "5"}}
        assert caller.items(caller.call(EVENTS, options=options)) == [6, 7]
        assert [request.headers["last-event-id"] for request in server.requests] == ["5", "6"]

    def test_204_is_the_end(self, connect: Connect) -> None:
        server = Server(stream(event(1), BROKEN), httpx.Response(204))
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1]

    def test_an_end_in_good_order_is_the_end(self, connect: Connect) -> None:
        server = Server(stream(event(1)))
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1]
        assert len(server.requests) == 1

    def test_reconnecting_retries_like_any_call(self, connect: Connect) -> None:
        server = Server(stream(event(1), BROKEN), httpx.Response(503), stream(event(2)))
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1, 2]
        assert len(server.requests) == 3

    def test_a_refusal_ends_the_stream(self, connect: Connect) -> None:
        caller = connect(Server(stream(event(1), BROKEN), httpx.Response(403)))
        with pytest.raises(PermissionDeniedError):
            caller.items(caller.call(EVENTS))

    def test_something_else_is_no_continuation(self, connect: Connect) -> None:
        offered = operation(
            responses=(answer("sse", "text/event-stream"), answer("json", "application/json"))
        )
        html = httpx.Response(200, headers={"content-type": "application/json"}, content=b"[]")
        caller = connect(Server(stream(event(1), BROKEN), html))
        with pytest.raises(DecodingError, match="no such stream"):
            caller.items(caller.call(offered, stream=True))

    def test_the_broken_connection_is_closed(self, connect: Connect) -> None:
        first = Pieces(event(1), BROKEN)
        second = Pieces(event(2))
        bodies = iter([first, second])
        caller = connect(lambda request: httpx.Response(200, headers=SSE, stream=next(bodies)))
        assert caller.items(caller.call(EVENTS)) == [1, 2]
        assert first.closed
        assert second.closed


class TestWaiting:
    def test_a_second_with_jitter_unless_the_server_says(self, connect: Connect) -> None:
        caller = connect(Server(stream(event(1), BROKEN), stream(event(2))))
        caller.items(caller.call(EVENTS))
        (slept_s,) = caller.time.slept
        assert 0.5 <= slept_s <= 1.5

    def test_what_the_server_says(self, connect: Connect) -> None:
        server = Server(
            stream(event(1, retry="retry: 4000\n"), BROKEN), stream(event(2), BROKEN), stream(event(3))
        )
        caller = connect(server)
        assert caller.items(caller.call(EVENTS)) == [1, 2, 3]
        assert caller.time.slept == [4.0, 4.0]

    def test_longer_than_anybody_waits(self, connect: Connect) -> None:
        server = Server(stream(event(1, retry="retry: 61000\n"), BROKEN))
        caller = connect(server)
        with pytest.raises(ConnectionLostError):
            caller.items(caller.call(EVENTS))
        assert len(server.requests) == 1

    def test_longer_and_longer_while_nothing_comes(self, connect: Connect) -> None:
        server = Server(stream(event(1), BROKEN), stream(BROKEN))
        caller = connect(server, max_retries=3)
        with pytest.raises(ConnectionLostError):
            caller.items(caller.call(EVENTS))
        assert len(server.requests) == 4
        first_s, second_s, third_s = caller.time.slept
        assert first_s <= 1.5
        assert 1 <= second_s <= 3
        assert 2 <= third_s <= 6

    def test_an_event_makes_the_count_begin_anew(self, connect: Connect) -> None:
        server = Server(*(stream(event(number), BROKEN) for number in range(1, 6)), stream(event(6)))
        caller = connect(server, max_retries=1)
        assert caller.items(caller.call(EVENTS)) == [1, 2, 3, 4, 5, 6]

    def test_the_retry_budget_counts(self, connect: Connect) -> None:
        server = Server(stream(event(1), BROKEN))
        budget = BudgetPolicy(per_call=0, per_s=0, reserve=3)
        caller = connect(server, resilience=Resilience(budget=budget))
        with pytest.raises(ConnectionLostError):
            caller.items(caller.call(EVENTS))
        assert len(server.requests) == 4


class TestNotGoingOn:
    @pytest.mark.parametrize("retry", ["never", "keyed"])
    def test_what_must_not_be_repeated(self, connect: Connect, retry: str) -> None:
        server = Server(stream(event(1), BROKEN))
        caller = connect(server)
        with pytest.raises(ConnectionLostError):
            caller.items(caller.call(operation(responses=EVENTS.responses, method="POST", retry=retry)))
        assert len(server.requests) == 1

    def test_a_stream_without_ids(self, connect: Connect) -> None:
        server = Server(stream(b"data: 1\n\n", BROKEN))
        caller = connect(server)
        with pytest.raises(ConnectionLostError):
            caller.items(caller.call(EVENTS))
        assert len(server.requests) == 1

    @pytest.mark.parametrize("options", [{"resume": False}, {"max_retries": 0}])
    def test_where_the_caller_does_not_want_it(self, connect: Connect, options: Any) -> None:
        server = Server(stream(event(1), BROKEN))
        caller = connect(server)
        with pytest.raises(ConnectionLostError, match="reset by peer"):
            caller.items(caller.call(EVENTS, options=options))
        assert len(server.requests) == 1

    def test_a_body_that_cannot_be_sent_again(self, connect: Connect) -> None:
        body = BodySpec(media_type="application/octet-stream", kind="binary", argument="content")
        posted = operation(responses=EVENTS.responses, bodies=(body,), method="PUT", retry="idempotent")

        def drained(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers=SSE, stream=Pieces(event(1), BROKEN))

        server = Server(drained)
        caller = connect(server)
        with pytest.raises(ConnectionLostError):
            caller.items(caller.call(posted, content=Once()))
        assert len(server.requests) == 1

    def test_lines_have_no_place_to_go_on_from(self, connect: Connect) -> None:
        lines = operation(responses=(answer("jsonl", "application/jsonl"),))
        server = Server(
            lambda request: httpx.Response(
                200, headers={"content-type": "application/jsonl"}, stream=Pieces(b'{"id": 1}\n', BROKEN)
            )
        )
        caller = connect(server)
        with pytest.raises(ConnectionLostError):
            caller.items(caller.call(lines))
        assert len(server.requests) == 1


class Once:
    """Content that runs dry."""

    def __init__(self) -> None:
        self._file = iter([b"once", b""])

    def read(self, size: int = -1) -> bytes:
        return next(self._file)


class TestSilence:
    def test_comments_are_no_life(self, connect: Connect) -> None:
        def wait() -> None:
            caller.time.now += 4

        body = [piece for _ in range(9) for piece in (wait, b": still here\n\n")]
        caller = connect(stream(b"data: 1\n\n", *body))
        events = caller.call(EVENTS, options={"event_idle_s": 10})
        began_s = caller.time.now
        with pytest.raises(CallTimeoutError, match="nothing arrived for 10 s; give a larger event_idle_s"):
            caller.items(events)
        assert caller.time.now - began_s == 12

    def test_events_are(self, connect: Connect) -> None:
        def wait() -> None:
            caller.time.now += 9

        body = [piece for number in range(9) for piece in (wait, event(number))]
        caller = connect(stream(*body))
        assert caller.items(caller.call(EVENTS, options={"event_idle_s": 10})) == list(range(9))

    def test_silence_is_a_break_that_is_gone_on_after(self, connect: Connect) -> None:
        def wait() -> None:
            caller.time.now += 11

        server = Server(stream(event(1), wait, b": here\n\n", event(5)), stream(event(2)))
        caller = connect(server)
        assert caller.items(caller.call(EVENTS, options={"event_idle_s": 10})) == [1, 2]
        assert server.requests[1].headers["last-event-id"] == "1"

    def test_what_the_caller_does_with_an_item_is_not_silence(self, connect: Connect) -> None:
        caller = connect(stream(event(1) + event(2), event(3)))
        events = caller.call(EVENTS, options={"event_idle_s": 10})
        numbers = [caller.next(events)]
        caller.time.now += 3600
        numbers += caller.items(events)
        assert numbers == [1, 2, 3]

    def test_without_an_option_it_is_the_time_for_the_call(self, connect: Connect) -> None:
        def wait() -> None:
            caller.time.now += 8

        caller = connect(stream(b"data: 1\n\n", wait, b":\n", wait, b":\n"))
        with pytest.raises(CallTimeoutError, match="15 s"):
            caller.items(caller.call(EVENTS, options={"timeout_s": 15}))


class Silent(httpx.AsyncByteStream):
    """One event, and then nothing."""

    def __init__(self) -> None:
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield event(1)
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed = True


class TestTasks:
    def run(self, body: Silent, use: Callable[[Any], Awaitable[None]]) -> None:
        """Use the stream of such a body."""

        def serve(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers=SSE, stream=body)

        async def main() -> None:
            http = httpx.AsyncClient(transport=httpx.MockTransport(serve))
            kind = type("SampleAPI", (AsyncAPIClient,), {"_api": API})
            async with http, kind(http_client=http) as client, await client.call(EVENTS, {}, {}) as events:
                assert await anext(events) == 1
                await use(events)

        asyncio.run(main())

    def test_a_cancelled_wait_for_an_item_does_not_look_like_the_end(self) -> None:
        body = Silent()

        async def use(events: Any) -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.01)
            assert body.closed
            with pytest.raises(RuntimeError, match="make the call again"):
                await anext(events)

        self.run(body, use)

    def test_another_task_may_close_a_stream_that_is_waited_for(self) -> None:
        body = Silent()

        async def use(events: Any) -> None:
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            await events.aclose()
            with pytest.raises(RuntimeError, match="closed while it was being read"):
                await waiting
            assert body.closed

        self.run(body, use)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@pytest.mark.parametrize("colour", [SyncCaller, AsyncCaller])
@given(
    items=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=12),
    chunk_bytes=st.integers(1, 40),
    breaks=st.lists(st.integers(1, 60), max_size=8),
)
def test_whatever_breaks_where_the_items_are_the_same(
    colour: type[SyncCaller | AsyncCaller], items: list[str], chunk_bytes: int, breaks: list[int]
) -> None:
    """A server that keeps its word, and connections that break after any number of bytes."""
    left = list(breaks)

    def serve(request: httpx.Request) -> httpx.Response:
        after = int(request.headers.get("last-event-id", "-1")) + 1
        body = b"".join(
            f"id: {number}\ndata: {json.dumps(item, ensure_ascii=False)}\r\n\r\n".encode()
            for number, item in enumerate(items)
            if number >= after
        )
        end = left.pop(0) if left and after else len(body)
        pieces: list[bytes | Exception] = [
            body[at : min(at + chunk_bytes, end)] for at in range(0, min(end, len(body)), chunk_bytes)
        ]
        if not after:  # the first connection breaks when the first event has arrived
            pieces = [body[: body.index(b"\r\n\r\n") + 4], BROKEN]
        elif end < len(body):
            pieces.append(BROKEN)
        return httpx.Response(200, headers=SSE, stream=Pieces(*pieces))

    caller = colour(serve, max_retries=20, resilience=Resilience(budget=None))
    try:
        assert caller.items(caller.call(EVENTS)) == items
    finally:
        caller.close()
