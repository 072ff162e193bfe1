"""What comes back from a call, in both colours."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client._errors import (
    APIStatusError,
    ConnectionLostError,
    DecodingError,
    NotFoundError,
)
from sdk.sample_models import Document
from sdk.support import Caller, Server, answer, operation

Connect = Callable[..., Caller]


def ok(content: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=content, headers=headers)


class TestAnswers:
    def test_a_model_keeps_what_it_does_not_know(self, connect: Connect) -> None:
        described = operation(responses=(answer("json", "application/json", type_="Document"),))
        server = Server(ok({"id": "d1", "createdAt": "2026-08-21T09:30:00Z", "score": 0.5}))
        document = connect(server).call(described)
        assert isinstance(document, Document)
        assert document.created_at == datetime.datetime(2026, 8, 21, 9, 30, tzinfo=datetime.UTC)
        assert document.model_extra == {"score": 0.5}

    @pytest.mark.parametrize(
        ("type_", "value"), [("list[int]", [1, 2]), ("dict[str, Any]", {"a": None}), ("", {"any": [1]})]
    )
    def test_other_types(self, connect: Connect, type_: str, value: object) -> None:
        described = operation(responses=(answer("json", "application/json", type_=type_),))
        assert connect(Server(ok(value))).call(described) == value

    def test_a_list_of_models(self, connect: Connect) -> None:
        described = operation(responses=(answer("json", "application/json", type_="list[Document]"),))
        assert connect(Server(ok([{"id": "a"}]))).call(described) == [Document(id="a")]

    def test_the_status_chooses_the_type(self, connect: Connect) -> None:
        described = operation(
            responses=(
                answer("json", "application/json", type_="int", status="200"),
                answer("json", "application/json", type_="str", status="2XX"),
                answer("empty", status="204"),
            )
        )
        assert connect(Server(httpx.Response(200, json=7))).call(described) == 7
        assert connect(Server(httpx.Response(201, json="made"))).call(described) == "made"
        assert connect(Server(httpx.Response(204))).call(described) is None

    def test_an_undescribed_success_reads_like_the_described_one(self, connect: Connect) -> None:
        described = operation(
            responses=(
                answer("json", "application/json", type_="int"),
                answer("json", "application/problem+json", status="default", type_="str"),
            )
        )
        assert connect(Server(httpx.Response(202, json=7))).call(described) == 7

    def test_text_is_read_in_its_charset(self, connect: Connect) -> None:
        described = operation(responses=(answer("text", "text/plain"),))
        latin = httpx.Response(
            200, content=b"caf\xe9", headers={"content-type": "text/plain; charset=latin-1"}
        )
        unknown = httpx.Response(
            200, content=b"cafe", headers={"content-type": "text/plain; charset=klingon"}
        )
        assert connect(Server(latin)).call(described) == "café"
        assert connect(Server(unknown)).call(described) == "cafe"

    @pytest.mark.parametrize(
        ("response", "message"),
        [
            (ok({"title": "secret-value"}), "the answer is not a Document: at /id: Field required"),
            (ok([]), "the answer is not a Document"),
            (
                httpx.Response(200, content=b"{", headers={"content-type": "application/json"}),
                "is not a Document",
            ),
            (
                httpx.Response(200, content=b"<html>", headers={"content-type": "text/html"}),
                "in text/html was not",
            ),
            (httpx.Response(204), "is not a Document"),
        ],
    )
    def test_what_does_not_fit_says_where(
        self, connect: Connect, response: httpx.Response, message: str
    ) -> None:
        described = operation(responses=(answer("json", "application/json", type_="Document"),))
        response.headers["x-request-id"] = "req-7"
        with pytest.raises(DecodingError, match=message) as raised:
            connect(Server(response)).call(described)
        assert raised.value.request_id == "req-7"
        assert "secret-value" not in str(raised.value) + str(raised.value.__cause__)

    def test_an_operation_that_promises_nothing_returns_none(self, connect: Connect) -> None:
        assert connect(Server(ok({"surprise": 1}))).call(operation(responses=())) is None

    def test_an_error_of_a_streamed_operation_is_an_error(self, connect: Connect) -> None:
        described = operation(
            responses=(answer("sse", "text/event-stream"), answer("binary", "*/*", status="4XX"))
        )
        with pytest.raises(NotFoundError, match="No such job"):
            connect(Server(httpx.Response(404, json={"title": "No such job"}))).call(described)

    def test_a_redirect_is_not_followed_with_the_key(self, connect: Connect) -> None:
        server = Server(httpx.Response(307, headers={"location": "https://elsewhere.test/"}))
        with pytest.raises(APIStatusError, match="307"):
            connect(server, api_key="k").call(operation())
        assert len(server.requests) == 1


class TestStreams:
    EVENTS = operation(responses=(answer("sse", "text/event-stream", type_="Document"),))
    LINES = operation(responses=(answer("jsonl", "application/jsonl", type_="int"),))

    def events(self, content: bytes) -> Server:
        return Server(
            httpx.Response(200, content=content, headers={"content-type": "text/event-stream; charset=utf-8"})
        )

    def test_events_are_models(self, connect: Connect) -> None:
        caller = connect(self.events(b'data: {"id": "a"}\n\n: ping\n\ndata: {"id":\ndata: "b"}\n\n'))
        assert caller.items(caller.call(self.EVENTS)) == [Document(id="a"), Document(id="b")]

    def test_plain_text_events_are_text(self, connect: Connect) -> None:
        plain = operation(responses=(answer("sse", "text/event-stream", type_="str"),))
        caller = connect(self.events(b"data: not json\n\n"))
        assert caller.items(caller.call(plain)) == ["not json"]

    def test_lines(self, connect: Connect) -> None:
        server = Server(
            httpx.Response(200, content=b"1\n\n2\r\n3", headers={"content-type": "application/jsonl"})
        )
        caller = connect(server)
        assert caller.items(caller.call(self.LINES)) == [1, 2, 3]

    def test_the_items_before_a_bad_one_arrive(self, connect: Connect) -> None:
        caller = connect(self.events(b'data: {"id": "a"}\n\ndata: oops\n\n'))
        stream = caller.call(self.EVENTS)
        assert caller.first(stream) == Document(id="a")
        stream = caller.call(self.EVENTS)
        with pytest.raises(DecodingError):
            caller.items(stream)

    def test_a_stream_knows_its_head(self, connect: Connect) -> None:
        server = self.events(b"")
        caller = connect(server)
        stream = caller.call(self.EVENTS)
        assert (stream.status, stream.media_type, stream.request_id) == (200, "text/event-stream", "")
        assert repr(stream).endswith("of documents.get, 200 text/event-stream>")
        assert caller.items(stream) == []


class Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that breaks off, of either colour, and knows whether it was closed."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.closed = False

    def __iter__(self) -> Any:
        yield self.first
        raise httpx.ReadError("reset by peer")

    async def __aiter__(self) -> Any:
        yield self.first
        raise httpx.ReadError("reset by peer")

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class TestBreaking:
    def start(self, connect: Connect, kind: str) -> tuple[Caller, Any, Breaking]:
        body = Breaking(b"1\n" if kind == "jsonl" else b"data: 1\n\n")
        caller = connect(lambda request: httpx.Response(200, stream=body, headers={"content-type": "a/b"}))
        return caller, caller.call(operation(responses=(answer(kind, "a/b"),))), body

    @pytest.mark.parametrize("kind", ["sse", "jsonl"])
    def test_a_stream_that_breaks_raises_and_closes(self, connect: Connect, kind: str) -> None:
        caller, stream, body = self.start(connect, kind)
        with pytest.raises(ConnectionLostError, match="reset by peer"):
            caller.items(stream)
        assert body.closed

    def test_bytes_that_break_raise_and_leave_no_file(self, connect: Connect, tmp_path: Path) -> None:
        caller, response, body = self.start(connect, "binary")
        with pytest.raises(ConnectionLostError):
            caller.save(response, tmp_path / "whole")
        assert list(tmp_path.iterdir()) == []
        assert body.closed

    def test_stopping_early_closes(self, connect: Connect) -> None:
        caller, stream, body = self.start(connect, "sse")
        assert caller.first(stream) == 1
        assert body.closed


class TestBinary:
    BYTES = operation(responses=(answer("binary", "image/png"),))

    def server(self) -> Server:
        return Server(
            httpx.Response(200, content=b"PNG", headers={"content-type": "image/png", "x-size": "3"})
        )

    def test_read(self, connect: Connect) -> None:
        caller = connect(self.server())
        response = caller.call(self.BYTES)
        assert (response.media_type, response.headers["x-size"]) == ("image/png", "3")
        assert caller.read(response) == b"PNG"

    def test_save(self, connect: Connect, tmp_path: Path) -> None:
        caller = connect(self.server())
        path = tmp_path / "picture.png"
        assert caller.save(caller.call(self.BYTES), path) == 3
        assert path.read_bytes() == b"PNG"
        assert [entry.name for entry in tmp_path.iterdir()] == ["picture.png"]


def test_a_refusal_by_tls_after_the_handshake_is_a_lost_connection(connect: Callable[..., Caller]) -> None:
    refused = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required")
    with pytest.raises(ConnectionLostError, match="certificate required"):
        connect(Server(refused), max_retries=0).call(operation())
