"""What a request's body may be: its media type, its size, its syntax and its shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Body, MediaType, Validation
from dhatu_gateway.core.validation.json_body import MAX_DEPTH, parse_json
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas
from gateway.support import Bench, Reply, compose, make_route, serving
from gateway.support import validate as validate_all
from hypothesis import given, settings
from hypothesis import strategies as st

DOCUMENT = {
    "text": {
        "type": "object",
        "additionalProperties": False,
        "required": ["text"],
        "properties": {"text": {"type": "string", "maxLength": 20}, "level": {"type": "integer"}},
    }
}
JSON = MediaType(media_type="application/json", schema="/text", kind="json", parts=())
ANY_JSON = MediaType(media_type="application/ld+json", schema="", kind="json", parts=())
BYTES = MediaType(media_type="application/octet-stream", schema="", kind="stream", parts=())
IMAGES = MediaType(media_type="image/*", schema="", kind="stream", parts=())


def bench(*media_types: MediaType, required: bool = True, validate: Validation = "enforce") -> Bench:
    body = Body(required=required, media_types=media_types or (JSON,))
    route = make_route("POST", body=body, validate=validate_all(validate), max_body_bytes=200)
    return compose(route, make_route("GET"), document=DOCUMENT)


async def post(
    on: Bench, body: bytes | None, media_type: str | None = "application/json", **headers: str
) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if media_type is not None:
        fields["Content-Type"] = media_type
    async with serving(on.edge) as client:
        return await client.request("POST", "/api/v1/things", body, fields)


async def test_a_good_body_reaches_the_service_byte_for_byte() -> None:
    body = ' {"text": "sa\\u1e41skṛta",\n "level": 3} '.encode()
    reply = await post(bench(), body)
    assert reply.json["body"].encode() == body


@pytest.mark.parametrize(
    ("body", "name", "detail"),
    [
        (b"{}", "/text", "is required"),
        (b'{"text": 7}', "/text", "must be a string"),
        (b'{"text": "x", "level": 1.5}', "/level", "must be an integer"),
        (b'{"text": "x", "colour": 1}', "/colour", "is not known here"),
        (b'{"text": "' + b"x" * 21 + b'"}', "/text", "may have at most 20 characters"),
        (b"[]", "", "must be an object"),
        (b"null", "", "must be an object"),
        (b"", "", "is required"),
        (b'{"text": "x",}', "", "line 1, column 13"),
        (b'{"text":\n nul}', "", "line 2, column 2"),
        (b'{"text": "\xff"}', "", "UTF-8"),
        (b'{"text": "x"} x', "", "is not JSON"),
        (b'{"text": NaN}', "", "is not JSON"),
        (b'{"text": ' + b"[" * 90 + b"]" * 90 + b"}", "", "levels deep"),
    ],
)
async def test_a_bad_body_is_told_what_and_where(body: bytes, name: str, detail: str) -> None:
    on = bench()
    reply = await post(on, body)
    assert (reply.status, reply.json["title"]) == (400, "Invalid request")
    [part] = reply.parts
    assert part[:2] == ("body", name)
    assert detail in part[2]
    assert on.upstream.requests == []


async def test_all_errors_come_at_once() -> None:
    reply = await post(bench(), b'{"level": "x", "a": 1, "b": 2}')
    assert sorted(name for _, name, _ in reply.parts) == ["/a", "/b", "/level", "/text"]
    assert reply.json["detail"] == "4 parts of the request were refused; see errors."


async def test_values_are_never_repeated() -> None:
    reply = await post(bench(), b'{"text": 4815162342, "level": "hunter2"}')
    assert reply.status == 400
    assert b"4815162342" not in reply.body
    assert b"hunter2" not in reply.body


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ('application/json;charset="utf-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("application/ld+json", 200),
        ("application/octet-stream", 200),
        ("image/png", 200),
        ("text/plain", 415),
        ("application/jsonp", 415),
        ("json", 415),
        ("", 415),
        (None, 415),
    ],
)
async def test_media_types(media_type: str | None, status: int) -> None:
    reply = await post(bench(JSON, ANY_JSON, BYTES, IMAGES), b'{"text": "x"}', media_type)
    assert reply.status == status
    if status == 415:
        assert "UTF-8" in reply.json["detail"] or "application/json" in reply.headers["accept"]


async def test_bodies_have_a_limit_announced_or_not() -> None:
    fits = b'{"text": "x"}'.ljust(200)
    chunked = {"Transfer_Encoding": "chunked"}
    assert (await post(bench(), fits)).status == 200
    assert (await post(bench(), fits + b" ")).status == 413
    assert (await post(bench(), b"c8\r\n" + fits + b"\r\n0\r\n\r\n", **chunked)).status == 200
    many = b"64\r\n" + b" " * 100 + b"\r\n"
    assert (await post(bench(), many * 3 + b"0\r\n\r\n", **chunked)).status == 413


async def test_an_optional_body_may_be_missing() -> None:
    on = bench(required=False)
    assert (await post(on, None, None)).status == 200
    assert (await post(on, b"")).status == 200
    assert (await post(on, b"0\r\n\r\n", Transfer_Encoding="chunked")).status == 200
    assert [request.body for request in on.upstream.requests] == [b"", b"", b""]


async def test_a_required_body_may_not_be_empty_chunks() -> None:
    reply = await post(bench(), b"0\r\n\r\n", Transfer_Encoding="chunked")
    assert reply.parts == [("body", "", "is required")]


async def test_an_operation_without_body_takes_none() -> None:
    async with serving(bench().edge) as client:
        assert (await client.request("GET", "/api/v1/things", b"")).status == 200
        assert (await client.request("GET", "/api/v1/things", b"x")).status == 400
        chunked = {"Transfer-Encoding": "chunked"}
        assert (await client.request("GET", "/api/v1/things", b"1\r\nx\r\n0\r\n\r\n", chunked)).status == 400


async def test_validation_may_only_look_on_or_be_off(caplog: pytest.LogCaptureFixture) -> None:
    assert (await post(bench(validate="log"), b'{"text": 7}')).json["body"] == '{"text": 7}'
    assert "body /text: must be a string" in caplog.text
    assert (await post(bench(validate="off"), b"no JSON", "text/plain")).json["body"] == "no JSON"
    assert (await post(bench(validate="off"), b" " * 201)).status == 413


# -- messages


def kind(name: str, member: str, schema: Any) -> Any:
    properties = {"kind": {"const": name}, member: schema}
    return {"type": "object", "required": ["kind", member], "properties": properties}


KINDS = {"oneOf": [kind("a", "n", {"type": "integer"}), kind("b", "t", {"type": "string"})]}


def complaints(schema: Any, value: Any) -> list[tuple[str, str]]:
    validator = Schemas({"s": schema}).validator("/s")
    assert not validator.is_valid(value)
    return [(error.name, error.detail) for error in body_errors(validator.iter_errors(value))]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (KINDS, {"kind": "a"}, [("/n", "is required")]),
        (KINDS, {"kind": "b", "t": 1}, [("/t", "must be a string")]),
        (KINDS, {"kind": "c", "n": 1, "t": ""}, [("/kind", 'must be one of "a", "b"')]),
        (KINDS, 7, [("", "must be an object")]),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, [], [("", "must be a string or an integer")]),
        ({"enum": ["a", 1, None]}, 2, [("", 'must be one of "a", 1, null')]),
        ({"const": "a"}, 2, [("", 'must be "a"')]),
        ({"minimum": 1}, 0, [("", "must be at least 1")]),
        ({"maximum": 1}, 2, [("", "must be at most 1")]),
        ({"exclusiveMinimum": 1}, 1, [("", "must be more than 1")]),
        ({"exclusiveMaximum": 1}, 1, [("", "must be less than 1")]),
        ({"multipleOf": 3}, 1, [("", "must be a multiple of 3")]),
        ({"minLength": 2}, "a", [("", "must have at least 2 characters")]),
        ({"format": "uuid"}, "a", [("", "must have the format uuid")]),
        ({"pattern": "^b"}, "a", [("", "must match the pattern ^b")]),
        ({"minItems": 1}, [], [("", "must have at least 1 items")]),
        ({"maxItems": 1}, [1, 2], [("", "may have at most 1 items")]),
        ({"uniqueItems": True}, [1, 1], [("", "must not hold the same item twice")]),
        ({"minProperties": 1}, {}, [("", "must have at least 1 members")]),
        ({"maxProperties": 0}, {"a": 1}, [("", "may have at most 0 members")]),
        ({"properties": {"a/~b": False}}, {"a/~b": 1}, [("/a~1~0b", "is not allowed here")]),
        ({"unevaluatedProperties": False}, {"a": 1}, [("/a", "is not known here")]),
        ({"not": {}}, 1, [("", "does not satisfy not")]),
        ({"items": {"type": "null"}}, [1, None, 2], [("/0", "must be null"), ("/2", "must be null")]),
    ],
)
def test_messages(schema: Any, value: Any, expected: list[tuple[str, str]]) -> None:
    assert complaints(schema, value) == expected


def test_there_is_an_end_to_errors() -> None:
    assert len(complaints({"items": {"type": "string"}}, list(range(1_000)))) == 32


def test_a_schema_that_cannot_be_compiled_is_named() -> None:
    with pytest.raises(ValueError, match="/s cannot be compiled"):
        Schemas({"s": {"$ref": "#/nowhere"}}).validator("/s")
    with pytest.raises(ValueError, match="nothing at /t"):
        Schemas({}).at("/t/0")


NAMES = st.text().filter(lambda name: name not in ("__proto__", "constructor"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@settings(deadline=None)  # the machine may be busy
@given(value=VALUES)
def test_proper_json_is_read_as_it_is(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@settings(deadline=None)  # the machine may be busy
@given(body=st.binary(max_size=40))
def test_anything_else_is_refused_and_never_crashes(body: bytes) -> None:
    try:
        value = parse_json(body)
    except ProblemError:
        return
    assert json.loads(body) == value


@pytest.mark.parametrize("depth", [1, MAX_DEPTH, MAX_DEPTH + 1, 1_000, 100_000])
def test_the_depth_is_limited(depth: int) -> None:
    body = b"[" * depth + b"]" * depth
    if depth <= MAX_DEPTH:
        assert parse_json(body) is not None
    else:
        with pytest.raises(ProblemError, match=r"deep|depth"):
            parse_json(body)


def test_many_brackets_are_not_depth() -> None:
    assert len(parse_json(b"[" + b"[]," * 1_000 + b"[]]")) == 1_001
    assert parse_json(json.dumps("[" * 1_000).encode()) == "[" * 1_000


def test_members_of_a_part_that_does_not_hold_are_not_called_unknown() -> None:
    base = {"required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {}}}
    schema = {"allOf": [base], "unevaluatedProperties": False}
    assert complaints(schema, {"a": "x"}) == [("/b", "is required")]
    assert complaints(schema, {"a": "x", "b": 1, "c": 2}) == [("/c", "is not known here")]
