"""What a call puts on the wire, in both colours."""

from __future__ import annotations

import datetime
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client._call import OMIT, BodySpec, FieldSpec
from dhatu_client._errors import (
    ArgumentError,
)
from sdk.sample_models import Cat
from sdk.support import AsyncCaller, Caller, Server, answer, operation, parameter

Connect = Callable[..., Caller]

JSON_BODY = BodySpec(
    media_type="application/json",
    kind="json",
    fields=(FieldSpec(argument="text", name="text"), FieldSpec(argument="class_", name="class")),
)
BYTES_BODY = BodySpec(media_type="application/octet-stream", kind="binary", argument="content")
WRITE = operation(method="POST", bodies=(JSON_BODY, BYTES_BODY), body_required=True)


def ok(content: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=content, headers=headers)


def sent_json(server: Server) -> Any:
    return json.loads(server.request.content)


class TestRequests:
    def test_everything_is_where_the_description_says(self, connect: Connect) -> None:
        server = Server(ok({}))
        connect(server).call(
            operation(
                path="/a/{id}/b",
                parameters=(
                    parameter("id", "path"),
                    parameter("q", "query", name="Q"),
                    parameter("left_out", "query"),
                    parameter("trace", "header", name="X-Trace"),
                    parameter("flavour", "cookie"),
                    parameter("crumbs", "cookie"),
                ),
            ),
            id="x/y ś",
            q=[1, 2],
            left_out=OMIT,
            trace="t",
            flavour="a;b",
            crumbs=[1, 2],
        )
        request = server.request
        assert str(request.url) == "https://api.sample.test/base/a/x%2Fy%20%C5%9B/b?Q=1&Q=2"
        assert request.headers["x-trace"] == "t"
        assert request.headers["cookie"] == "flavour=a%3Bb; crumbs=1; crumbs=2"
        assert request.headers["user-agent"] == "sample-client/1.2.3"
        assert request.headers["accept"] == "application/json"
        assert request.headers["x-sample-attempt"] == "1"
        assert int(request.headers["x-sample-timeout-ms"]) == 60_000

    @pytest.mark.parametrize("value", [".", ".."])
    def test_a_path_parameter_cannot_climb(self, connect: Connect, value: str) -> None:
        server = Server(ok({}))
        with pytest.raises(ArgumentError, match="must not be"):
            connect(server).call(operation(path="/a/{id}", parameters=(parameter("id", "path"),)), id=value)
        assert server.requests == []

    def test_a_missing_path_parameter_is_named(self, connect: Connect) -> None:
        with pytest.raises(ArgumentError, match="path parameter id is missing"):
            connect(Server(ok({}))).call(operation(path="/a/{id}", parameters=(parameter("id", "path"),)))

    def test_extra_headers_query_and_body_are_added(self, connect: Connect) -> None:
        server = Server(ok({}))
        connect(server).call(
            WRITE,
            text="a",
            options={
                "extra_headers": {"Accept": "application/special", "X-More": "1"},
                "extra_query": {"debug": "a b"},
                "extra_body": {"more": [1]},
            },
        )
        assert server.request.headers["accept"] == "application/special"
        assert server.request.headers["x-more"] == "1"
        assert server.request.url.query == b"debug=a%20b"
        assert sent_json(server) == {"text": "a", "more": [1]}

    def test_a_misspelt_argument_is_named(self, connect: Connect) -> None:
        server = Server(ok({}))
        with pytest.raises(TypeError, match="unexpected keyword argument 'txet'"):
            connect(server).call(WRITE, text="a", options={"txet": "b"})
        assert server.requests == []

    def test_the_same_key_goes_with_every_attempt_of_a_keyed_write(self, connect: Connect) -> None:
        server = Server(httpx.Response(503), httpx.Response(503), ok({}), ok({}))
        caller = connect(server)
        keyed = operation(method="POST", retry="keyed")
        caller.call(keyed)
        caller.call(keyed, options={"idempotency_key": "mine"})
        keys = [request.headers["idempotency-key"] for request in server.requests]
        assert keys == ["token-1", "token-1", "token-1", "mine"]
        assert [request.headers["x-sample-attempt"] for request in server.requests] == ["1", "2", "3", "1"]

    def test_other_calls_carry_no_key(self, connect: Connect) -> None:
        server = Server(ok({}))
        connect(server).call(operation(retry="idempotent"))
        assert "idempotency-key" not in server.request.headers

    @pytest.mark.parametrize(
        ("option", "text"), [({"timeout_s": 0}, "timeout_s"), ({"max_retries": -1}, "max_retries")]
    )
    def test_a_bad_option_is_named(self, connect: Connect, option: Any, text: str) -> None:
        with pytest.raises(ValueError, match=text):
            connect(Server(ok({}))).call(operation(), options=option)


class TestBodies:
    def test_members_are_json_under_their_wire_names(self, connect: Connect) -> None:
        server = Server(ok({}))
        connect(server).call(WRITE, text=None, class_=datetime.date(2026, 8, 21))
        assert server.request.headers["content-type"] == "application/json"
        assert sent_json(server) == {"text": None, "class": "2026-08-21"}

    def test_what_was_left_out_stays_out(self, connect: Connect) -> None:
        server = Server(ok({}))
        connect(server).call(WRITE, text="ś", class_=OMIT)
        assert server.request.content == '{"text":"ś"}'.encode()

    def test_models_go_as_they_were_filled(self, connect: Connect) -> None:
        server = Server(ok({}))
        cat = Cat.model_validate({"class": "siamese", "friend": {"lives": None}})
        connect(server).call(WRITE, text=[cat, {"in": cat.friend}])
        assert sent_json(server)["text"] == [
            {"kind": "cat", "class": "siamese", "friend": {"kind": "cat", "lives": None}},
            {"in": {"kind": "cat", "lives": None}},
        ]

    def test_a_whole_body_is_one_argument(self, connect: Connect) -> None:
        server = Server(ok({}))
        whole = BodySpec(media_type="application/json", kind="json", argument="documents")
        connect(server).call(operation(method="POST", bodies=(whole,)), documents=({"a": 1}, {"b": 2}))
        assert sent_json(server) == [{"a": 1}, {"b": 2}]

    def test_a_required_object_of_optional_members_is_sent_empty(self, connect: Connect) -> None:
        server = Server(ok({}))
        connect(server).call(WRITE)
        assert server.request.content == b"{}"

    def test_an_optional_one_is_not_sent_at_all(self, connect: Connect) -> None:
        server = Server(ok({}))
        connect(server).call(operation(method="POST", bodies=(JSON_BODY,)))
        assert server.request.content == b""
        assert "content-type" not in server.request.headers

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"text": "a", "content": b"b"}, "content and text cannot be sent together"),
            ({"content": b"b", "content_type": "text/csv"}, "content cannot be sent as text/csv"),
            ({"content": 3}, "content must be bytes"),
            ({"text": float("inf")}, "the body cannot be written as JSON"),
            ({"text": object()}, "has no JSON form"),
            ({"text": "\ud800"}, "the body cannot be written as JSON"),
            ({"text": [OMIT]}, "OMIT"),
        ],
    )
    def test_what_cannot_be_sent_is_refused(
        self, connect: Connect, arguments: dict[str, Any], message: str
    ) -> None:
        server = Server(ok({}))
        with pytest.raises(ArgumentError, match=message):
            connect(server).call(WRITE, **arguments)
        assert server.requests == []

    def test_a_body_that_is_needed_is_asked_for(self, connect: Connect) -> None:
        with pytest.raises(ArgumentError, match=r"give content \(application/octet-stream\)"):
            connect(Server(ok({}))).call(operation(method="POST", bodies=(BYTES_BODY,), body_required=True))

    def test_extra_members_need_an_object(self, connect: Connect) -> None:
        with pytest.raises(ArgumentError, match="extra_body"):
            connect(Server(ok({}))).call(WRITE, content=b"x", options={"extra_body": {"a": 1}})

    def test_content_of_every_kind(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"abc")
        with path.open("rb") as file:
            file.read(1)
            for content, expected in (
                (b"abc", b"abc"),
                (bytearray(b"abc"), b"abc"),
                (memoryview(b"abc"), b"abc"),
                ("ś", "ś".encode()),
                (path, b"abc"),
                (file, b"bc"),
                (io.BytesIO(b"abc"), b"abc"),
                ([b"ab", b"c"], b"abc"),
                (iter([b"ab", b"c"]), b"abc"),
            ):
                server = Server(ok({}))
                connect(server).call(WRITE, content=content)
                assert server.request.content == expected, content
                assert server.request.headers["content-type"] == "application/octet-stream"
                counted = not isinstance(content, list) and not hasattr(content, "__next__")
                sized = "content-length" in server.request.headers
                assert sized == (counted or content is file or isinstance(content, io.BytesIO)), content

    def test_the_media_type_is_the_callers_choice_where_there_is_one(self, connect: Connect) -> None:
        server = Server(ok({}))
        csv = BodySpec(media_type="text/csv", kind="text", argument="content")
        both = operation(method="POST", bodies=(BYTES_BODY, csv))
        connect(server).call(both, content="a,b", content_type="text/csv")
        assert server.request.headers["content-type"] == "text/csv; charset=utf-8"

    def test_a_file_that_is_not_there_is_named(self, connect: Connect, tmp_path: Path) -> None:
        with pytest.raises(ArgumentError, match=re.escape(str(tmp_path / "none"))):
            connect(Server(ok({}))).call(WRITE, content=tmp_path / "none")

    def test_a_text_file_is_refused_with_the_remedy(self, connect: Connect, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("abc")
        with (tmp_path / "text").open() as file, pytest.raises(ArgumentError, match="mode 'rb'"):
            connect(Server(ok({}))).call(WRITE, content=file)

    def test_a_file_is_sent_whole_by_each_attempt(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"abc")
        with path.open("rb") as file:
            for content in (path, file, [b"abc"]):
                server = Server(httpx.Response(503), ok({}))
                connect(server).call(WRITE, content=content)
                assert [request.content for request in server.requests] == [b"abc", b"abc"]

    def test_a_form_repeats_names_for_lists(self, connect: Connect) -> None:
        form = BodySpec(media_type="application/x-www-form-urlencoded", kind="form", fields=JSON_BODY.fields)
        server = Server(ok({}))
        connect(server).call(operation(method="POST", bodies=(form,)), text=["a b", "ś&"], class_={"x": 1})
        assert server.request.content == b"text=a+b&text=%C5%9B%26&class=%7B%22x%22%3A1%7D"

    def test_multipart(self, connect: Connect, tmp_path: Path) -> None:
        path = tmp_path / 'ver"se.txt'
        path.write_bytes(b"satyam")
        fields = (
            FieldSpec(argument="title", name="title"),
            FieldSpec(argument="meta", name="meta"),
            FieldSpec(argument="files", name="files", file=True),
        )
        body = BodySpec(media_type="multipart/form-data", kind="multipart", fields=fields)
        server = Server(ok({}))
        connect(server).call(
            operation(method="POST", bodies=(body,)), title="ś", meta={"a": 1}, files=[path, b"raw"]
        )
        assert server.request.headers["content-type"] == "multipart/form-data; boundary=token-1"
        assert server.request.headers["content-length"] == str(len(server.request.content))
        assert server.request.content.decode().split("\r\n") == [
            "--token-1",
            'Content-Disposition: form-data; name="title"',
            "",
            "ś",
            "--token-1",
            'Content-Disposition: form-data; name="meta"',
            "Content-Type: application/json",
            "",
            '{"a":1}',
            "--token-1",
            'Content-Disposition: form-data; name="files"; filename="ver%22se.txt"',
            "Content-Type: text/plain",
            "",
            "satyam",
            "--token-1",
            'Content-Disposition: form-data; name="files"; filename="upload"',
            "Content-Type: application/octet-stream",
            "",
            "raw",
            "--token-1--",
            "",
        ]

    @pytest.mark.parametrize(
        "make",
        [
            lambda: [{"a": 1}, b'{"b":2}\n'],
            lambda: iter([{"a": 1}, {"b": 2}]),
            lambda: b'{"a":1}\n{"b":2}\n',
            lambda: io.BytesIO(b'{"a":1}\n{"b":2}\n'),
        ],
        ids=["list", "iterator", "bytes", "file"],
    )
    def test_json_lines(self, connect: Connect, make: Callable[[], object]) -> None:
        lines = BodySpec(media_type="application/jsonl", kind="jsonl", argument="content")
        server = Server(ok({}))
        connect(server).call(operation(method="POST", bodies=(lines,)), content=make())
        assert server.request.content == b'{"a":1}\n{"b":2}\n'


class TestAsyncContent:
    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    def test_the_async_client_takes_it(self) -> None:
        server = Server(ok({}))
        caller = AsyncCaller(server)
        caller.call(WRITE, content=self.chunks())
        caller.close()
        assert server.request.content == b"abc"


class TestAccept:
    def both(self) -> Any:
        return operation(
            method="POST",
            bodies=(JSON_BODY, BYTES_BODY),
            responses=(
                answer("binary", "application/octet-stream"),
                answer("json", "application/json"),
                answer("sse", "text/event-stream"),
            ),
        )

    def test_like_for_like(self, connect: Connect) -> None:
        server = Server(
            ok({}), httpx.Response(200, content=b"x", headers={"content-type": "application/octet-stream"})
        )
        caller = connect(server)
        caller.call(self.both(), text="a")
        caller.read(caller.call(self.both(), content=b"a"))
        assert [request.headers["accept"] for request in server.requests] == [
            "application/json",
            "application/octet-stream",
        ]

    def test_events_where_they_are_wanted(self, connect: Connect) -> None:
        server = Server(
            httpx.Response(200, content=b"data: 1\n\n", headers={"content-type": "text/event-stream"})
        )
        caller = connect(server)
        assert caller.items(caller.call(self.both(), stream=True, text="a")) == [1]
        assert server.request.headers["accept"] == "text/event-stream"
        assert "x-sample-timeout-ms" not in server.request.headers

    def test_pictures_of_any_kind(self, connect: Connect) -> None:
        pictures = operation(responses=(answer("binary", "image/svg+xml"), answer("binary", "image/png")))
        server = Server(httpx.Response(200, content=b"PNG", headers={"content-type": "image/png"}))
        caller = connect(server)
        response = caller.call(pictures)
        assert (response.media_type, caller.read(response)) == ("image/png", b"PNG")
        assert server.request.headers["accept"] == "image/svg+xml, image/png"
