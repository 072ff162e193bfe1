"""Answers by status, range and default, in every media type, as the JavaScript SDK understands them."""

from __future__ import annotations

import pytest
from codegen.typescript.packages import Call, Packages, answer
from codegen.typescript.spelling import method_of

pytestmark = pytest.mark.xdist_group("typescript")
PET = {"name": "Mimi", "age": 3}
EVENTS = "text/event-stream"
UNDERSTOOD = [
    ("by_status", answer(PET), PET),
    ("by_status", answer(["a"], status=202), ["a"]),
    ("by_status", {"status": 204}, None),
    ("by_range", answer(PET, status=201), PET),
    ("by_range", answer(PET, "application/json; charset=utf-8", 299), PET),
    ("by_default", answer(PET), PET),
    ("vendor", answer(PET, "application/vnd.pet+json; charset=utf-8; v=1"), PET),
    ("versions", answer("text", "application/json; v=1"), "text"),
    ("versions", answer(PET, "application/json;v=2"), PET),
    ("several", answer(PET), PET),
    ("several", answer("ś,b".encode(), "text/csv"), "ś,b"),
    ("several", answer(b"%PDF", "application/pdf"), b"%PDF"),
    ("several", answer(b"<a/>", "application/xml; charset=utf-8"), "<a/>"),
    ("text", answer("naïve".encode("latin-1"), "text/plain; charset=ISO-8859-1"), "naïve"),
    ("text", answer(b"", "text/plain"), ""),
    ("xml", answer("<ś/>".encode(), "application/xml"), "<ś/>"),
    ("picture", answer(b"PNG", "image/png"), b"PNG"),
    ("picture", answer(b"<svg/>", "image/svg+xml"), b"<svg/>"),
    ("anything", answer(b"\0\1", "application/x-unheard-of"), b"\0\1"),
    ("any_object", answer(PET), PET),
    ("by_status", answer(PET, "application/hal+json"), PET),
    ("head", {"status": 200, "headers": {"content-type": "application/json"}}, None),
    ("nothing", {"status": 204}, None),
    ("any_json", answer([1, None, {"a": "b"}]), [1, None, {"a": "b"}]),
    ("nullable", answer(b"null"), None),
    ("nullable", answer(PET), PET),
    ("events", answer(b'data: {"name": "Mimi",\ndata: "age": 3}\n\n', EVENTS), [PET]),
    ("events", answer(b'data: {"name":"Mimi","age":3}\n\ndata: [DONE]\n\n', EVENTS), [PET]),
    ("messages", answer(b"data: a\n\ndata: [DONE]\n\n", EVENTS), ["a", "[DONE]"]),
    ("raw_events", answer(b'data: {"a": 1}\n\ndata: so\n\n', EVENTS), [{"a": 1}, "so"]),
    ("lines", answer(b'{"name":"Mimi","age":3}\n\n{"name":"Mimi","age":3}', "application/jsonl"), [PET, PET]),
    ("headers", answer(PET), PET),
]
ASKED = [
    ("by_status", "application/json"),
    ("vendor", "application/vnd.pet+json; v=1"),
    ("several", "application/json"),
    ("picture", "image/*"),
    ("events", EVENTS),
    ("nothing", "*/*"),
    ("xml", "application/xml"),
    ("any_object", "application/json"),
]
NOT_DESCRIBED = [
    ("by_status", answer(b"<html>", "text/html")),
    ("by_default", answer(b"<html>", "text/html")),
    ("by_range", answer(b"{")),
    ("by_range", answer({"age": 3})),
    ("lines", answer(b"{}", "application/jsonl")),
]


def call(method: str, *answers: object, **options: object) -> Call:
    given = [options] if options else []
    return Call(document="wire", call=f"answers.{method_of(method)}", args=given, answers=[*answers])  # type: ignore[list-item]  # they are answers


def test_an_answer_is_understood(packages: Packages) -> None:
    found = packages.call(*(call(method, given) for method, given, _ in UNDERSTOOD))
    for (method, _, expected), one in zip(UNDERSTOOD, found, strict=True):
        assert (one.error, one.value) == ("", expected), method


def test_what_is_understood_is_asked_for(packages: Packages) -> None:
    found = packages.call(*(call(method, {"status": 204}) for method, _ in ASKED))
    assert [one.sent[0].header("accept") for one in found] == [accept for _, accept in ASKED]
    (other,) = packages.call(call("several", answer(b"a,b", "text/csv"), extraHeaders={"Accept": "text/csv"}))
    assert (other.wire.header("accept"), other.value) == ("text/csv", "a,b")


def test_what_nobody_described_is_an_error(packages: Packages) -> None:
    found = packages.call(*(call(method, given) for method, given in NOT_DESCRIBED))
    for (method, _), one in zip(NOT_DESCRIBED, found, strict=True):
        assert one.error.startswith(f"DecodingError: answers.{method}: "), one


def test_a_refusal_is_an_error(packages: Packages) -> None:
    (moved,) = packages.call(call("moved", {"status": 302, "headers": {"location": "https://b.test/"}}))
    assert "302" in moved.error
