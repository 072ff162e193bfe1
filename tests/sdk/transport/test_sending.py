"""What leaves and what arrives is the same over every transport."""

from __future__ import annotations

import asyncio
import gc
import gzip
import hashlib
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from dhatu_client._call import BodySpec, FieldSpec
from dhatu_client._encoding.content import CHUNK_BYTES
from dhatu_client._errors import APIStatusError, CallTimeoutError, ConfigurationError, ConnectTimeoutError
from sdk.support import answer, operation, parameter
from sdk.transport.peers import HEAD, Connect, Peer, SampleAPI, Website

Publish = Callable[..., Website]
UPLOAD = BodySpec(media_type="application/octet-stream", kind="binary", argument="content")
WRITE = operation(method="POST", retry="never", bodies=(UPLOAD,))
EVENTS = operation(responses=(answer("sse", "text/event-stream"),))
LARGE = bytes(range(256)) * 8192


def test_an_address_goes_out_as_it_was_encoded(connect: Connect, publish: Publish) -> None:
    read = operation(
        path="/documents/{id}",
        parameters=(parameter("id", "path"), parameter("q", "query", allow_reserved=True)),
    )
    said = connect(base_url=publish().url + "/b%c3%a9se").call(
        read, id="a/b%2F ś'~", q="x y+z&é:/?@!$'()*,;=~"
    )
    assert said["target"] == (
        "/b%c3%a9se/documents/a%2Fb%252F%20%C5%9B%27~?q=x%20y%2Bz%26%C3%A9:/?@!$'()*,;=~"
    )


def test_no_header_is_added_that_would_say_something(connect: Connect, publish: Publish) -> None:
    said = connect(base_url=publish().url).call(operation(), options={"extra_headers": {"X-Name": "Ś"}})
    headers = said["headers"]
    assert headers.pop("x-name").encode("latin-1").decode() == "Ś"
    assert headers.pop("host").startswith("127.0.0.1:")
    assert {"gzip", "deflate"} <= set(headers.pop("accept-encoding").split(", "))
    headers.pop("connection", "")
    headers.pop("x-sample-timeout-ms")
    assert headers == {
        "accept": "application/json",
        "user-agent": "sample-client/1.2.3",
        "x-sample-attempt": "1",
    }


def test_user_and_password_in_an_address_are_basic_authentication(connect: Connect, publish: Publish) -> None:
    url = publish().url.replace("//", "//me:p%40ss@")
    said = connect(base_url=url, token="t").call(operation(security=(("bearer",),)))
    assert said["headers"]["authorization"] == "Basic bWU6cEBzcw=="
    assert "me" not in said["headers"]["host"]


def content_of(kind: str, path: Path) -> Any:
    path.write_bytes(LARGE)
    chunks = [LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000)]

    async def later() -> AsyncIterator[bytes]:
        for chunk in chunks:
            await asyncio.sleep(0)
            yield chunk

    return {"bytes": LARGE, "path": path, "list": chunks, "iterator": iter(chunks), "async": later()}[kind]


@pytest.mark.parametrize("kind", ["bytes", "path", "list", "iterator"])
def test_a_body_arrives_whole(connect: Connect, publish: Publish, kind: str, tmp_path: Path) -> None:
    said = connect(base_url=publish().url).call(WRITE, content=content_of(kind, tmp_path / "body"))
    assert (said["bytes"], said["sha256"]) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
    sized = kind in ("bytes", "path")
    assert said["headers"].get("content-length") == (str(len(LARGE)) if sized else None)
    assert said["headers"].get("transfer-encoding") == (None if sized else "chunked")


async def test_an_async_body_arrives_whole(publish: Publish, library: Any, tmp_path: Path) -> None:
    async with SampleAPI(base_url=publish().url, http_client=library) as client:
        content = content_of("async", tmp_path / "body")
        said: Any = await client.call(WRITE, {"content": content}, {})
    assert said["sha256"] == hashlib.sha256(LARGE).hexdigest()


def test_parts_of_files_arrive_whole(connect: Connect, publish: Publish, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(LARGE)
    form = BodySpec(
        media_type="multipart/form-data",
        kind="multipart",
        fields=(FieldSpec(argument="file", name="file", file=True),),
    )
    said = connect(base_url=publish().url).call(operation(method="POST", bodies=(form,)), file=file)
    assert said["bytes"] > len(LARGE)
    assert said["headers"]["content-length"] == str(said["bytes"])


def test_no_more_is_taken_than_can_be_sent(connect: Connect, serve: Callable[..., Peer]) -> None:
    peer = serve(b"", late=True)
    taken: list[int] = []

    def source() -> Iterator[bytes]:
        for number in range(1000):
            taken.append(number)
            yield bytes(CHUNK_BYTES)

    with pytest.raises(CallTimeoutError):
        connect(base_url=peer.url, max_retries=0).call(WRITE, options={"timeout_s": 0.3}, content=source())
    assert len(taken) < 100


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
    ],
)
def test_an_encoded_answer_is_decoded(
    connect: Connect, publish: Publish, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    content = encode(b'{"a": "' + b"x" * 5000 + b'"}')
    head = b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding.encode(), len(content))
    site = publish(pages={"/documents": HEAD + head + content})
    assert connect(base_url=site.url).call(operation()) == {"a": "x" * 5000}


def test_a_redirect_is_an_answer_like_any_other(connect: Connect, publish: Publish) -> None:
    site = publish(pages={"/documents": b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"})
    with pytest.raises(APIStatusError) as raised:
        connect(base_url=site.url).call(operation())
    assert (raised.value.status, raised.value.headers["location"]) == (302, "/x")
    assert len(site.requests) == 1


def test_repeated_headers_are_joined_and_looked_up_in_any_case(connect: Connect, publish: Publish) -> None:
    page = HEAD + b"Vary: A\r\nX-One: 1\r\nVary: B\r\nContent-Length: 2\r\n\r\n{}"
    heads: list[Any] = []
    connect(base_url=publish(pages={"/documents": page}).url).call(
        operation(), options={"on_answer": heads.append}
    )
    (head,) = heads
    assert head.headers["vary"] == "A, B"
    assert head.headers["X-ONE"] == "1"
    assert sorted(head.headers) == ["content-length", "content-type", "vary", "x-one"]


def test_cookies_of_answers_are_not_kept(connect: Connect, publish: Publish) -> None:
    site = publish(
        pages={"/documents": HEAD + b"Set-Cookie: session=theirs; Path=/\r\nContent-Length: 2\r\n\r\n{}"}
    )
    caller = connect(base_url=site.url)
    caller.call(operation())
    caller.call(operation())
    assert "cookie" not in site.requests[1]["headers"]


def test_a_connection_is_used_again(connect: Connect, publish: Publish) -> None:
    caller = connect(base_url=publish().url)
    assert len({caller.call(operation())["connection"] for _ in range(3)}) == 1


def test_a_long_head_is_taken(connect: Connect, publish: Publish) -> None:
    page = HEAD + b"X-Long: " + b"x" * 30_000 + b"\r\nContent-Length: 2\r\n\r\n{}"
    assert connect(base_url=publish(pages={"/documents": page}).url).call(operation()) == {}


@pytest.mark.filterwarnings("ignore")  # what the first loop leaves open, since nobody closed it there
def test_a_client_outlives_its_event_loop(publish: Publish, library: Any) -> None:
    url = publish().url

    def methods() -> list[str]:
        client = SampleAPI(base_url=url, http_client=library, max_retries=0)

        async def call() -> Any:
            return await client.call(operation(), {}, {})

        return [asyncio.run(call())["method"] for _ in range(3)]

    assert methods() == ["GET"] * 3
    gc.collect()  # here, where it may warn


async def test_many_calls_share_a_client(publish: Publish, library: Any) -> None:
    async with SampleAPI(base_url=publish().url, http_client=library) as client:
        said: list[Any] = await asyncio.gather(*(client.call(operation(), {}, {}) for _ in range(20)))
    assert len(said) == 20


async def test_a_reader_that_leaves_frees_its_connection(publish: Publish, library: Any) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + b"data: 1\r\n\r\n" * 10_000
    site = publish(pages={"/documents": endless})
    async with SampleAPI(base_url=site.url, http_client=library) as client:
        for _ in range(3):
            async with await client.call(EVENTS, {}, {}) as stream:
                assert await anext(stream) == 1


async def test_a_full_pool_is_not_a_slow_server(serve: Callable[..., Peer], library: str) -> None:
    peer = serve(HEAD, hang=True)
    async with lend(library, connections=1) as http:
        client = SampleAPI(base_url=peer.url, http_client=http, max_retries=0)
        first = asyncio.create_task(client.call(operation(), {}, {}))
        await asyncio.to_thread(peer.arrived.acquire)
        with pytest.raises(ConnectTimeoutError, match="no connection became free"):
            await client.call(WRITE, {"content": b"x"}, {"timeout_s": 2.0})
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert len(peer.heads) == 1


async def test_what_is_lent_stays_open_and_brings_its_own_headers(publish: Publish, library: str) -> None:
    site = publish()
    async with lend(library, headers={"X-Mine": "1"}) as http:
        for _ in range(2):
            async with SampleAPI(base_url=site.url, http_client=http) as client:
                said: Any = await client.call(operation(), {}, {})
            assert said["headers"]["x-mine"] == "1"


def lend(library: str, *, connections: int = 100, headers: Any = None) -> Any:
    if library == "httpx":
        return httpx.AsyncClient(limits=httpx.Limits(max_connections=connections), headers=headers)
    import aiohttp

    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections), headers=headers)


@pytest.mark.parametrize("given", ["requests", 7, httpx.Client])
def test_something_else_than_an_http_client_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="http_client= must be"):
        SampleAPI(base_url="http://127.0.0.1", http_client=given)


def _nothing(name: str) -> None:
    """Finds no module."""


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", _nothing)
    with pytest.raises(ConfigurationError, match=r'pip install "sample-client\[aiohttp\]"'):
        SampleAPI(base_url="http://127.0.0.1", http_client="aiohttp")


def test_no_address_in_an_error_shows_its_key(connect: Connect, serve: Callable[..., Peer]) -> None:
    peer = serve(b"", hang=True)
    caller = connect(base_url=peer.url, max_retries=0, api_key="s3cret")
    with pytest.raises(CallTimeoutError) as raised:
        caller.call(operation(security=(("queryKey",),)), options={"timeout_s": 0.2})
    seen: BaseException | None = raised.value
    while seen is not None:
        assert "s3cret" not in str(seen)
        seen = seen.__cause__ or seen.__context__
