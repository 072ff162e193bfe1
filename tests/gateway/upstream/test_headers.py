"""Which headers are passed on."""

from __future__ import annotations

from dhatu_gateway.core.headers import (
    REQUEST_DROPPED,
    filter_request_headers,
    filter_response_headers,
)
from dhatu_gateway.core.upstream_types import Headers

PLAIN: Headers = [(b"accept", b"*/*"), (b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")]
HOP: Headers = [
    (b"keep-alive", b"timeout=5"),
    (b"proxy-authenticate", b"Basic"),
    (b"proxy-authorization", b"Basic eA=="),
    (b"proxy-connection", b"keep-alive"),
    (b"te", b"trailers"),
    (b"trailer", b"x-sum"),
    (b"transfer-encoding", b"chunked"),
    (b"upgrade", b"h2c"),
    (b"connection", b"keep-alive, upgrade"),
]


def test_end_to_end_headers_stay_in_their_order() -> None:
    for keep in (filter_request_headers, filter_response_headers):
        assert keep(PLAIN) == PLAIN
        assert keep(HOP + PLAIN) == PLAIN
        assert keep(HOP) == []


def test_the_result_is_the_caller_s_to_change() -> None:
    for keep in (filter_request_headers, filter_response_headers):
        kept = keep(PLAIN)
        kept.append((b"x", b"y"))
        assert len(PLAIN) == 4


def test_headers_named_by_connection_go_with_it() -> None:
    headers = [*PLAIN, (b"connection", b"Close,, X-A"), (b"connection", b"x-b")]
    for keep in (filter_request_headers, filter_response_headers):
        assert keep(headers) == [(b"accept", b"*/*")]


def test_connection_cannot_take_the_length_of_an_answer_away() -> None:
    headers = [(b"content-length", b"2"), (b"connection", b"content-length")]
    assert filter_response_headers(headers) == [(b"content-length", b"2")]


def test_what_the_gateway_writes_itself_is_not_taken_from_the_client() -> None:
    written = [
        (b"host", b"evil"),
        (b"content-length", b"9"),
        (b"expect", b"100-continue"),
        (b"http2-settings", b"x"),
    ]
    assert filter_request_headers(written + PLAIN) == PLAIN
    assert filter_response_headers([(b"content-length", b"9")]) == [(b"content-length", b"9")]


def test_credentials_can_end_at_the_gateway() -> None:
    headers = [(b"authorization", b"Bearer x"), *PLAIN]
    assert filter_request_headers(headers, REQUEST_DROPPED | {b"authorization"}) == PLAIN
