"""Request smuggling: whatever two programs could frame differently is refused and ends the connection.

The spellings are those of RFC 9112 section 11.2, of the desync attacks published since 2005, and of the
advisories of llhttp, Node.js, Go, HAProxy, gunicorn and waitress.
"""

from __future__ import annotations

import asyncio

import pytest
from dhatu_gateway.core.server.limits import ServerLimits
from gateway.attacks.support import SMUGGLED, attacked, post
from gateway.support import head

CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
LENGTH = b"Content-Length: 5"

LENGTHS = {
    "twice the same": post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
    "two that differ": post(b"Content-Length: 2", b"Content-Length: 50", body=b"{}"),
    "with chunks": post(LENGTH, CHUNKED, body=END),
    "after chunks": post(CHUNKED, LENGTH, body=END),
    "chunks in HTTP/1.0": post(CHUNKED, body=END, version=b"1.0"),
    "in the trailer": post(CHUNKED, body=b"2\r\nab\r\n0\r\nContent-Length: 50\r\n\r\n"),
} | {
    f"spelt {value!r}": post(b"Content-Length: " + value, body=b"{}")
    for value in (
        *(b"+2", b"-2", b"2+", b"0x2", b"2.0", b"2e0", b"1_0", b'"2"', b"2;", b"NaN", b"", b" "),
        *(b"2,2", b"2, 2", b"2 2", b"\x0b2", b"2\x0b", b"\x002", b"2\x00", b"\xc2\xb2", b"\xd9\xa2"),
        *(b"18446744073709551618", b"99999999999999999999", b"2\r", b"2\n"),
    )
}

CODINGS = (
    {
        f"spelt {value!r}": post(b"Transfer-Encoding: " + value, body=END)
        for value in (
            *(
                b"identity",
                b"gzip",
                b"gzip, chunked",
                b"identity, chunked",
                b"chunked, identity",
                b"xchunked",
            ),
            *(
                b"chunkedx",
                b"chunke",
                b"chun ked",
                b"chunked,",
                b", chunked",
                b"chunked, chunked",
                b'"chunked"',
            ),
            *(
                b"chunked;q=1",
                b"",
                b"\x0bchunked",
                b"chunked\x0b",
                b"\x0cchunked",
                b"\x00chunked",
                b"\xa0chunked",
            ),
            *(b"chunked ", b"chunked\t", b"chunked\x00", b"chunked\r", b"cow"),
        )
    }
    | {
        f"named {name!r}": post(LENGTH, name + b": chunked", body=END)
        for name in (
            *(b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding", b"\tTransfer-Encoding"),
            *(
                b"Transfer-Encoding\x0b",
                b"Transfer-Encoding\xa0",
                b"\x00Transfer-Encoding",
                b"Transfer\x00-Encoding",
            ),
            *(b"X: y\nTransfer-Encoding", b"X: y\rTransfer-Encoding", b"X: y\r\r\nTransfer-Encoding"),
            *(b"X: y\r\n\tTransfer-Encoding", b"TRANSFER-ENCODING"),
        )
    }
    | {
        "twice": post(CHUNKED, CHUNKED, body=END),
        "none, then chunked": post(b"Transfer-Encoding: identity", CHUNKED, body=END),
        "folded": post(b"Transfer-Encoding:\r\n chunked", body=END),
    }
)

CHUNKS = {
    repr(body): post(CHUNKED, body=body)
    for body in (
        *(b"+2\r\nab\r\n" + END, b"-2\r\nab\r\n" + END, b"0x2\r\nab\r\n" + END, b"2_0\r\nab\r\n" + END),
        *(b" 2\r\nab\r\n" + END, b"2 \r\nab\r\n" + END, b"2\t;a\r\nab\r\n" + END, b"2,2\r\nab\r\n" + END),
        *(b"2\x00\r\nab\r\n" + END, b"g\r\n", b"\r\n", b"\r\n2\r\nab\r\n" + END),
        *(b"fffffffffffffffff\r\nab\r\n" + END, b"100000000000000002\r\nab\r\n" + END),
        *(b"2\nab\n0\n\n", b"2\r\nab\n" + END, b"2\r\nab" + END, b"2\rab\r\n" + END, b"2\r\nabc\r\n" + END),
        *(b"2\r\nab\r\n0\n\n", b"2\r\nab\r\n0\r\n\n", b"2;\nx\r\nab\r\n" + END, b"2;a\rb\r\nab\r\n" + END),
        *(b'2;a="\n"\r\nab\r\n' + END, b"2\r\nab\r\n0\r\nX : y\r\n\r\n", b"2\r\nab\r\n0\r\n X: y\r\n\r\n"),
        *(b"2\r\nab\r\n0\r\nX: y\n\r\n", b"2\r\nab\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    )
}

_LINE = b"GET /api/v1/things HTTP/1.1"
LINES = {
    "bare LF after the request line": _LINE + b"\nHost: a\r\n\r\n",
    "bare LF after a field": _LINE + b"\r\nHost: a\nX: y\r\n\r\n",
    "bare LF at the end": _LINE + b"\r\nHost: a\r\n\n",
    "bare CR in a field": _LINE + b"\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "bare CR after a field": _LINE + b"\r\nHost: a\rX: y\r\n\r\n",
    "CR CR LF": _LINE + b"\r\nHost: a\r\r\n\r\n",
    "obs-fold": _LINE + b"\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "obs-fold with a tab": _LINE + b"\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n",
    "a fold before the first field": _LINE + b"\r\n Host: a\r\nHost: b\r\n\r\n",
    "space before the colon": _LINE + b"\r\nHost: a\r\nX : y\r\n\r\n",
    "tab before the colon": _LINE + b"\r\nHost: a\r\nX\t: y\r\n\r\n",
    "space before the colon of Host": _LINE + b"\r\nHost : a\r\n\r\n",
    "no colon": _LINE + b"\r\nHost: a\r\nX\r\n\r\n",
    "no name": _LINE + b"\r\nHost: a\r\n: x\r\n\r\n",
    "control byte in a name": _LINE + b"\r\nHost: a\r\nX\x01: b\r\n\r\n",
    "control byte in a value": _LINE + b"\r\nHost: a\r\nX: a\x01b\r\n\r\n",
    "NUL in a value": _LINE + b"\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "byte above ASCII in a name": _LINE + b"\r\nHost: a\r\nX\xe9: b\r\n\r\n",
    "space before the method": b" " + _LINE + b"\r\nHost: a\r\n\r\n",
    "tab in the request line": _LINE.replace(b" ", b"\t") + b"\r\nHost: a\r\n\r\n",
    "space after the version": _LINE + b" \r\nHost: a\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "method in lower case": _LINE.lower() + b"\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET /api/v1/things\r\n\r\n",
    "HTTP/1.10": _LINE + b"0\r\nHost: a\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two hosts": _LINE + b"\r\nHost: a\r\nHost: b\r\n\r\n",
    "a list of hosts": _LINE + b"\r\nHost: a, b\r\n\r\n",
    "a URL of another host": b"GET http://b/api/v1/things HTTP/1.1\r\nHost: a\r\n\r\n",
    "a URL with a user": b"GET http://a@a/api/v1/things HTTP/1.1\r\nHost: a\r\n\r\n",
}


async def smuggle(data: bytes) -> None:
    async with attacked() as target, target.client.connect() as wire:
        await wire.write(data + SMUGGLED)
        reply = await wire.reply()
        assert (reply.status, reply.closed) == (400, True)
    assert not target.smuggled
    # The head of a chunked request may have arrived before its body turned out to be bad, but no more.
    assert [scope["method"] for scope in target.seen] in ([], ["POST"])


@pytest.mark.parametrize("name", LENGTHS)
async def test_smuggling_by_content_length(name: str) -> None:
    await smuggle(LENGTHS[name])


@pytest.mark.parametrize("name", CODINGS)
async def test_smuggling_by_transfer_encoding(name: str) -> None:
    await smuggle(CODINGS[name])


@pytest.mark.parametrize("name", CHUNKS)
async def test_smuggling_by_chunks(name: str) -> None:
    await smuggle(CHUNKS[name])


@pytest.mark.parametrize("name", LINES)
async def test_smuggling_by_lines_and_fields(name: str) -> None:
    await smuggle(LINES[name])


@pytest.mark.parametrize("name", [*LENGTHS, *LINES])
async def test_smuggling_in_small_pieces_changes_nothing(name: str) -> None:
    data = (LENGTHS | LINES)[name]
    async with attacked() as target, target.client.connect() as wire:
        for at in range(0, len(data), 7):
            wire.writer.write(data[at : at + 7])
            await asyncio.sleep(0)
        reply = await wire.reply()
        assert (reply.status, reply.closed) == (400, True)
    assert not target.smuggled


async def test_a_name_with_an_underscore_frames_nothing_and_goes_nowhere() -> None:
    async with attacked() as target:
        data = post(b"Content-Length: 2", b"Content_Length: 50", b"Transfer_Encoding: chunked", body=b"{}")
        reply = await target.client.send(data)
    names = {name for name, _ in reply.json["headers"]}
    assert (reply.status, reply.json["body"]) == (200, "{}")
    assert not {"content_length", "transfer_encoding"} & names


async def test_a_trailer_does_not_become_a_field() -> None:
    trailer = b"Host: b\r\nAuthorization: Bearer x\r\nX-Trailer: 1\r\nContent-Type: text/html\r\n"
    data = post(CHUNKED, body=b"2\r\nab\r\n0\r\n" + trailer + b"\r\n")
    async with attacked() as target:
        reply = await target.client.send(data)
        [scope] = target.seen
    assert [name for name, _ in scope["headers"]] == [b"host", b"transfer-encoding"]
    assert not {"x-trailer", "content-type"} & {name for name, _ in reply.json["headers"]}


@pytest.mark.parametrize("kind", ["extension", "trailer", "trailers"])
async def test_chunk_framing_without_end_is_cut_off(kind: str) -> None:
    start, more = {
        "extension": (b"2;a=", b"a" * 1_000),
        "trailer": (b"2\r\nab\r\n0\r\nX: ", b"a" * 1_000),
        "trailers": (b"2\r\nab\r\n0\r\n", b"X: a\r\n" * 160),
    }[kind]
    async with attacked() as target, target.client.connect() as wire:
        await wire.write(post(CHUNKED, body=start))
        for _ in range(40):
            wire.writer.write(more)
            await asyncio.sleep(0)
        reply = await wire.reply()
        assert (reply.status, reply.closed) == (431 if kind == "trailers" else 413, True)
        assert "trailers" in reply.json["detail"]


async def test_chunks_of_one_byte_are_not_taken_for_an_attack() -> None:
    limits = ServerLimits(max_framing_bytes=64)
    async with attacked(limits) as target, target.client.connect() as wire:
        await wire.write(post(CHUNKED))
        for _ in range(500):
            await wire.write(b"1\r\na\r\n")
        await wire.write(END)
        assert len((await wire.reply()).json["body"]) == 500


async def test_what_follows_a_refused_request_is_dropped() -> None:
    async with attacked() as target, target.client.connect() as wire:
        await wire.write(head("GET", "/api/v1/things"))
        await wire.write(post(b"Content-Length: x") + SMUGGLED + SMUGGLED)
        first, second = await wire.reply(), await wire.reply()
    assert (first.status, second.status, second.closed) == (200, 400, True)
    assert [scope["query_string"] for scope in target.seen] == [b""]


async def test_a_response_has_one_framing_whatever_the_application_says() -> None:
    async with attacked() as target:

        async def answer(request: object, body: bytes, sink: object) -> None:
            headers = [(b"transfer-encoding", b"chunked"), (b"content-length", b"2")]
            sink.start(200, headers)  # type: ignore[attr-defined]  # a ResponseSink
            await sink.body(b"ab", False)  # type: ignore[attr-defined]

        target.bench.upstream.answer = answer
        reply = await target.client.request("GET", "/api/v1/things")
    assert (reply.body, "transfer-encoding" in reply.headers) == (b"ab", False)
