"""multipart/form-data, checked while it streams, over a real socket."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.core.types import Body, MediaType, Parameter, Part
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.core.validation.multipart import MAX_FIELDS_BYTES, MAX_PARTS
from gateway.support import Bench, Reply, compose, echo, make_route, serving, validate

DOCUMENT: dict[str, Any] = {
    "upload": {
        "type": "object",
        "additionalProperties": False,
        "required": ["file", "title"],
        "properties": {
            "file": {"type": "string", "contentMediaType": "application/octet-stream", "minLength": 1},
            "title": {"type": "string", "maxLength": 5},
            "count": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "meta": {"type": "object", "required": ["a"]},
            "picture": {"type": "string"},
        },
    },
    "n": {"type": "integer"},
}
PARTS = {
    "file": "application/octet-stream",
    "title": "text/plain",
    "count": "text/plain",
    "tags": "text/plain",
    "meta": "application/json",
    "picture": "image/png, image/jpeg",
}
MEDIA = MediaType(
    media_type="multipart/form-data",
    schema="/upload",
    kind="multipart",
    parts=tuple(Part(name=n, content_type=c, style="", explode=False) for n, c in PARTS.items()),
)
QUERY = Parameter(
    name="n", location="query", required=False, style="form", explode=True, content_type="", schema="/n"
)
FILE = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
TITLE = 'Content-Disposition: form-data; name="title"\r\n\r\nshort'


def field(name: str, value: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n{more}\r\n{value}'


def multipart(*parts: str, boundary: str = "b") -> bytes:
    return ("".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n").encode()


def bench(mode: str = "enforce") -> Bench:
    body = Body(required=True, media_types=(MEDIA,))
    route = make_route(
        "POST", body=body, parameters=(QUERY,), max_body_bytes=4_000_000, validate=validate(body=mode)
    )
    return compose(route, document=DOCUMENT)


async def post(
    on: Bench,
    body: bytes,
    media_type: str = "multipart/form-data; boundary=b",
    query: str = "",
    **fields: str,
) -> Reply:
    async with serving(on.edge) as client:
        headers = {"Content-Type": media_type} | fields
        return await client.request("POST", f"/api/v1/things{query}", body, headers)


GOOD = multipart(FILE + "content", TITLE)


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        multipart(TITLE, FILE + "content\r\n--c\r\n--\r\n"),
        multipart(FILE, TITLE, field("count", "7"), field("tags", "x"), field("tags", "y")),
        multipart(FILE, TITLE, field("meta", '{"a": 1}', "Content-Type: application/json\r\n")),
        multipart(FILE, TITLE, field("meta", '{"a": 1}')),
        multipart(FILE, TITLE, field("picture", "x", "Content-Type: image/png\r\n")),
        multipart(FILE, field("title", "ṛṣi", "Content-Type: text/plain; charset=UTF-8\r\n")),
        multipart(FILE + "x" * 3_000_000, TITLE),
    ],
)
async def test_a_good_body_reaches_the_service_byte_for_byte(body: bytes) -> None:
    assert (await post(bench(), body)).json["body"].encode() == body


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (multipart(), [("/file", "is required"), ("/title", "is required")]),
        (multipart(FILE, field("title", "too long")), [("/title", "at most 5")]),
        (multipart(FILE, TITLE, TITLE), [("/title", "more than once")]),
        (multipart(FILE, TITLE, field("count", "x")), [("/count", "an integer")]),
        (multipart(FILE, TITLE, field("colour", "x")), [("/colour", "is not known here")]),
        (multipart(FILE, TITLE, field("__proto__", "x")), [("/__proto__", "is not known here")]),
        (multipart(FILE, TITLE, *[field("tags", "x")] * 3), [("/tags", "at most 2")]),
        (multipart(FILE, TITLE, field("meta", "{}")), [("/meta/a", "is required")]),
        (multipart(FILE, TITLE, field("meta", '{"a": 1, "a": 2}')), [("/meta/a", "more than once")]),
        (multipart(FILE, TITLE, field("meta", "{")), [("/meta", "is not JSON")]),
        (
            multipart(FILE, TITLE, field("picture", "x", "Content-Type: text/html\r\n")),
            [("/picture", "image/jpeg or image/png")],
        ),
        (
            multipart(FILE, field("title", "a", "Content-Type: text/plain; charset=utf-7\r\n")),
            [("/title", "UTF-8")],
        ),
        (
            multipart(field("title", "too long"), field("count", "x"), field("q", "")),
            [("/count", "integer"), ("/file", "required"), ("/q", "not known"), ("/title", "at most 5")],
        ),
    ],
)
async def test_a_bad_body_is_told_what_and_where(body: bytes, parts: list[tuple[str, str]]) -> None:
    reply = await post(bench(), body)
    assert reply.status == 400
    found = sorted((name, detail) for _, name, detail in reply.parts)
    assert [name for name, _ in found] == [name for name, _ in parts]
    assert all(said in detail for (_, detail), (_, said) in zip(found, parts, strict=True))


async def test_bad_parameters_and_fields_come_together_and_the_service_hears_nothing() -> None:
    on = bench()
    reply = await post(on, multipart(FILE, field("title", "too long")), query="?n=x")
    assert [(location, name) for location, name, _ in reply.parts] == [("query", "n"), ("body", "/title")]
    assert on.upstream.requests == []


async def test_the_service_never_has_a_whole_body_that_is_refused() -> None:
    on = bench()
    seen: list[bytes] = []

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        seen.append(body)
        await echo(request, body, sink)

    on.upstream.answer = answer
    body = multipart(FILE + "x" * 200_000, field("title", "too long"))
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert (await post(on, chunks, **{"Transfer-Encoding": "chunked"})).status == 400
    assert seen == []


@pytest.mark.parametrize("media_type", ["multipart/form-data", 'multipart/form-data; boundary=""'])
async def test_a_boundary_is_needed(media_type: str) -> None:
    assert (await post(bench(), GOOD, media_type)).status == 415


async def test_there_are_limits() -> None:
    reply = await post(bench(), multipart(FILE, TITLE, *[field("tags", "")] * MAX_PARTS))
    assert f"more than {MAX_PARTS} parts" in reply.parts[0][2]
    large = multipart(FILE, field("title", "x" * (MAX_FIELDS_BYTES + 1)))
    assert (await post(bench(), large)).status == 413


async def test_validation_may_only_look_on_or_be_off(caplog: pytest.LogCaptureFixture) -> None:
    on = bench("log")
    bad = multipart(FILE, field("title", "too long"))
    assert (await post(on, bad)).json["body"].encode() == bad
    assert on.counts.findings == [("request", "logged")]
    assert "body /title: may have at most 5 characters" in caplog.text
    assert (await post(bench("log"), b"nothing")).json["body"] == "nothing"
    assert (await post(bench("off"), b"nothing")).json["body"] == "nothing"
