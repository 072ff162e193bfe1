"""Properties of the reader that no particular answer shows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from dhatu_gateway.core.upstream.response import AnswerReader, MalformedAnswer
from dhatu_gateway.core.upstream.types import Headers, UpstreamLimits
from hypothesis import given, settings
from hypothesis import strategies as st

ROOMY = UpstreamLimits(max_headers=5)
TIGHT = UpstreamLimits(max_headers=5, max_header_bytes=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    status: int
    headers: Headers
    body: bytes
    complete: bool
    keep_alive: bool


def read(data: bytes, cuts: list[int], limits: UpstreamLimits = ROOMY) -> Read | None:
    """Read an answer in pieces; None where it was refused."""
    reader = AnswerReader(limits)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    body = b""
    try:
        for start, end in itertools.pairwise(edges):
            if start < end:
                reader.feed(data[start:end])
                body += reader.take()
    except MalformedAnswer:
        return None
    return Read(
        status=reader.status,
        headers=reader.headers,
        body=body,
        complete=reader.complete,
        keep_alive=reader.keep_alive and reader.complete,
    )


heads = st.lists(
    st.sampled_from(
        [
            b"content-length: 5\r\n",
            b"transfer-encoding: chunked\r\n",
            b"connection: close\r\n",
            b"connection: x-a\r\n",
            b"x-a: 1\r\n",
            b"set-cookie: y\r\n",
            b"x-long: " + b"z" * 90 + b"\r\n",
        ]
    ),
    max_size=7,
).map(b"".join)


def assemble(parts: tuple[bytes, int, bytes, bytes, bytes]) -> bytes:
    interim, status, head, body, rest = parts
    return b"%bHTTP/1.1 %d X\r\n%b\r\n%b%b" % (interim, status, head, body, rest)


answers = st.tuples(
    st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 X\r\nlink: a\r\n\r\n"]),
    st.sampled_from([200, 204, 304, 404, 101, 700]),
    heads,
    st.sampled_from(
        [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"2;a\r\nhe\r\n3\r\nllo\r\n0\r\nx: y\r\n\r\n"]
    ),
    st.sampled_from([b"", b"", b"junk", b"HTTP/1.1 200 OK\r\n"]),
).map(assemble)


@settings(deadline=None)  # how fast is not the question here
@given(answers, st.lists(st.integers(0, 1000), max_size=8))
def test_where_the_reads_happen_to_end_makes_no_difference(answer: bytes, cuts: list[int]) -> None:
    assert read(answer, cuts) == read(answer, [])


@settings(deadline=None)  # how fast is not the question here
@given(st.binary(max_size=400), st.lists(st.integers(0, 1000), max_size=8))
def test_any_bytes_are_an_answer_or_refused(data: bytes, cuts: list[int]) -> None:
    result = read(data, cuts)
    assert result is None or result.status == 0 or 200 <= result.status <= 599


@settings(deadline=None)  # how fast is not the question here
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=50)), max_size=5))
def test_one_reader_reads_one_answer_after_another(bodies: list[tuple[bool, bytes]]) -> None:
    reader = AnswerReader(ROOMY)
    for for_head, body in bodies:
        reader.begin(for_head=for_head)
        assert reader.untouched
        reader.feed(
            b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + (b"" if for_head else body)
        )
        assert (reader.complete, reader.keep_alive) == (True, True)
        assert reader.take() == (b"" if for_head else body)


@pytest.mark.parametrize(("count", "accepted"), [(5, True), (6, False)])
def test_the_number_of_headers_is_limited(count: int, accepted: bool) -> None:
    answer = b"HTTP/1.1 204 X\r\n" + b"a: b\r\n" * count + b"\r\n"
    assert (read(answer, []) is not None) == accepted


@pytest.mark.parametrize("cuts", [[], [20], list(range(400))])
@pytest.mark.parametrize(("size", "accepted"), [(150, True), (250, False)])
def test_the_size_of_the_head_is_limited_however_it_comes(size: int, accepted: bool, cuts: list[int]) -> None:
    answer = b"HTTP/1.1 200 OK\r\na: " + b"b" * size + b"\r\ncontent-length: 300\r\n\r\n" + b"c" * 300
    assert (read(answer, cuts, TIGHT) is not None) == accepted


def test_a_large_body_behind_a_small_head_is_not_taken_for_a_large_head() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"c" * 100_000
    result = read(answer, [], TIGHT)
    assert result is not None
    assert (result.complete, len(result.body)) == (True, 100_000)
