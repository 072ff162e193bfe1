"""Requests as a whole: errors of all parts in one answer, and a mode for each part."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.core.types import Body, MediaType, Parameter
from dhatu_gateway.core.validation.media_types import parse_content_type
from gateway.support import Bench, Reply, compose, make_route, serving, validate

DOCUMENT: dict[str, Any] = {
    "integer": {"type": "integer"},
    "body": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
}
MEDIA = (
    MediaType(media_type="application/json", schema="/body", kind="json", parts=()),
    MediaType(media_type="application/octet-stream", schema="", kind="stream", parts=()),
)


def parameter(name: str, location: Any) -> Parameter:
    style = "form" if location in ("query", "cookie") else "simple"
    return Parameter(
        name=name,
        location=location,
        required=location == "path",
        style=style,
        explode=style == "form",
        content_type="",
        schema="/integer",
    )


PARAMETERS = (
    parameter("id", "path"),
    parameter("q", "query"),
    parameter("X-H", "header"),
    parameter("c", "cookie"),
)
PLACES = {
    "path": ("path", "id"),
    "query": ("query", "q"),
    "headers": ("header", "X-H"),
    "cookies": ("cookie", "c"),
    "body": ("body", "/a"),
}


def bench(mode: Any = "enforce", **parts: Any) -> Bench:
    body = Body(required=True, media_types=MEDIA)
    path = "/api/v1/things/{id}"
    route = make_route("POST", path, parameters=PARAMETERS, body=body, validate=validate(mode, **parts))
    return compose(route, document=DOCUMENT)


async def send(
    on: Bench, body: bytes = b'{"a": 1}', media_type: str = "application/json", query: str = "q=x"
) -> Reply:
    fields = {"Content-Type": media_type, "X-H": "x", "Cookie": "c=x"}
    async with serving(on.edge) as client:
        return await client.request("POST", f"/api/v1/things/x?{query}", body, fields)


async def test_parameters_and_body_are_refused_in_one_answer() -> None:
    reply = await send(bench())
    assert reply.status == 400
    assert sorted((location, name) for location, name, _ in reply.parts) == sorted(PLACES.values())
    assert reply.json["detail"] == "5 parts of the request were refused; see errors."


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": "x", "a": "y"}'])
async def test_a_body_that_cannot_be_read_does_not_hide_the_parameters(body: bytes) -> None:
    reply = await send(bench(), body)
    assert [location for location, _, _ in reply.parts].count("body") == 1
    assert len(reply.parts) == 5


async def test_bad_parameters_stop_a_body_that_would_be_streamed() -> None:
    on = bench()
    reply = await send(on, b"abc", "application/octet-stream")
    assert len(reply.parts) == 4
    assert on.upstream.requests == []


@pytest.mark.parametrize("mode", ["log", "off"])
@pytest.mark.parametrize("part", list(PLACES))
async def test_each_part_has_a_mode_of_its_own(
    part: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = await send(bench(**{part: mode}))
    others = [place for other, place in PLACES.items() if other != part]
    assert sorted((location, name) for location, name, _ in reply.parts) == sorted(others)
    location, name = PLACES[part]
    assert (f"{location} {name}: must be" in caplog.text) == (mode == "log")


@pytest.mark.parametrize("mode", ["log", "off"])
async def test_nothing_is_refused_where_nothing_is_enforced(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await send(bench(mode))).json["body"] == '{"a": 1}'
    assert (await send(bench(mode), b"abc", "text/plain", "%ff=1")).json["body"] == "abc"
    assert ("would be refused" in caplog.text) == (mode == "log")


async def test_names_cannot_write_lines_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await send(bench("log"), query="a%0d%0aERROR=1")
    assert "\\r\\nERROR" in caplog.text
    assert "\nERROR" not in caplog.text


@pytest.mark.parametrize("mode", ["enforce", "log", "off"])
async def test_a_body_where_none_is_described(mode: Any, caplog: pytest.LogCaptureFixture) -> None:
    on = compose(make_route("DELETE", validate=validate(body=mode)))
    async with serving(on.edge) as client:
        reply = await client.request("DELETE", "/api/v1/things", b"x")
    if mode == "enforce":
        assert reply.parts == [("body", "", "is not taken by this operation; send none")]
    else:
        assert reply.json["body"] == "x"
    assert ("send none" in caplog.text) == (mode == "log")


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("application/json;charset=utf-8", 200),
        ('application/json; charset="UTF-8"', 200),
        ('application/json; charset="ut\\f-8"', 200),
        ('application/json; profile="a;charset=utf-16,b"', 200),
        ("application/json;", 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=utf-8; charset=utf-16", 415),
        ("application/json; CHARSET=UTF-7", 415),
        ("application/json, text/plain", 415),
        ("application/json; a=b, text/plain", 415),
        ("application/json; charset", 415),
        ("application/json; charset = utf-8", 415),
        ("application/json charset=utf-8", 415),
        ("application /json", 415),
        ("application/json/x", 415),
        ("*/*", 415),
        ("application/*", 415),
        ("applicatio\xf1/json", 415),
    ],
)
async def test_content_types_are_read_in_one_way_only(field: str, status: int) -> None:
    on = bench(path="off", query="off", headers="off", cookies="off")
    assert (await send(on, b'{"a": "x"}', field)).status == status


def test_parameters_of_a_content_type_are_unquoted() -> None:
    found = parse_content_type(b'Multipart/Form-Data; Boundary="a\\"; b"; x=Y')
    assert (found.name, found.parameters) == ("multipart/form-data", {"boundary": 'a"; b', "x": "Y"})
