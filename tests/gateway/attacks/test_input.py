"""Input as a weapon: bodies and parameters that cost too much, or mean two things, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from typing import Any

import pytest
from dhatu_gateway.core.types import Body, MediaType, Parameter, Part
from gateway.support import Bench, Reply, compose, make_route, serving

PATTERN = {"type": "string", "pattern": "^(a+)+$"}
DOCUMENT: dict[str, Any] = {
    "pattern": PATTERN,
    "tree": {
        "type": "object",
        "properties": {"t": {"$ref": "#/tree"}, "s": {"type": "string", "format": "email"}},
    },
    "note": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"text": PATTERN, "n": {"type": "number"}},
    },
    "open": {"type": "object"},
    "upload": {
        "type": "object",
        "additionalProperties": False,
        "required": ["file"],
        "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
    },
}
LIMIT = 1_000_000


def media(kind: Any, name: str, schema: str, *parts: Part) -> MediaType:
    return MediaType(media_type=name, schema=schema, kind=kind, parts=parts)


NOTE = media("json", "application/json", "/note")
TREE = media("json", "application/vnd.tree+json", "/tree")
OPEN = media("json", "application/vnd.open+json", "/open")
FORM = media("form", "application/x-www-form-urlencoded", "/note")
FILE = Part(name="file", content_type="application/octet-stream", style="", explode=False)
UPLOAD = media("multipart", "multipart/form-data", "/upload", FILE)
BYTES = media("stream", "application/octet-stream", "")
QUERY = Parameter(
    name="q", location="query", required=False, style="form", explode=True, content_type="", schema="/pattern"
)
DEEP = Parameter(
    name="d",
    location="query",
    required=False,
    style="deepObject",
    explode=True,
    content_type="",
    schema="/open",
)
WRITTEN = Parameter(
    name="j",
    location="query",
    required=False,
    style="form",
    explode=False,
    content_type="application/json",
    schema="/open",
)


def bench() -> Bench:
    body = Body(required=True, media_types=(NOTE, TREE, OPEN, FORM, UPLOAD, BYTES))
    parameters = (QUERY, DEEP, WRITTEN)
    return compose(
        make_route("POST", body=body, parameters=parameters, max_body_bytes=LIMIT),
        make_route("GET", parameters=parameters),
        make_route("DELETE"),
        document=DOCUMENT,
    )


async def attack(
    body: bytes | None,
    media_type: str = "application/json",
    query: str = "",
    method: str = "POST",
    **fields: str,
) -> Reply:
    """Send a request that must not reach the service; the gateway must answer, and be well afterwards."""
    on = bench()
    headers = {"Content-Type": media_type} if body is not None else {}
    headers |= {name.replace("_", "-"): value for name, value in fields.items()}
    async with serving(on.edge) as client:
        started_s = time.monotonic()
        async with asyncio.timeout(30):
            reply = await client.request(method, f"/api/v1/things{query}", body, headers)
        assert time.monotonic() - started_s < 10, "an attack must not cost more than it weighs"
        assert (await client.request("GET", "/api/v1/things")).status == 200
    assert [request.method for request in on.upstream.requests] == [b"GET"]
    assert reply.json["status"] == reply.status
    return reply


# -- decompression bombs


BOMB = b"\0" * 100_000_000


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(BOMB)), ("deflate", zlib.compress(BOMB))],
    ids=["gzip", "deflate"],
)
async def test_a_decompression_bomb(coding: str, packed: bytes, media_type: str) -> None:
    assert len(packed) < 200_000
    assert (await attack(packed, media_type, Content_Encoding=coding)).status == 413


async def test_a_decompression_bomb_for_a_service_that_streams() -> None:
    on = bench()
    fields = {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"}
    async with serving(on.edge) as client:
        reply = await client.request("POST", "/api/v1/things", gzip.compress(BOMB), fields)
    assert reply.status == 413


async def test_a_bomb_inside_a_bomb() -> None:
    inner = gzip.compress(BOMB)
    assert (await attack(gzip.compress(inner), Content_Encoding="gzip, gzip")).status == 415
    assert (await attack(gzip.compress(inner), Content_Encoding="gzip")).status == 400


async def test_a_bomb_of_empty_members() -> None:
    assert (await attack(gzip.compress(b"", mtime=0) * 20_000, Content_Encoding="gzip")).status == 400


# -- JSON


@pytest.mark.parametrize("opening", [b"[", b'{"t":', b'[{"t":['])
@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.tree+json"])
async def test_deep_json(opening: bytes, depth: int, media_type: str) -> None:
    body = (opening * depth)[:LIMIT]
    closing = {b"[": b"]", b'{"t":': b"}", b'[{"t":[': b"]}]"}[opening]
    whole = opening * depth + (b"1" if opening != b"[" else b"") + closing * depth
    for sent in (body, whole[:LIMIT]):
        reply = await attack(sent, media_type)
        assert reply.parts[0][0] == "body"


async def test_deep_json_in_a_parameter() -> None:
    reply = await attack(None, query="?j=" + "[" * 2_000 + "]" * 2_000, method="POST")
    assert ("query", "j") in {(location, name) for location, name, _ in reply.parts}


@pytest.mark.parametrize(
    "number",
    [
        "1" * 500_000,
        "-" + "9" * 20,
        "1e999999999",
        "1" + "0" * 400,
        "0." + "3" * 100_000,
        "18446744073709551616",
    ],
    ids=["long", "below-64-bits", "exponent", "beyond-floats", "fraction", "above-64-bits"],
)
async def test_huge_numbers(number: str) -> None:
    reply = await attack(f'{{"n": {number}}}'.encode())
    assert (reply.status, number[:12] in reply.body.decode()) == (400, False)


@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.open+json"])
async def test_duplicate_keys(media_type: str) -> None:
    reply = await attack(b'{"text": "a", "\\u0074ext": "b"}', media_type)
    assert reply.parts == [("body", "/text", "is there more than once")]


async def test_keys_made_to_collide_or_to_be_many() -> None:
    many = b"{" + b",".join(b'"k%d":0' % number for number in range(80_000)) + b"}"
    reply = await attack(many)
    assert (reply.status, len(reply.parts)) == (400, 32)


@pytest.mark.parametrize(
    "body",
    [
        b'{"__proto__": {"admin": true}}',
        b'{"a": [{"\\u005f\\u005fproto__": 1}]}',
        b'{"constructor": {"prototype": {}}}',
    ],
)
async def test_prototype_pollution_by_a_body(body: bytes) -> None:
    assert "no member may have" in (await attack(body, "application/vnd.open+json")).parts[0][2]


@pytest.mark.parametrize(
    "query", ["?d[__proto__]=1", "?d%5B__proto__%5D=1", "?j=%7B%22__proto__%22:1%7D", "?__proto__=1"]
)
async def test_prototype_pollution_by_a_query(query: str) -> None:
    reply = await attack(b"{}", "application/vnd.open+json", query)
    assert [location for location, _, _ in reply.parts] == ["query"]


# -- regular expressions


EVIL = "a" * 50_000 + "!"


async def test_redos_by_a_body() -> None:
    reply = await attack(f'{{"text": "{EVIL}"}}'.encode())
    assert reply.parts == [("body", "/text", "must match the pattern ^(a+)+$")]


async def test_redos_by_a_query() -> None:
    reply = await attack(b"{}", query=f"?q={EVIL[-7_000:]}")
    assert reply.parts == [("query", "q", "must match the pattern ^(a+)+$")]


async def test_redos_by_a_form_and_a_format() -> None:
    assert (await attack(f"text={EVIL}".encode(), "application/x-www-form-urlencoded")).status == 400
    address = "a@" + "a." * 100_000 + "!"
    reply = await attack(f'{{"s": "{address}"}}'.encode(), "application/vnd.tree+json")
    assert reply.parts == [("body", "/s", "must have the format email")]


@pytest.mark.parametrize(
    "media_type",
    [
        "multipart/form-data; boundary=" + "=" * 8_000,
        "application/json" + "; a=b" * 2_000,
        'application/json; a="' + "\\\\" * 4_000,
    ],
    ids=["boundary", "parameters", "quotes"],
)
async def test_redos_by_a_content_type(media_type: str) -> None:
    assert (await attack(b"{}", media_type)).status == 415


# -- multipart


START = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--b--",
        START,
        START + b"\r\n--b",
        START + b"\r\n--b-",
        START + b"\n--b--\r\n",
        START + b"\r\n--c--\r\n",
        b"preamble\r\n" + START + b"\r\n--b--\r\n",
        START + b"\r\n--b--\r\nepilogue",
        START + b"\r\n--b--\r\n" + START + b"\r\n--b--\r\n",
        b"--b\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: attachment; name="file"\r\n\r\nx\r\n--b--\r\n',
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; name="other"\r\n\r\nx\r\n--b--\r\n',
        b"--b\r\nContent-Disposition: form-data; name*=utf-8''file\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n--b--\r\n',
        START[:-5] + b'\r\nContent-Disposition: form-data; name="q"\r\n\r\nx\r\n--b--\r\n',
        START[:-5] + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n" + b"X: y\r\n" * 20 + START[5:] + b"\r\n--b--\r\n",
        b"--b\r\nX: " + b"y" * 10_000 + b"\r\n" + START[5:] + b"\r\n--b--\r\n",
        START.replace(b"file", b"f" * 5_000) + b"\r\n--b--\r\n",
        (START + b"\r\n") * 300 + b"--b--\r\n",
    ],
)
async def test_wrong_multipart(body: bytes) -> None:
    on = bench()
    whole: list[bytes] = []
    answer = on.upstream.answer

    async def note(request: Any, sent: bytes, sink: Any) -> None:
        whole.append(sent)
        await answer(request, sent, sink)

    on.upstream.answer = note
    async with serving(on.edge) as client:
        fields = {"Content-Type": "multipart/form-data; boundary=b"}
        reply = await client.request("POST", "/api/v1/things", body, fields)
    assert (reply.status, reply.json["title"]) == (400, "Invalid request")
    assert whole == []


# -- charsets, content types and bodies where there should be none


@pytest.mark.parametrize(
    "body",
    [
        '{"text": "a"}'.encode("utf-16"),
        '{"text": "a"}'.encode("utf-32"),
        b'\xef\xbb\xbf{"text": "a"}',
        b'{"text": "\xc0\xae"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"text": "\\ud800"}',
        b'{"text": "a"}\x00',
        b'\x00{"text": "a"}',
        b'{"text": "a"} {"text": "b"}',
        b"+ADw-script+AD4-",
    ],
)
async def test_charset_tricks_in_a_body(body: bytes) -> None:
    assert "is not JSON" in (await attack(body)).parts[0][2]


@pytest.mark.parametrize(
    "charset", ["utf-7", "utf-16", "iso-8859-1", '"utf-8 "', "utf-8\xa0", "ibm037", "''"]
)
async def test_charset_tricks_in_a_content_type(charset: str) -> None:
    assert (await attack(b"{}", f"application/json; charset={charset}")).status == 415


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/json",
        "application/json, text/html",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json;a=b, text/html",
        "application/json\x00",
        "application/json/",
        " ",
    ],
)
async def test_a_content_type_with_two_readings(media_type: str) -> None:
    assert (await attack(b"{}", media_type)).status in (400, 415)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "fields", [{}, {"Content_Type": "application/json"}, {"Transfer_Encoding": "chunked"}]
)
async def test_a_body_where_none_is_allowed(method: str, fields: dict[str, str]) -> None:
    body = b"1\r\nx\r\n0\r\n\r\n" if "Transfer_Encoding" in fields else b"x"
    reply = await attack(body, "text/plain", method=method, **fields)
    assert reply.parts == [("body", "", "is not taken by this operation; send none")]


@pytest.mark.parametrize(
    "query",
    ["?q=a&q=a", "?q=%ff", "?%00=1", "?q=a;r=b", "?Q=a", "?q%20=a", "?q[]=a", "?&&&&q=b", "?" + "q=a&" * 300],
)
async def test_a_parameter_under_another_spelling(query: str) -> None:
    assert (await attack(b"{}", query=query)).status == 400
