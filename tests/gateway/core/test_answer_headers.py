"""What becomes of an answer whose header fields are not as the document says, over a real socket."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from dhatu_gateway.core.types import Answer, MediaType, Parameter
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.core.validation.answer_headers import build_answer_headers
from dhatu_gateway.core.validation.schemas import Schemas
from gateway.support import Bench, Reply, compose, make_route, serving, validate

DOCUMENT: dict[str, Any] = {
    "count": {"type": "integer", "minimum": 0},
    "text": {"type": "string", "description": "Anything."},
    "link": {"type": "string", "format": "uri-reference"},
    "names": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}},
    "facts": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
    "thing": {"type": "object", "required": ["id"]},
}
JSON = MediaType(media_type="application/json", schema="/thing", kind="json", parts=())


def field(name: str, schema: str, *, required: bool = False, content_type: str = "") -> Parameter:
    return Parameter(
        name=name,
        location="header",
        required=required,
        style="simple",
        explode=False,
        content_type=content_type,
        schema=schema,
    )


ANSWERS = (
    Answer(
        status="200",
        media_types=(JSON,),
        headers=(
            field("Location", "/link", required=True),
            field("X-Count", "/count"),
            field("X-Names", "/names"),
            field("X-Facts", "/facts", content_type="application/json"),
            field("RateLimit", "/count", required=True),
            field("Content-Type", "/count", required=True),
            field("Access-Control-Max-Age", "/count", required=True),
        ),
    ),
    Answer(status="204", media_types=(), headers=(field("ETag", "/text", required=True),)),
    Answer(status="4XX", media_types=(JSON,), headers=(field("Retry-After", "/count", required=True),)),
)
GOOD = {"Location": "/jobs/1"}


def bench(mode: Any = "log") -> Bench:
    what = validate(response=mode)
    return compose(
        *(make_route(method, answers=ANSWERS, validate=what) for method in ("GET", "HEAD")), document=DOCUMENT
    )


async def get(
    on: Bench, fields: dict[str, str], status: int = 200, body: bytes = b'{"id": 1}', method: str = "GET"
) -> Reply:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields.items()]

    async def answer(request: UpstreamRequest, sent: bytes, sink: ResponseSink) -> None:
        content = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        sink.start(status, [*headers, *(content if status not in (204, 304) else [])])
        await sink.body(body if method == "GET" and status not in (204, 304) else b"", False)

    on.upstream.answer = answer
    async with serving(on.edge) as client, client.connect() as wire:
        await wire.write(f"{method} /api/v1/things HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        return await wire.reply(to_head=method == "HEAD" or status == 304)


@pytest.mark.parametrize("mode", ["off", "log", "enforce"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"X-Count": "3"},
        {"X-Names": "a,b"},
        {"X-Facts": '{"id": 1}'},
        {"X-Unknown": "\xff"},
        {"RateLimit": "no number; but the gateway's own to say"},
        {"Access-Control-Max-Age": "likewise"},
    ],
)
async def test_good_fields_are_passed_on(mode: str, more: dict[str, str]) -> None:
    on = bench(mode)
    reply = await get(on, GOOD | more)
    assert (reply.status, reply.body) == (200, b'{"id": 1}')
    assert on.counts.findings == []


BAD = [
    ({}, 200, "header Location: is required"),
    (GOOD | {"X-Count": "-1"}, 200, "header X-Count: must be at least 0"),
    (GOOD | {"X-Count": "many"}, 200, "header X-Count: must be an integer"),
    (GOOD | {"X-Names": "a,B"}, 200, "header X-Names"),
    (GOOD | {"X-Facts": "{}"}, 200, "header X-Facts"),
    (GOOD | {"X-Facts": "{"}, 200, "header X-Facts: is not JSON"),
    ({}, 429, "header Retry-After: is required"),
    ({"Retry-After": "soon"}, 429, "header Retry-After: must be an integer"),
    ({}, 204, "header ETag: is required"),
]


@pytest.mark.parametrize(("fields", "status", "told"), BAD)
async def test_a_bad_field_is_logged(
    fields: dict[str, str], status: int, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    on = bench("log")
    with caplog.at_level(logging.WARNING, "dhatu.validation"):
        reply = await get(on, fields, status)
    assert reply.status == status
    assert on.counts.findings == [("answer", "logged")]
    assert told in caplog.text
    assert f"answer {status} is not as described" in caplog.text


@pytest.mark.parametrize(("fields", "status", "told"), BAD)
async def test_a_bad_field_is_held_back(fields: dict[str, str], status: int, told: str) -> None:
    on = bench("enforce")
    reply = await get(on, fields, status)
    assert (reply.status, reply.json["type"].rpartition("/")[2]) == (502, "answer-refused")
    assert on.counts.findings == [("answer", "refused")]
    assert "location" not in reply.headers


async def test_fields_and_body_are_told_together(caplog: pytest.LogCaptureFixture) -> None:
    on = bench("log")
    await get(on, {}, body=b"[]")
    assert on.counts.findings == [("answer", "logged")]
    assert "header Location: is required; body : must be an object" in caplog.text


async def test_an_answer_to_head_has_the_fields_too() -> None:
    on = bench("enforce")
    assert (await get(on, GOOD, method="HEAD")).status == 200
    assert (await get(on, {}, method="HEAD")).status == 502


async def test_not_modified_needs_no_description() -> None:
    on = bench("enforce")
    assert (await get(on, {}, 304)).status == 304


async def test_a_repeated_field_is_one_value() -> None:
    look = build_answer_headers(ANSWERS, Schemas(DOCUMENT))
    assert look is not None
    twice = [(b"location", b"/a"), (b"x-names", b"a"), (b"x-names", b"b")]
    assert look(200, twice) == []
    assert [error.name for error in look(200, [*twice, (b"x-count", b"1"), (b"x-count", b"2")])] == [
        "X-Count"
    ]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (field("X-Text", "/text"),),
        (field("X-Any", ""),),
        (field("RateLimit", "/count", required=True),),
    ],
)
def test_a_route_whose_fields_may_be_anything_costs_nothing(headers: tuple[Parameter, ...]) -> None:
    answers = (Answer(status="200", media_types=(JSON,), headers=headers),)
    assert build_answer_headers(answers, Schemas(DOCUMENT)) is None


def test_cookies_are_asked_for_but_not_joined() -> None:
    cookies = field("Set-Cookie", "/count", required=True)
    look = build_answer_headers(
        (Answer(status="200", media_types=(), headers=(cookies,)),), Schemas(DOCUMENT)
    )
    assert look is not None
    assert look(200, [(b"set-cookie", b"a=1, b"), (b"set-cookie", b"b=2")]) == []
    assert [error.detail for error in look(200, [])] == ["is required"]
