"""Answers with all that came, of both colours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client import NotFoundError, RawResponse
from sdk.support import Caller, Server, answer, operation

Connect = Callable[..., Caller]

PNG = operation(responses=(answer("binary", "image/png"),))
EVENTS = operation(responses=(answer("sse", "text/event-stream"),))
HEADERS = {"content-type": "application/json", "x-request-id": "r-7", "x-left": "3"}


def in_mode(caller: Caller, mode: str) -> Caller:
    caller.client = caller.client.in_mode(mode)
    return caller


def got(caller: Caller, value: Any) -> Any:
    """What is awaited or gone through in the async colour, and is there in the sync one."""

    async def settle() -> Any:
        return [piece async for piece in value] if inspect.isasyncgen(value) else await value

    if inspect.isasyncgen(value) or inspect.isawaitable(value):
        return vars(caller)["_runner"].run(settle())
    return list(value) if inspect.isgenerator(value) else value


def close(caller: Caller, response: Any) -> None:
    got(caller, response.aclose() if hasattr(response, "aclose") else response.close())


class TestRaw:
    def test_it_has_all_that_came(self, connect: Connect) -> None:
        server = Server(httpx.Response(503), httpx.Response(200, headers=HEADERS, content=b'{"a": 1}'))
        response = in_mode(connect(server), "raw").call(operation())
        assert isinstance(response, RawResponse)
        assert (response.status, response.request_id, response.attempts) == (200, "r-7", 2)
        assert (response.headers["x-left"], response.media_type) == ("3", "application/json")
        assert (response.content, response.text(), response.json()) == (b'{"a": 1}', '{"a": 1}', {"a": 1})

    def test_it_is_parsed_into_what_the_method_returns_and_only_once(self, connect: Connect) -> None:
        typed = operation(responses=(answer("json", "application/json", type_="Document"),))
        body = b'{"id": "d", "title": "t"}'
        server = Server(httpx.Response(200, headers=HEADERS, content=body))
        caller = connect(server)
        plain = caller.call(typed)
        response = in_mode(caller, "raw").call(typed)
        assert response.parse() == plain
        assert response.parse() is response.parse()

    def test_text_is_in_the_charset_of_the_answer(self, connect: Connect) -> None:
        headers = {"content-type": "text/plain; charset=utf-16-le"}
        server = Server(httpx.Response(200, headers=headers, content="dhātu".encode("utf-16-le")))
        response = in_mode(connect(server), "raw").call(operation(responses=(answer("text", "text/plain"),)))
        assert response.text() == response.parse() == "dhātu"

    def test_bytes_are_there_and_can_be_parsed(self, connect: Connect) -> None:
        server = Server(httpx.Response(200, headers={"content-type": "image/png"}, content=b"PNG"))
        caller = in_mode(connect(server), "raw")
        response = caller.call(PNG)
        assert response.content == b"PNG"
        assert caller.read(response.parse()) == b"PNG"

    def test_events_are_left_to_arrive(self, connect: Connect) -> None:
        headers = {"content-type": "text/event-stream"}
        server = Server(httpx.Response(200, headers=headers, content=b"data: 1\n\ndata: 2\n\n"))
        caller = in_mode(connect(server), "raw")
        response = caller.call(EVENTS)
        with pytest.raises(RuntimeError, match=r"still arriving: parse\(\)"):
            assert response.content
        assert caller.items(response.parse()) == [1, 2]

    def test_a_refusal_is_raised_all_the_same(self, connect: Connect) -> None:
        with pytest.raises(NotFoundError):
            in_mode(connect(Server(httpx.Response(404))), "raw").call(operation())

    def test_other_options_keep_the_mode(self, connect: Connect) -> None:
        caller = in_mode(connect(Server(httpx.Response(200, headers=HEADERS, content=b"1"))), "raw")
        caller.client = caller.client.with_options(timeout_s=3.0)
        assert isinstance(caller.call(operation()), RawResponse)

    def test_the_repr_holds_no_body(self, connect: Connect) -> None:
        server = Server(httpx.Response(200, headers=HEADERS, content=b'{"key": "secret"}'))
        response = in_mode(connect(server), "raw").call(operation())
        assert repr(response) == "<RawResponse of documents.get, 200 application/json>"


class TestStreaming:
    @pytest.fixture
    def opened(self, connect: Connect) -> Callable[..., tuple[Caller, Any]]:
        def send(content: bytes, media_type: str, **described: Any) -> tuple[Caller, Any]:
            pieces = [content[at : at + 3] for at in range(0, len(content), 3)]

            def reply(_: httpx.Request) -> httpx.Response:
                stream = Pieces(pieces)
                return httpx.Response(200, headers={"content-type": media_type}, stream=stream)

            caller = in_mode(connect(Server(reply)), "streaming")
            return caller, caller.call(operation(**described))

        return send

    def test_bytes_arrive_piece_by_piece(self, opened: Callable[..., tuple[Caller, Any]]) -> None:
        caller, response = opened(b"[1, 2, 3]", "application/json")
        assert got(caller, response.iter_bytes()) == [b"[1,", b" 2,", b" 3]"]

    def test_text_is_never_cut_inside_a_letter(self, opened: Callable[..., tuple[Caller, Any]]) -> None:
        caller, response = opened("dhātu ṛṣi".encode(), "text/plain")
        assert "".join(got(caller, response.iter_text())) == "dhātu ṛṣi"

    def test_lines_end_as_they_may(self, opened: Callable[..., tuple[Caller, Any]]) -> None:
        caller, response = opened("one\r\ntwo\n\nlāst".encode(), "text/plain")
        assert got(caller, response.iter_lines()) == ["one", "two", "", "lāst"]

    def test_it_can_be_read_again_and_parsed(self, opened: Callable[..., tuple[Caller, Any]]) -> None:
        caller, response = opened(b"[1, 2, 3]", "application/json")
        assert got(caller, response.read()) == got(caller, response.read()) == b"[1, 2, 3]"
        assert got(caller, response.iter_bytes()) == [b"[1, 2, 3]"]
        assert got(caller, response.parse()) == [1, 2, 3]

    def test_events_can_be_parsed(self, opened: Callable[..., tuple[Caller, Any]]) -> None:
        described = {"responses": EVENTS.responses}
        caller, response = opened(b"data: 1\n\ndata: 2\n\n", "text/event-stream", **described)
        assert caller.items(got(caller, response.parse())) == [1, 2]

    def test_it_can_be_saved(self, opened: Callable[..., tuple[Caller, Any]], tmp_path: Path) -> None:
        caller, response = opened(b"[1, 2, 3]", "application/json")
        assert got(caller, response.save(tmp_path / "list.json")) == 9
        assert (tmp_path / "list.json").read_bytes() == b"[1, 2, 3]"

    def test_closing_frees_the_connection(self, opened: Callable[..., tuple[Caller, Any]]) -> None:
        Pieces.closed = 0
        caller, response = opened(b"[1, 2, 3]", "application/json")
        assert Pieces.closed == 0
        close(caller, response)
        assert Pieces.closed == 1

    def test_a_refusal_is_raised_all_the_same(self, connect: Connect) -> None:
        server = Server(httpx.Response(404, json={"detail": "none"}))
        with pytest.raises(NotFoundError, match="none"):
            in_mode(connect(server), "streaming").call(operation())


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in pieces, which counts how often one was closed."""

    closed = 0

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Any:
        yield from self._pieces

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            yield piece

    def close(self) -> None:
        Pieces.closed += 1

    async def aclose(self) -> None:
        Pieces.closed += 1
