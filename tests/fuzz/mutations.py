"""What is done to proper requests: each mutation changes one part of a draft."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from .draft import Attempt, Draft, cut
from .seeds import Seed

T = TypeVar("T")
Draw: TypeAlias = Callable[[st.SearchStrategy[T]], T]

_ODD_BYTES = (
    b"\0", b"\r", b"\n", b"\r\n", b"\t", b" ", b"\x0b", b"\x7f", b"\x80", b"\xff", b"\xc0\xaf", b"%", b"%00",
    b"%2e%2e/", b"%2f", b"%5c", b"%252e", b"..", b"/", b"//", b"\\", b";", b"?", b"#", b"&", b"=",
    b"+", b"[]",
    b"@", b":", b",", b'"', b"'", b"<", b"{", b"}", b"[", b"]", b"0", b"-1", b"1e999", b"null", b"\\u0000",
    b"\\ud800", b"99999999999999999999", "ṛ".encode(),
    b"GET /api/v1/corpus/stats HTTP/1.1\r\nHost: a\r\n\r\n",
)  # fmt: skip
_METHODS = st.sampled_from(
    (b"HEAD", b"OPTIONS", b"PUT", b"PATCH", b"TRACE", b"CONNECT", b"get", b"G\x00T", b"PRI")
)
_VERSIONS = st.sampled_from(
    (b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.1 ", b"")
)
_FIELD_NAMES = st.sampled_from(
    (
        b"Accept", b"Accept-Encoding", b"API-Version", b"Authorization", b"Connection", b"Content-Encoding",
        b"Content-Length", b"Content-Type", b"Cookie", b"Expect", b"Forwarded", b"Host", b"Idempotency-Key",
        b"Last-Event-ID", b"Origin", b"Access-Control-Request-Method", b"Range", b"TE", b"Trailer",
        b"Transfer-Encoding", b"Upgrade", b"X-API-Key", b"X-Dhatu-Attempt", b"X-Dhatu-Timeout-Ms",
        b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-HTTP-Method-Override", b"X-Request-Id", b"traceparent",
        b"baggage", b"", b"a b", b"x_y", b"\xff", b":path",
    )
)  # fmt: skip
_FIELD_VALUES = st.one_of(
    st.sampled_from(
        (
            b"", b"0", b"-1", b"1", b"5, 5", b"chunked", b"identity, chunked", b"chunked, chunked",
            b"\tchunked",
            b"gzip", b"deflate, gzip", b"br", b"close", b"keep-alive, Content-Type", b"upgrade", b"websocket",
            b"h2c", b"100-continue", b"application/json", b"application/json; charset=utf-16",
            b"multipart/form-data",
            b"multipart/form-data; boundary=\"", b"text/*", b"*/*;q=0", b"bytes=0-0,1-", b"v1",
            b"v2", b"99999",
            b"null", b"https://a.example", b"for=\"[::1]:80\";proto=https",
            b"1.2.3.4, ::1, unknown", b"a.example:99999",
            b"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01", b"Bearer ", b"Basic YTpi",
            b"1e309", b"9" * 5000,
        )
    ),
    st.binary(max_size=30),
)  # fmt: skip
_TOKENS = st.one_of(
    st.sampled_from(
        (
            b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", b"a.b.c", b"....", b"eyJ9.eyJ9.", b"dhk_", b"dhk_a_b_c",
            b"dhk_7hNq2LxWcB4d_4yJwTqk0PzV6mR1sXbE9uHcA2fG3oLd5_03JBZD",
            b"eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImNyaXQiOlsiYSJdfQ.eyJzdWIiOnsiYSI6MX19.AAAA",
            b"eyJhbGciOnt9fQ.W10.AAAA", b"a" * 9000,
        )
    ),
    st.binary(max_size=60),
)  # fmt: skip
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
        st.sampled_from(("\ud800", "\0", "a" * 3000, 2**63, -(2**64), 10**400, 1e308)),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1, mtime=0)


_BOMB = _gzip(b"[" * 4_000_000)
_CODINGS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"gzip", _gzip),
    (b"deflate", zlib.compress),
    (b"gzip", lambda _: _BOMB),
    (b"gzip", lambda body: _gzip(body)[:-5]),
    (b"deflate", lambda body: b"\x01" + body),
    (b"gzip, gzip", lambda body: _gzip(_gzip(body))),
    (b"br", lambda body: body),
)


def _request(draw: Draw[Any], seeds: tuple[Seed, ...], key: bytes) -> bytes:
    """Take an example of the document and change up to four things about it."""
    seed: Seed = draw(st.sampled_from(seeds))
    draft = Draft(seed.method, seed.path, seed.query, seed.body, [(b"Host", b"a"), (b"X-API-Key", key)])
    if seed.content_type:
        draft.fields.append((b"Content-Type", seed.content_type))
    for mutate in draw(st.lists(st.sampled_from(_MUTATIONS), max_size=4)):
        mutate(draw, draft)
    data = draft.to_bytes()
    return _altered(draw, data) if draw(st.integers(0, 7)) == 7 else data


@st.composite
def attempts(draw: Draw[Any], seeds: tuple[Seed, ...], key: bytes) -> Attempt:
    """One to three requests on one connection, written in pieces."""
    count = draw(st.sampled_from((1, 1, 1, 2, 3)))
    data = b"".join(_request(draw, seeds, key) for _ in range(count))
    cuts = draw(st.lists(st.integers(0, 4096), max_size=3))
    ending = draw(st.sampled_from(("wait",) * 8 + ("half-close", "close", "reset")))
    return Attempt(pieces=cut(data, cuts), requests=count, ending=ending)


def _altered(draw: Draw[Any], text: bytes) -> bytes:
    """Cut out a few bytes of a text, or double them, and put odd ones there."""
    at = draw(st.integers(0, len(text)))
    upto = min(len(text), at + draw(st.integers(0, 4)))
    odd: bytes = draw(
        st.one_of(st.sampled_from(_ODD_BYTES), st.binary(max_size=4), st.just(text[at:upto] * 2))
    )
    return text[:at] + odd + text[upto:]


def _method(draw: Draw[Any], draft: Draft) -> None:
    draft.method = draw(_METHODS | st.just(_altered(draw, draft.method)))


def _path(draw: Draw[Any], draft: Draft) -> None:
    draft.path = draw(
        st.one_of(
            st.just(_altered(draw, draft.path)),
            st.sampled_from((b"*", b"http://a" + draft.path, b"http://b/", b"", b"/", b"a:443", b"/" * 9000)),
        )
    )


def _query(draw: Draw[Any], draft: Draft) -> None:
    doubled = draft.query + b"&" + draft.query
    draft.query = draw(st.sampled_from((_altered(draw, draft.query), doubled, b"cursor=%F0%28", b"=&==&&")))


def _version(draw: Draw[Any], draft: Draft) -> None:
    draft.version = draw(_VERSIONS)


def _soup(draw: Draw[Any], draft: Draft) -> None:
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(draft.fields)))
        draft.fields.insert(at, (draw(_FIELD_NAMES), draw(_FIELD_VALUES)))


def _many_fields(draw: Draw[Any], draft: Draft) -> None:
    draft.fields += [(b"X-%d" % n, b"v") for n in range(draw(st.sampled_from((90, 99, 120))))]


def _without_field(draw: Draw[Any], draft: Draft) -> None:
    if draft.fields:
        del draft.fields[draw(st.integers(0, len(draft.fields) - 1))]


def _punctuation(draw: Draw[Any], draft: Draft) -> None:
    draft.colon = draw(st.sampled_from((b":", b" : ", b"", b":\r\n ", b":\t")))
    draft.line_end = draw(st.sampled_from((b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n")))


def _credential(draw: Draw[Any], draft: Draft) -> None:
    place = [at for at, (name, _) in enumerate(draft.fields) if name == b"X-API-Key"]
    token = draw(_TOKENS)
    changed = draw(
        st.sampled_from(((b"X-API-Key", token), (b"Authorization", b"Bearer " + token), (b"Cookie", token)))
    )
    if not place:
        draft.fields.append(changed)
    elif draw(st.booleans()):
        draft.fields[place[0]] = changed
    else:
        draft.fields[place[0]] = (b"X-API-Key", _altered(draw, draft.fields[place[0]][1]))


def _json(draw: Draw[Any], draft: Draft) -> None:
    """Change one member of a JSON body, or all of it."""
    try:
        value = json.loads(draft.body)
    except (ValueError, RecursionError):
        value = {}
    other = draw(_JSON)
    if isinstance(value, dict) and value:
        name = draw(st.sampled_from(sorted(value)))
        value[draw(st.sampled_from((name, name, "a/b~c", "")))] = other
    else:
        value = other
    draft.body = json.dumps(value).encode()


def _deep(draw: Draw[Any], draft: Draft) -> None:
    depth = draw(st.sampled_from((10, 100, 130, 5_000)))
    opening, closing = draw(st.sampled_from(((b"[", b"]"), (b'{"a":', b"}"))))
    draft.body = opening * depth + b"1" + closing * depth


def _content(draw: Draw[Any], draft: Draft) -> None:
    draft.body = draw(st.one_of(st.just(_altered(draw, draft.body)), st.binary(max_size=200)))


def _large(draw: Draw[Any], draft: Draft) -> None:
    draft.body *= draw(st.sampled_from((2, 2, 2, 20, 20, 500)))


def _coded(draw: Draw[Any], draft: Draft) -> None:
    """Compress the body, more or less properly."""
    coding, encode = draw(st.sampled_from(_CODINGS))
    draft.fields.append((b"Content-Encoding", coding))
    draft.body = encode(draft.body)


def _chunked(draw: Draw[Any], draft: Draft) -> None:
    draft.cuts = tuple(draw(st.lists(st.integers(0, 4096), max_size=6)))
    draft.extension = draw(
        st.sampled_from((b"", b"", b";a", b';a="b"', b";" + b"a" * 20_000, b" ", b";\n", b"\r"))
    )
    draft.trailers = draw(
        st.sampled_from((b"", b"", b"X-A: b\r\n", b"Content-Length: 5\r\n", b"Host: b\r\n", b"X-API-Key\r\n"))
    )


def _framing(draw: Draw[Any], draft: Draft) -> None:
    """Say something else about the body than what is true."""
    size = len(draft.body)
    lengths = (
        b"%d" % (size + 1),
        b"%d" % max(0, size - 1),
        b"+%d" % size,
        b"0%d" % size,
        b"%d, %d" % (size, size),
    )
    length = st.tuples(
        st.just(b"Content-Length"), st.sampled_from((*lengths, b"%d" % size, b"0x1", b"", b"-1"))
    )
    coding = st.tuples(
        st.sampled_from((b"Transfer-Encoding", b"transfer-encoding ", b"Transfer_Encoding")),
        st.sampled_from(
            (b"chunked", b"xchunked", b"chunked\x0b", b"identity", b"gzip, chunked", b"\x00chunked")
        ),
    )
    draft.framing = draw(st.lists(length | coding, max_size=3))


_MUTATIONS: tuple[Callable[[Draw[Any], Draft], None], ...] = (
    _method, _path, _query, _version, _soup, _soup, _many_fields, _without_field, _punctuation, _credential,
    _credential, _json, _json, _deep, _content, _content, _large, _coded, _chunked, _chunked,
    _chunked, _framing,
)  # fmt: skip
