"""What becomes of a service's answer that is not as the document says, over a real socket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.types import Answer, MediaType
from dhatu_gateway.core.upstream.errors import UpstreamAborted
from dhatu_gateway.core.upstream.types import ResponseSink, UpstreamRequest
from dhatu_gateway.core.validation.answers import MAX_ANSWER_BYTES, build_answers
from dhatu_gateway.core.validation.schemas import Schemas
from gateway.support import Bench, Counts, Reply, compose, make_route, serving, validate

DOCUMENT: dict[str, Any] = {
    "thing": {
        "type": "object",
        "required": ["id", "secret"],
        "properties": {
            "id": {"type": "integer"},
            "secret": {"$ref": "#/secret"},
            "parts": {"type": "array", "items": {"$ref": "#/thing"}},
        },
    },
    "secret": {"type": "string", "writeOnly": True},
    "problem": {"type": "object", "required": ["title"]},
}
JSON = MediaType(media_type="application/json", schema="/thing", kind="json", parts=())
EVENTS = MediaType(media_type="text/event-stream", schema="/thing", kind="stream", parts=())
PROBLEM = MediaType(media_type="application/problem+json", schema="/problem", kind="json", parts=())
ANSWERS = (
    Answer(status="200", media_types=(JSON, EVENTS)),
    Answer(status="204", media_types=()),
    Answer(status="4XX", media_types=(PROBLEM,)),
)


def bench(mode: Any, undeclared: Any = "keep", answers: tuple[Answer, ...] = ANSWERS) -> Bench:
    what = validate(response=mode, undeclared=undeclared)
    routes = [make_route(method, answers=answers, validate=what) for method in ("GET", "HEAD", "POST")]
    return compose(*routes, document=DOCUMENT)


def answering(
    on: Bench,
    body: bytes | Sequence[bytes],
    status: int = 200,
    media_type: str = "application/json",
    **fields: str,
) -> Bench:
    """Let the service answer so; a list of pieces comes piece by piece, without its length."""

    async def answer(request: UpstreamRequest, sent: bytes, sink: ResponseSink) -> None:
        headers = [(b"content-type", media_type.encode())] if media_type else []
        headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
        if isinstance(body, bytes):
            sink.start(
                status, [*headers, (b"content-length", b"%d" % len(body))] if status != 204 else headers
            )
            await sink.body(b"" if request.method == b"HEAD" else body, False)
            return
        sink.start(status, headers)
        for piece in body:
            await sink.body(piece, True)
        await sink.body(b"", False)

    on.upstream.answer = answer
    return on


async def get(on: Bench, method: str = "GET") -> Reply:
    async with serving(on.edge) as client, client.connect() as wire:
        await wire.write(f"{method} /api/v1/things HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        return await wire.reply(to_head=method == "HEAD")


GOOD = b'{"id": 1}'


@pytest.mark.parametrize("mode", ["off", "log", "enforce"])
@pytest.mark.parametrize(
    ("body", "status", "media_type"),
    [
        (GOOD, 200, "application/json"),
        (GOOD, 200, "Application/JSON; charset=utf-8"),
        ([b'{"id"', b": 1", b"}"], 200, "application/json"),
        (b"data: no JSON\n\n", 200, "text/event-stream"),
        ([b"data: 1\n\n", b"data: 2\n\n"], 200, "text/event-stream"),
        (b'{"title": "x"}', 404, "application/problem+json"),
        (b"", 204, ""),
    ],
)
async def test_a_good_answer_arrives_byte_for_byte(
    mode: str, body: Any, status: int, media_type: str
) -> None:
    on = answering(bench(mode), body, status, media_type)
    reply = await get(on)
    assert (reply.status, reply.body) == (status, body if isinstance(body, bytes) else b"".join(body))
    assert on.counts.findings == []


BAD = [
    (b'{"id": "1"}', 200, "application/json", "body /id: must be an integer"),
    ([b'{"id":', b'"1"}'], 200, "application/json", "body /id: must be an integer"),
    (b'{"id": 1, "secret": "hunter2"}', 200, "application/json", "body /secret: is never told"),
    (b"<html>", 200, "application/json", "is not JSON"),
    (b"", 200, "application/json", "is not JSON"),
    (GOOD, 200, "text/html", "has a Content-Type that is not described"),
    (GOOD, 200, "json", "has a Content-Type that is none"),
    (GOOD, 200, "", "has no Content-Type"),
    (b"oops", 500, "text/plain", "has the status 500, which is not described"),
    (b"{}", 404, "application/problem+json", "body /title: is required"),
]


@pytest.mark.parametrize(("body", "status", "media_type", "said"), BAD)
async def test_a_bad_answer_is_held_back_where_that_is_enforced(
    body: Any, status: int, media_type: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    on = answering(bench("enforce"), body, status, media_type)
    reply = await get(on)
    assert (reply.status, reply.json["type"].rpartition("/")[2]) == (502, "answer-refused")
    assert reply.headers["content-type"] == "application/problem+json"
    assert on.counts.findings == [("answer", "refused")]
    assert on.counts.recorded == [("GET /api/v1/things", 502)]
    assert said in caplog.text
    assert reply.json["request_id"] in caplog.text
    assert "hunter2" not in caplog.text + reply.body.decode()


@pytest.mark.parametrize(("body", "status", "media_type", "said"), BAD)
async def test_a_bad_answer_is_only_noted_where_that_is_wanted(
    body: Any, status: int, media_type: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    on = answering(bench("log"), body, status, media_type)
    reply = await get(on)
    assert (reply.status, reply.body) == (status, body if isinstance(body, bytes) else b"".join(body))
    assert on.counts.findings == [("answer", "logged")]
    assert said in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("mode", ["log", "enforce"])
@pytest.mark.parametrize("pieces", [False, True])
async def test_large_and_encoded_answers_are_passed_on_unseen_and_counted(mode: str, pieces: bool) -> None:
    large = b'{"id": "x"}'.ljust(MAX_ANSWER_BYTES + 1)
    on = answering(bench(mode), [large[:9], large[9:-1], large[-1:]] if pieces else large)
    reply = await get(on)
    assert (reply.status, reply.body) == (200, large)
    assert on.counts.findings == [("answer", "skipped")]
    on = answering(bench(mode), [b"\x1f\x8b"] if pieces else b"\x1f\x8b", content_encoding="gzip")
    assert (await get(on)).body == b"\x1f\x8b"
    assert on.counts.findings == [("answer", "skipped")]


async def test_what_http_itself_answers_needs_no_description() -> None:
    on = answering(bench("enforce"), b"", 304, "")
    on.upstream.answer = not_modified
    assert (await get(on)).status == 304


async def not_modified(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
    sink.start(304, [(b"content-type", b"application/json"), (b"content-length", b"0")])
    await sink.body(b"", False)


async def test_the_answer_to_head_has_no_body_to_look_at() -> None:
    on = answering(bench("enforce"), b'{"id": "x"}')
    reply = await get(on, "HEAD")
    assert (reply.status, reply.headers["content-length"]) == (200, "11")


async def test_an_event_is_not_held_back() -> None:
    on = bench("enforce", "strip")
    arrived = asyncio.Event()

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        sink.start(200, [(b"content-type", b"text/event-stream")])
        await sink.body(b"data: 1\n\n", True)
        await arrived.wait()
        await sink.body(b"", False)

    on.upstream.answer = answer
    async with serving(on.edge) as client, client.connect() as wire:
        await wire.write(b"GET /api/v1/things HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(5):
            await wire.reader.readuntil(b"data: 1\n\n")
            arrived.set()
            await wire.reader.readuntil(b"0\r\n\r\n")


async def test_a_service_that_breaks_off_while_its_answer_is_held_is_a_bad_gateway() -> None:
    on = bench("enforce")

    async def answer(request: UpstreamRequest, body: bytes, sink: ResponseSink) -> None:
        sink.start(200, [(b"content-type", b"application/json")])
        await sink.body(b'{"id"', True)
        raise UpstreamAborted("the service closed the connection")

    on.upstream.answer = answer
    reply = await get(on)
    assert (reply.status, reply.json["type"].rpartition("/")[2]) == (502, "upstream-failed")


async def test_an_undescribed_stream_is_not_kept_to_be_complained_of() -> None:
    on = bench("log")
    route = make_route(answers=ANSWERS, validate=validate(response="log"))
    wrap = build_answers(route, Schemas(DOCUMENT), on.counts)
    assert wrap is not None
    kept: list[bytes] = []

    class Nowhere:
        def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None: ...

        async def body(self, chunk: bytes, more: bool) -> None:
            kept.append(chunk)

        async def client_gone(self) -> None: ...

    exchange = Exchange()
    exchange.method, exchange.request_id, exchange.started_at_s = "GET", "r", 0.0
    sink = wrap(exchange, Nowhere())
    sink.start(200, [(b"content-type", b"video/mp4")])
    piece = b"x" * 1_000
    before = sys.getrefcount(piece)
    for _ in range(100):
        await sink.body(piece, True)
    assert len(kept) == 100
    kept.clear()
    assert sys.getrefcount(piece) == before
    await sink.body(b"", False)
    assert on.counts.findings == [("answer", "logged")]


async def test_the_log_is_not_flooded(caplog: pytest.LogCaptureFixture) -> None:
    on = answering(bench("log"), b"{")
    for _ in range(20):
        await get(on)
    assert len(on.counts.findings) == 20
    assert 1 <= caplog.text.count("is not as described") < 20


# -- undeclared members


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id":1,"internal":"x"}', b'{"id":1}'),
        (b'{"id":1,"parts":[{"id":2,"y":[1]},{"id":3}],"x":{}}', b'{"id":1,"parts":[{"id":2},{"id":3}]}'),
        (b'{"id":1,"secret":"hunter2"}', b'{"id":1}'),
        (b'{"id":99999999999999999999999,"x":1.10}', b'{"id":99999999999999999999999}'),
        (b'{"id":12345678901234567890,"x":1}', b'{"id":12345678901234567890}'),
        (b'{"id": 1 }', b'{"id": 1 }'),
        (b"[1, {}]", b"[1, {}]"),
        (b"oops", b"oops"),
    ],
)
async def test_undeclared_members_can_be_taken_out(body: bytes, expected: bytes) -> None:
    on = answering(bench("off", "strip"), body, etag='"1"')
    reply = await get(on)
    assert (reply.status, reply.body) == (200, expected)
    assert reply.headers["content-length"] == str(len(expected))
    assert ("etag" in reply.headers) == (body == expected)
    assert on.counts.findings == ([] if body == expected else [("answer", "stripped")])


async def test_an_answer_is_judged_by_what_is_left_of_it() -> None:
    closed = {"type": "object", "additionalProperties": False, "properties": {"a": {}}}
    media = MediaType(media_type="application/json", schema="/closed", kind="json", parts=())
    what = validate(response="enforce", undeclared="strip")
    route = make_route(answers=(Answer(status="200", media_types=(media,)),), validate=what)
    on = answering(compose(route, document={"closed": closed}), b'{"a":1,"b":2}')
    assert (await get(on)).json == {"a": 1}


def test_routes_that_nobody_looks_at_have_nothing_in_the_way() -> None:
    route = make_route(answers=ANSWERS)
    assert build_answers(route, Schemas(DOCUMENT), Counts()) is None
