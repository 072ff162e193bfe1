"""Generated functions and methods, called: what travels, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codegen.typescript.packages import UNDEFINED, Call, Called, Packages, answer, content

pytestmark = pytest.mark.xdist_group("typescript")
BASE = "https://perils.test/base"
OCTETS = "application/octet-stream"
DONE = {"status": 204}


def perils(call: str, *args: Any, answers: Any = (DONE,), then: str = "") -> Call:
    return Call(document="perils", call=call, args=args, answers=answers, then=then)


def routes(found: list[Called]) -> list[str]:
    return [f"{one.wire.method} {one.wire.url.removeprefix(BASE)}" for one in found]


def body(found: Called) -> Any:
    return json.loads(found.wire.body)


def test_a_method_and_its_function_send_the_same(packages: Packages) -> None:
    letters = [f"v{number}" for number in range(12)]
    found = packages.call(
        perils("named.positional", *letters),
        perils("namedPositional()", *letters),
        perils("methods.delete"),
        perils("methodsDelete()"),
        perils("withOptions_"),
        perils("withOptions_()"),
    )
    assert routes(found) == [
        *(f"GET /positional/{'/'.join(letters)}",) * 2,
        *("GET /methods/delete",) * 2,
        *("GET /members/withOptions",) * 2,
    ]


def test_arguments_of_any_name_arrive_where_they_belong(packages: Packages) -> None:
    members = {"protoBody": "1", "constructorBody": "2", "a": "3"}
    others = {"constructor_": "q", "toString_": "h"}
    proto, places = packages.call(
        perils("named.proto", "x", {**members, **others}, answers=[answer({"a": "b"})]),
        perils(
            "named.places",
            "p",
            {"idQuery": 1, "idQuery2": ["l"], "idHeader": True, "idCookie": "c", "idBody": "b", "value": ""},
        ),
    )
    assert routes([proto, places]) == ["POST /proto/x?constructor=q", "POST /places/p?id=1&id%5B%5D=l"]
    assert body(proto) == {"__proto__": "1", "constructor": "2", "a": "3"}
    assert (proto.wire.header("toString"), proto.value) == ("h", {"a": "b"})
    assert (places.wire.header("id"), places.wire.header("cookie")) == ("true", "id=c")
    assert body(places) == {"id": "b", "": ""}


def test_what_is_given_says_which_signature_it_is(packages: Packages) -> None:
    names = ["a", "b", "c", "o", "u", "k"]
    text, octets, nothing, timed = packages.call(
        perils("named.arrangedArguments", *names, {"text": "so"}, answers=[answer("so")]),
        perils(
            "namedArrangedArguments()", *names, {"content": content(b"\0")}, answers=[answer(b"\1", OCTETS)]
        ),
        perils("named.arrangedArguments", *names, answers=[answer("so")]),
        perils(
            "named.arrangedArguments", *names, UNDEFINED, {"extraQuery": {"x": "1"}}, answers=[answer("s")]
        ),
    )
    assert (body(text), text.value) == ({"text": "so"}, "so")
    assert (octets.wire.body, octets.wire.header("accept")) == (b"\0", OCTETS)
    assert (nothing.wire.body, timed.wire.query) == (b"", "x=1")


def test_text_or_bytes_at_the_first_place(packages: Packages) -> None:
    chunks = {"$iterable": [content(b"a"), content(b"b")]}
    given = ("text", content(b"\0"), [content(b"a"), content(b"b")], chunks, {"$blob": content(b"c")})
    told = [answer({"text": ""})]
    found = packages.call(*(Call(document="shop", call="echo", args=[one], answers=told) for one in given))
    assert [one.sent[0].body for one in found] == [b'{"text":"text"}', b"\0", b"ab", b"ab", b"c"]


@pytest.mark.parametrize("stream", [True, False])
def test_events_come_where_they_are_asked_for(packages: Packages, stream: bool) -> None:
    told = [answer(b'data: {"text": "a"}\n\n', "text/event-stream") if stream else answer({})]
    in_body, in_query, flag, other, lines = packages.call(
        perils("streams.inBody", {"q": "x", "stream": stream}, answers=told),
        perils("streams.inQuery", "x", {"stream": stream}, answers=told),
        perils("streamsAsFlag()", "x", {"stream": stream}, answers=told),
        perils("streams.takenFlag", "x", {"streamOption": stream}, answers=told),
        perils(
            "streams.lines",
            {"stream": stream},
            answers=[answer(b'{"text": "a"}\n', "application/jsonl") if stream else answer([])],
        ),
    )
    assert body(in_body) == {"q": "x", "stream": stream}
    assert routes([in_query, flag, other, lines]) == [
        f"GET /streams/query/x?stream={str(stream).lower()}",
        "GET /streams/flag/x",
        "GET /streams/taken/x",
        "GET /streams/lines",
    ]
    expected = [{"text": "a"}] if stream else {}
    assert [one.value for one in (in_body, in_query, flag, other)] == [expected] * 4
    accepted = {one.wire.header("accept") for one in (in_body, in_query, flag, other)}
    assert accepted == {"text/event-stream" if stream else "application/json"}
    assert lines.value == ([{"text": "a"}] if stream else [])


def test_bodies_are_told_apart_by_their_arguments(packages: Packages) -> None:
    png, jpeg, array, octets, by_key = packages.call(
        perils("bodies.raw", "1", {"content": content(b"P")}),
        perils("bodies.raw", "1", {"content": content(b"J"), "contentType": "image/jpeg"}),
        perils("bodies.arrayOrBytes", ["a"], {"more": "b"}),
        perils("bodies.arrayOrBytes", {"content": [content(b"a")]}),
        perils("bodies.variants", "key", {"key": "k"}),
    )
    assert [one.wire.header("content-type") for one in (png, jpeg)] == ["image/png", "image/jpeg"]
    assert body(array) == {"items": ["a"], "more": "b"}
    assert (octets.wire.header("content-type"), octets.wire.body) == ("application/octet-stream", b"a")
    assert body(by_key) == {"by": "key", "key": "k"}


def test_an_optional_position_before_what_must_be_given(packages: Packages) -> None:
    (found,) = packages.call(perils("bodies.optional", UNDEFINED, "b", {"must": "c"}))
    assert routes([found]) == ["POST /bodies/optional?second=b&must=c"]


def test_answers_that_nobody_described(packages: Packages) -> None:
    found = packages.call(*(perils(f"answers.{name}") for name in ("none", "refused", "head", "kinds")))
    assert [one.value for one in found] == [None] * 4


def test_a_deprecated_operation_warns_and_another_server_is_asked(packages: Packages) -> None:
    old, elsewhere = packages.call(perils("prose.old", answers=[answer("so")]), perils("prose.elsewhere"))
    assert (old.value, old.warned) == ("so", ("prose.old is deprecated.",))
    assert elsewhere.wire.url == "https://other.test/elsewhere"


def test_a_job_of_another_resource_is_followed(packages: Packages) -> None:
    states = [answer({"id": "j 1", "state": state}, status=202) for state in ("new", "busy", "ready")]
    begun, over = packages.call(
        perils("jobs.begin", answers=states, then="wait"),
        perils("jobs.begin", answers=states[2:], then="wait"),
    )
    assert [f"{one.method} {one.path}" for one in begun.sent] == [
        "POST /base/jobs/begin",
        *["GET /base/jobs/j%201"] * 2,
    ]
    assert (begun.value["state"], begun.waited) == ("ready", (1000, 1500))
    assert [one.method for one in over.sent] == ["POST"], "it had ended already, as its answer says"


def test_a_list_is_gone_through(packages: Packages) -> None:
    pages = [answer({"books": [{"title": "a"}], "next-cursor": "x"}), answer({"books": [{"title": "b"}]})]
    numbered = [answer({"titles": ["a"], "total": 2}), answer({"titles": ["b"], "total": 2})]
    hidden = [answer({"pages": 7, "items": [{}]}), answer({"items": []})]
    books, titles, own = packages.call(
        Call(document="library", call="books.list", args=[{"shelf": "s"}], answers=pages, then="items"),
        Call(document="library", call="booksNumbered()", answers=numbered, then="items"),
        perils("jobs.hiding", answers=hidden, then="items"),
    )
    assert books.value == [{"title": "a"}, {"title": "b"}]
    assert [one.query for one in books.sent] == ["shelf=s", "shelf=s&cursor=x"]
    assert titles.value == ["a", "b"]
    assert own.value == [{}]


def test_an_argument_that_nobody_takes_is_refused(packages: Packages) -> None:
    wrong, option = packages.call(
        perils("streams.asFlag", "x", {"stram": True}), perils("prose.old", {"timeoutMs": 5})
    )
    assert (wrong.sent, option.sent) == ((), ())
    assert "stram is no parameter" in wrong.error
    assert "timeoutMs is an option" in option.error
