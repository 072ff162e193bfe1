"""Bodies written as a form, over a real socket."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.core.types import Body, MediaType, Part
from dhatu_gateway.core.validation.forms import MAX_FIELDS
from gateway.support import Bench, Reply, compose, make_route, serving

DOCUMENT: dict[str, Any] = {
    "order": {
        "allOf": [{"$ref": "#/base"}],
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "sizes": {"type": "array", "items": {"type": "integer"}},
            "place": {"type": "object", "properties": {"x": {"type": "integer"}}},
            "filter": {"type": "object", "properties": {"n": {"type": "integer"}}},
        },
        "unevaluatedProperties": False,
    },
    "base": {"required": ["name"], "properties": {"name": {"type": "string", "maxLength": 5}}},
}
FORM = MediaType(
    media_type="application/x-www-form-urlencoded",
    schema="/order",
    kind="form",
    parts=(
        Part(name="sizes", content_type="", style="pipeDelimited", explode=False),
        Part(name="filter", content_type="", style="deepObject", explode=True),
    ),
)


def bench() -> Bench:
    body = Body(required=True, media_types=(FORM,))
    return compose(make_route("POST", body=body, max_body_bytes=20_000), document=DOCUMENT)


async def post(body: str, media_type: str = "application/x-www-form-urlencoded") -> Reply:
    async with serving(bench().edge) as client:
        return await client.request(
            "POST", "/api/v1/things", body.encode("latin-1"), {"Content-Type": media_type}
        )


@pytest.mark.parametrize(
    "body",
    [
        "name=a",
        "name=%E1%B9%9B&count=3",
        "name=a+b&tags=x&tags=y",
        "name=a&sizes=1|2|3",
        "name=a&place=%7B%22x%22%3A1%7D",
        "name=a&filter[n]=1",
        "name=&",
    ],
)
async def test_a_good_form_reaches_the_service_byte_for_byte(body: str) -> None:
    assert (await post(body)).json["body"] == body


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("count=3", [("/name", "is required")]),
        ("name=a&count=0", [("/count", "must be at least 1")]),
        ("name=a&count=x", [("/count", "must be an integer")]),
        ("name=a&name=b", [("/name", "is sent more than once")]),
        ("name=a&colour=1", [("/colour", "is not known here")]),
        ("name=a&tags=x&tags=y&tags=z", [("/tags", "may have at most 2 items")]),
        ("name=a&sizes=1|x", [("/sizes/1", "must be an integer")]),
        ("name=a&place=%7B", [("/place", "is not JSON")]),
        ("name=a&place=%7B%22x%22%3A1,%22x%22%3A1%7D", [("/place", "more than once")]),
        ("name=a&filter[n]=x", [("/filter/n", "must be an integer")]),
        ("name=a&filter[__proto__]=x", [("/filter", "a name that none may have")]),
        ("name=abcdef&count=x", [("/name", "5"), ("/count", "integer")]),
        ("name=%ff", [("/name", "is not UTF-8")]),
        ("%ff=1", [("", "not UTF-8")]),
        ("name=\xe9", [("", "percent-encoded")]),
        ('{"name": "a"}', [("/name", "is required")]),
        ("name=a&" * (MAX_FIELDS + 1), [("", "may have 1000")]),
    ],
)
async def test_a_bad_form_is_told_what_and_where(body: str, parts: list[tuple[str, str]]) -> None:
    reply = await post(body)
    assert reply.status == 400
    found = sorted((name, detail) for location, name, detail in reply.parts if location == "body")
    assert [name for name, _ in found] == sorted(name for name, _ in parts)
    assert all(expected in detail for (_, detail), (_, expected) in zip(found, sorted(parts), strict=True))


async def test_a_form_in_another_charset_is_refused() -> None:
    assert (await post("name=a", "application/x-www-form-urlencoded; charset=utf-7")).status == 415
    assert (await post("name=a", "application/x-www-form-urlencoded; charset=UTF-8")).status == 200
