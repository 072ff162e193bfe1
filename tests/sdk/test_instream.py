"""Names and ids of events, and errors among the items of a stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from dhatu_client import APIStatusError, DecodingError, StreamError, StreamEvent
from sdk.sample_models import Document
from sdk.support import Caller, Server, answer, operation

Connect = Callable[..., Caller]


def called(connect: Connect, kind: str, type_: str, content: bytes, **headers: str) -> tuple[Caller, Any]:
    media_type = "text/event-stream" if kind == "sse" else "application/jsonl"
    server = Server(httpx.Response(200, content=content, headers={"content-type": media_type} | headers))
    caller = connect(server)
    return caller, caller.call(operation(responses=(answer(kind, media_type, type_=type_),)))


class TestEvents:
    def test_come_with_name_id_and_retry(self, connect: Connect) -> None:
        body = b'event: found\nid: 7\nretry: 250\ndata: {"id": "a"}\n\ndata: {"id": "b"}\n\n'
        caller, stream = called(connect, "sse", "Document", body)
        assert caller.events(stream) == [
            StreamEvent(data=Document(id="a"), event="found", id="7", retry_ms=250),
            StreamEvent(data=Document(id="b"), event="message", id="7", retry_ms=250),
        ]
        assert (stream.last_event_id, stream.retry_ms) == ("7", 250)

    def test_lines_have_neither(self, connect: Connect) -> None:
        caller, stream = called(connect, "jsonl", "", b"1\n2\n")
        assert caller.events(stream) == [
            StreamEvent(1, "message", "", None),
            StreamEvent(2, "message", "", None),
        ]
        assert stream.last_event_id == ""

    def test_the_last_id_is_that_of_what_was_read_not_of_what_arrived(self, connect: Connect) -> None:
        caller, stream = called(connect, "sse", "", b"id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\n\n")
        assert stream.last_event_id == ""
        assert (caller.next(stream), stream.last_event_id) == (1, "1")
        assert (caller.next(stream), stream.last_event_id) == (2, "2")
        assert (caller.items(stream), stream.last_event_id) == ([], "3")

    def test_go_on_where_iteration_stopped(self, connect: Connect) -> None:
        caller, stream = called(connect, "sse", "", b"data: 1\n\ndata: 2\n\n")
        assert caller.next(stream) == 1
        assert [event.data for event in caller.events(stream)] == [2]


class TestErrors:
    @pytest.mark.parametrize("type_", ["", "str", "Document", "dict[str, Any]"])
    def test_an_event_called_error_is_one_whatever_the_items_are(self, connect: Connect, type_: str) -> None:
        problem = {"type": "https://errors.test/busy", "title": "Busy", "status": 503, "detail": "Too much."}
        body = b"event: error\ndata: " + json.dumps(problem).encode() + b"\n\ndata: 1\n\n"
        caller, stream = called(connect, "sse", type_, body, **{"x-request-id": "r-1"})
        with pytest.raises(StreamError) as caught:
            caller.items(stream)
        error = caught.value
        assert str(error) == (
            "documents.get: 503 Busy: Too much (in the middle of the stream) [request id r-1]"
        )
        assert isinstance(error, APIStatusError)
        assert (error.status, error.problem.type, error.request_id) == (
            503,
            "https://errors.test/busy",
            "r-1",
        )
        assert caller.items(stream) == []  # the stream ended there

    @pytest.mark.parametrize(
        ("data", "status", "summary", "request_id"),
        [
            (
                '{"error": {"message": "Overloaded", "type": "overloaded_error"}}',
                200,
                "overloaded_error: Overloaded",
                "",
            ),
            (
                '{"type": "error", "error": {"type": "api_error", "message": "Oops"}, "request_id": "r-9"}',
                200,
                "api_error: Oops",
                "r-9",
            ),
            ('{"error": "no such model", "code": 404}', 404, "Error: no such model", ""),
            ('{"code": "rate_limit", "message": "Slow down."}', 200, "rate_limit: Slow down", ""),
            ('{"title": "Gone", "status": 410}', 410, "Gone", ""),
        ],
    )
    @pytest.mark.parametrize("kind", ["sse", "jsonl"])
    def test_an_error_where_an_item_should_be(
        self, connect: Connect, kind: str, data: str, status: int, summary: str, request_id: str
    ) -> None:
        line = f"data: {data}\n\n" if kind == "sse" else f"{data}\n"
        first = b'data: {"id": "a"}\n\n' if kind == "sse" else b'{"id": "a"}\n'
        caller, stream = called(connect, kind, "Document", first + line.encode())
        assert caller.next(stream) == Document(id="a")
        with pytest.raises(StreamError) as caught:
            caller.next(stream)
        error = caught.value
        assert (error.status, error.request_id) == (status, request_id)
        assert error.problem.summary() == summary

    @pytest.mark.parametrize("type_", ["", "Cat", "dict[str, Any]"])
    @pytest.mark.parametrize(
        "data",
        [
            '{"error": {"message": "Overloaded"}}',
            '{"type": "about:blank", "title": "Busy", "status": 503}',
        ],
    )
    def test_an_error_that_a_lenient_type_takes(self, connect: Connect, type_: str, data: str) -> None:
        caller, stream = called(connect, "sse", type_, f"data: {data}\n\n".encode())
        with pytest.raises(StreamError):
            caller.items(stream)

    @pytest.mark.parametrize(
        ("type_", "data"),
        [
            ("", {"id": 3, "error": "not found"}),
            ("", {"error": None}),
            ("", {"title": "Ten ways to fail", "status": 200}),
            ("Document", {"id": "a", "error": "a member that this client does not know"}),
            ("Document", {"id": "a", "title": "Errors", "status": 404}),
        ],
    )
    def test_items_that_look_like_errors_are_items(self, connect: Connect, type_: str, data: Any) -> None:
        caller, stream = called(connect, "sse", type_, f"data: {json.dumps(data)}\n\n".encode())
        (item,) = caller.items(stream)
        assert (item if isinstance(item, dict) else item.model_dump(exclude_unset=True)) == data

    @pytest.mark.parametrize("data", ["oops", '{"idea": 1}', "[]", '{"error": {}}'])
    def test_what_is_neither_an_item_nor_an_error_is_wrong(self, connect: Connect, data: str) -> None:
        caller, stream = called(connect, "sse", "Document", f"data: {data}\n\n".encode())
        with pytest.raises(DecodingError):
            caller.items(stream)

    @pytest.mark.parametrize(("data", "summary"), [("out of memory", "Error: out of memory"), ("", "Error")])
    def test_an_error_in_plain_words(self, connect: Connect, data: str, summary: str) -> None:
        caller, stream = called(connect, "sse", "", f"event: error\ndata: {data}\n\n".encode())
        with pytest.raises(StreamError) as caught:
            caller.items(stream)
        assert caught.value.problem.summary() == summary

    def test_the_message_holds_no_more_than_the_error_says(self, connect: Connect) -> None:
        body = b'event: error\ndata: {"title": "Busy", "api_key": "s3cret"}\n\n'
        caller, stream = called(connect, "sse", "", body)
        with pytest.raises(StreamError) as caught:
            caller.items(stream)
        assert "s3cret" not in str(caught.value)
