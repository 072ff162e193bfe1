"""Compressed requests, over a real socket."""

from __future__ import annotations

import gzip
import zlib

import pytest
from dhatu_gateway.core.types import Body, MediaType
from gateway.support import Bench, Reply, compose, make_route, serving, validate


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # names of tests are the same in every process


DOCUMENT = {"body": {"type": "object", "required": ["a"]}}
JSON = MediaType(media_type="application/json", schema="/body", kind="json", parts=())
BYTES = MediaType(media_type="application/octet-stream", schema="", kind="stream", parts=())
LIMIT = 200_000
GOOD = b'{"a": "sandhi"}'


def bench(mode: str = "enforce") -> Bench:
    body = Body(required=True, media_types=(JSON, BYTES))
    return compose(
        make_route("POST", body=body, max_body_bytes=LIMIT, validate=validate(body=mode)), document=DOCUMENT
    )


async def post(
    on: Bench, body: bytes, coding: str, media_type: str = "application/json", **fields: str
) -> Reply:
    async with serving(on.edge) as client:
        headers = {"Content-Type": media_type, "Content-Encoding": coding} | fields
        return await client.request("POST", "/api/v1/things", body, headers)


@pytest.mark.parametrize("media_type", ["application/json", "application/octet-stream"])
@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", packed(GOOD)),
        ("X-GZIP", packed(GOOD)),
        ("deflate", zlib.compress(GOOD)),
        ("gzip", packed(GOOD[:5]) + packed(GOOD[5:])),
        ("identity", GOOD),
    ],
)
async def test_a_compressed_body_reaches_the_service_as_it_was(
    coding: str, body: bytes, media_type: str
) -> None:
    reply = await post(bench(), body, coding, media_type, **{"Content-Digest": "sha-256=:x:"})
    assert reply.json["body"].encode() == GOOD
    names = {name for name, _ in reply.json["headers"]}
    assert ("content-encoding" in names, "content-digest" in names) == (coding == "identity",) * 2


async def test_a_compressed_body_is_validated() -> None:
    reply = await post(bench(), packed(b"{}"), "gzip")
    assert reply.parts == [("body", "/a", "is required")]


async def test_a_compressed_body_may_come_in_any_pieces() -> None:
    on = bench()
    body = packed(GOOD)
    chunks = b"".join(b"1\r\n%b\r\n" % body[at : at + 1] for at in range(len(body)))
    reply = await post(on, chunks + b"0\r\n\r\n", "gzip", **{"Transfer-Encoding": "chunked"})
    assert reply.json["body"].encode() == GOOD


@pytest.mark.parametrize("media_type", ["application/json", "application/octet-stream"])
async def test_the_limit_is_of_what_comes_out(media_type: str) -> None:
    fits = b'{"a": 1}'.ljust(LIMIT)
    assert (await post(bench(), packed(fits), "gzip", media_type)).status == 200
    assert (await post(bench(), packed(fits + b" "), "gzip", media_type)).status == 413


@pytest.mark.parametrize("media_type", ["application/json", "application/octet-stream"])
@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", GOOD),
        ("gzip", zlib.compress(GOOD)),
        ("gzip", packed(GOOD)[:-1]),
        ("gzip", packed(GOOD)[:-5] + b"\0\0\0\0\0"),
        ("gzip", packed(GOOD) + b"x"),
        ("deflate", zlib.compress(GOOD) + b"x"),
        ("deflate", zlib.compress(GOOD, wbits=-15)),
    ],
)
async def test_what_is_not_what_it_says_is_refused(coding: str, body: bytes, media_type: str) -> None:
    reply = await post(bench(), body, coding, media_type)
    assert (reply.status, reply.json["title"]) == (400, "Malformed request")


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "identity, gzip", "gzip;q=1"])
async def test_other_encodings_are_refused_with_those_that_are_known(coding: str) -> None:
    reply = await post(bench(), GOOD, coding)
    assert (reply.status, reply.headers["accept-encoding"]) == (415, "gzip, deflate")


async def test_where_nobody_looks_the_body_stays_as_it_is() -> None:
    reply = await post(bench("off"), b"\x00", "br", "x/y")
    assert (reply.json["body"], ["content-encoding", "br"] in reply.json["headers"]) == ("\x00", True)


async def test_where_it_is_only_watched_an_unknown_encoding_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    assert (await post(bench("log"), b"x", "br", "application/octet-stream")).json["body"] == "x"
    assert "Content-Encoding may be" in caplog.text
