"""Answers by status, range and default, in every media type."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from codegen.python.conformance.package import Caller

PET = {"name": "Mimi", "age": 3}


def _json(value: Any, status: int = 200, kind: str = "application/json") -> dict[str, Any]:
    return {"status_code": status, "json": value, "headers": {"content-type": kind}}


def _raw(content: bytes, kind: str) -> dict[str, Any]:
    return {"status_code": 200, "content": content, "headers": {"content-type": kind}}


@pytest.mark.parametrize(
    ("method", "answer", "expected"),
    [
        ("by_status", _json(PET), PET),
        ("by_status", _json(["a"], 202), ["a"]),
        ("by_status", {"status_code": 204}, None),
        ("by_range", _json(PET, 201), PET),
        ("by_range", _json(PET, 299, "application/json; charset=utf-8"), PET),
        ("by_default", _json(PET, 200), PET),
        ("vendor", _json(PET, kind="application/vnd.pet+json; charset=utf-8; v=1"), PET),
        ("versions", _json("text", kind="application/json; v=1"), "text"),
        ("versions", _json(PET, kind="application/json;v=2"), PET),
        ("several", _json(PET), PET),
        ("several", _raw("ś,b".encode(), "text/csv"), "ś,b"),
        ("several", _raw(b"%PDF", "application/pdf"), b"%PDF"),
        ("several", _raw(b"<a/>", "application/xml; charset=utf-8"), "<a/>"),
        ("text", _raw("naïve".encode("latin-1"), "text/plain; charset=ISO-8859-1"), "naïve"),
        ("text", _raw(b"", "text/plain"), ""),
        ("xml", _raw("<ś/>".encode(), "application/xml"), "<ś/>"),
        ("picture", _raw(b"PNG", "image/png"), b"PNG"),
        ("picture", _raw(b"<svg/>", "image/svg+xml"), b"<svg/>"),
        ("anything", _raw(b"\0\1", "application/x-unheard-of"), b"\0\1"),
        ("any_object", _json(PET), PET),
        ("by_status", _json(PET, kind="application/hal+json"), PET),
        ("head", _json(PET), None),
        ("nothing", {"status_code": 204}, None),
        ("any_json", _json([1, None, {"a": 2**70}]), [1, None, {"a": 2**70}]),
        ("nullable", _raw(b"null", "application/json"), None),
        ("nullable", _json(PET), PET),
        ("events", _raw(b'data: {"name": "Mimi",\ndata: "age": 3}\n\n', "text/event-stream"), [PET]),
        ("events", _raw(b'data: {"name":"Mimi","age":3}\n\ndata: [DONE]\n\n', "text/event-stream"), [PET]),
        ("messages", _raw(b"data: a\n\ndata: [DONE]\n\n", "text/event-stream"), ["a", "[DONE]"]),
        ("raw_events", _raw(b'data: {"a": 1}\n\ndata: so\n\n', "text/event-stream"), [{"a": 1}, "so"]),
        (
            "lines",
            _raw(b'{"name":"Mimi","age":3}\n\n{"name":"Mimi","age":3}', "application/jsonl"),
            [PET, PET],
        ),
        ("headers", _json(PET), PET),
    ],
)
def test_an_answer_is_understood(caller: Caller, method: str, answer: Any, expected: Any) -> None:
    for result in caller.answers(f"answers.{method}", lambda: httpx.Response(**answer)):
        assert _plain(result) == expected


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.model_dump(by_alias=True, exclude_unset=True) if hasattr(value, "model_dump") else value


@pytest.mark.parametrize(
    ("method", "accept"),
    [
        ("by_status", "application/json"),
        ("vendor", "application/vnd.pet+json; v=1"),
        ("several", "application/json"),
        ("picture", "image/*"),
        ("events", "text/event-stream"),
        ("nothing", "*/*"),
        ("xml", "application/xml"),
        ("any_object", "application/json"),
    ],
)
def test_what_is_understood_is_asked_for(caller: Caller, method: str, accept: str) -> None:
    assert caller.sent(f"answers.{method}").header("accept") == accept


def test_another_media_type_may_be_asked_for(caller: Caller) -> None:
    answer = _raw(b"a,b", "text/csv")
    wire, result = caller.both(
        "answers.several",
        lambda _: httpx.Response(**answer),
        settings={},
        colour="sync",
        extra_headers={"Accept": "text/csv"},
    )
    assert (wire.header("accept"), result) == ("text/csv", "a,b")


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("by_status", _raw(b"<html>", "text/html")),
        ("by_default", _raw(b"<html>", "text/html")),
        ("by_range", _raw(b"{", "application/json")),
        ("by_range", _json({"age": 3})),
        ("lines", _raw(b"{}", "application/jsonl")),
    ],
)
def test_what_nobody_described_is_an_error(caller: Caller, method: str, answer: Any) -> None:
    for colour in ("sync", "async"):
        with pytest.raises(Exception, match=rf"answers\.{method}: ") as raised:
            caller.both(f"answers.{method}", lambda _: httpx.Response(**answer), settings={}, colour=colour)
        assert type(raised.value).__name__ == "DecodingError"


@pytest.mark.parametrize(("method", "kind"), [("headers", "application/json"), ("picture", "image/png")])
def test_the_headers_of_an_answer_are_shown_to_who_asks(caller: Caller, method: str, kind: str) -> None:
    heads: list[Any] = []
    headers = {"X-Total": "7", "content-type": kind, "x-request-id": "r1"}

    def answer() -> httpx.Response:
        return httpx.Response(200, content=b'{"name": "Mimi"}', headers=headers)

    caller.answers(f"answers.{method}", answer, on_answer=heads.append)
    assert [(head.status, head.headers["x-total"], head.request_id) for head in heads] == [
        (200, "7", "r1")
    ] * 2


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_refusal_keeps_its_headers(caller: Caller, colour: str) -> None:
    moved = {"location": "https://elsewhere.test/"}
    with pytest.raises(Exception, match="302") as raised:
        caller.both("answers.moved", lambda _: httpx.Response(302, headers=moved), settings={}, colour=colour)
    error: Any = raised.value
    assert (error.status, error.headers["location"]) == (302, "https://elsewhere.test/")
