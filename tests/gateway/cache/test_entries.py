"""What may be kept, for how long, and when it may be given: RFC 9111's rules on given times."""

from __future__ import annotations

import pytest
from dhatu_gateway.core.cache.conditions import is_unchanged
from dhatu_gateway.core.cache.directives import Directives, parse_directives
from dhatu_gateway.core.cache.entries import (
    Entry,
    Rules,
    Variants,
    decode_kept,
    encode_kept,
    is_usable,
    make_entry,
    renewed,
    stands_in,
    storable,
)
from dhatu_gateway.core.exchange import Header
from hypothesis import given
from hypothesis import strategies as st

NOW_S = 1_764_288_000.0  # Fri, 28 Nov 2025 00:00:00 GMT
RULES = Rules(ttl_s=30.0, stale_if_error_s=300.0)
NOTHING = Directives()


def fields(**named: str) -> tuple[Header, ...]:
    return tuple((name.replace("_", "-").encode(), value.encode()) for name, value in named.items())


def kept(**named: str) -> Entry:
    return make_entry(200, fields(**named), b"body", RULES, now_s=NOW_S)


@pytest.mark.parametrize(
    ("named", "fresh_s"),
    [
        ({}, 30),
        ({"cache_control": "max-age=5"}, 5),
        ({"cache_control": "max-age=5, s-maxage=7"}, 7),
        ({"cache_control": 'MAX-AGE="5"'}, 5),
        ({"cache_control": "max-age=5, max-age=9"}, 5),
        ({"cache_control": "max-age=soon"}, 0),
        ({"cache_control": "max-age=-1"}, 0),
        ({"cache_control": "max-age=99999999999999"}, 2**31),
        ({"cache_control": "no-cache, max-age=5"}, 0),
        ({"expires": "Fri, 28 Nov 2025 00:01:00 GMT"}, 60),
        ({"expires": "0"}, 0),
        ({"date": "Thu, 27 Nov 2025 23:59:50 GMT", "expires": "Fri, 28 Nov 2025 00:00:00 GMT"}, 10),
        ({"cache_control": "max-age=5", "expires": "Fri, 28 Nov 2025 00:01:00 GMT"}, 5),
    ],
)
def test_how_long_an_answer_is_fresh(named: dict[str, str], fresh_s: float) -> None:
    assert kept(**named).fresh_s == fresh_s


@pytest.mark.parametrize(
    ("named", "age_s"),
    [
        ({}, 0),
        ({"age": "12"}, 12),
        ({"date": "Thu, 27 Nov 2025 23:59:50 GMT"}, 10),
        ({"age": "12", "date": "Thu, 27 Nov 2025 23:59:50 GMT"}, 12),
        ({"date": "Fri, 28 Nov 2025 00:10:00 GMT"}, 0),
        ({"age": "-3"}, 0),
        ({"date": "yesterday"}, 0),
    ],
)
def test_how_old_an_answer_is_on_arrival(named: dict[str, str], age_s: float) -> None:
    entry = kept(**named)
    assert entry.age_s(NOW_S) == age_s
    assert entry.age_s(NOW_S + 5) == age_s + 5
    assert entry.age_s(NOW_S - 1_000) == age_s  # a clock that was set back makes nothing younger


@pytest.mark.parametrize(
    ("status", "named", "asked", "shared", "expected"),
    [
        (200, {}, "", True, True),
        (404, {}, "", True, True),
        (200, {"cache_control": "no-store"}, "", False, False),
        (200, {}, "no-store", False, False),
        (200, {"cache_control": "private"}, "", True, False),
        (200, {"cache_control": "private"}, "", False, True),
        (200, {"set_cookie": "a=b"}, "", False, False),
        (200, {"vary": "*"}, "", False, False),
        (200, {"vary": "accept, *"}, "", False, False),
        (206, {"content_range": "bytes 0-1/2"}, "", True, False),
        (500, {}, "", True, False),
        (302, {}, "", True, False),
    ],
)
def test_what_may_be_kept(
    status: int, named: dict[str, str], asked: str, shared: bool, expected: bool
) -> None:
    directives = parse_directives(asked.encode())
    assert storable(status, fields(**named), directives, RULES, shared=shared) is expected


def test_without_a_word_from_anybody_nothing_is_kept() -> None:
    silent = Rules(ttl_s=0.0, stale_if_error_s=0.0)
    assert not storable(200, (), NOTHING, silent, shared=True)
    assert storable(200, fields(cache_control="max-age=3"), NOTHING, silent, shared=True)


@pytest.mark.parametrize(
    ("asked", "after_s", "expected"),
    [
        ("", 29, True),
        ("", 31, False),
        ("no-cache", 1, False),
        ("max-age=10", 9, True),
        ("max-age=10", 11, False),
        ("min-fresh=20", 9, True),
        ("min-fresh=20", 11, False),
        ("max-stale", 1_000, True),
        ("max-stale=10", 39, True),
        ("max-stale=10", 41, False),
    ],
)
def test_what_a_client_may_ask_of_the_age(asked: str, after_s: float, expected: bool) -> None:
    assert is_usable(kept(), parse_directives(asked.encode()), now_s=NOW_S + after_s) is expected


@pytest.mark.parametrize("told", ["must-revalidate", "proxy-revalidate", "s-maxage=5", "no-cache"])
def test_an_answer_that_must_be_checked_is_never_given_stale(told: str) -> None:
    entry = kept(cache_control=f"max-age=5, {told}")
    asked = parse_directives(b"max-stale=1000")
    assert not is_usable(entry, asked, now_s=NOW_S + 6)
    assert not stands_in(entry, now_s=NOW_S + 6)


def test_how_long_an_answer_stands_in_for_an_error() -> None:
    assert stands_in(kept(), now_s=NOW_S + 330)
    assert not stands_in(kept(), now_s=NOW_S + 331)
    assert not stands_in(kept(cache_control="max-age=30, stale-if-error=5"), now_s=NOW_S + 36)


def test_a_304_renews_what_is_kept() -> None:
    entry = kept(etag='"1"', content_type="text/plain", x_kind="old", cache_control="max-age=5")
    later = renewed(entry, fields(etag='"1"', x_kind="new", content_length="0"), RULES, now_s=NOW_S + 100)
    assert later.body == b"body"
    assert later.age_s(NOW_S + 100) == 0
    assert later.fresh_s == 5
    assert dict(later.headers)[b"x-kind"] == b"new"
    assert dict(later.headers)[b"content-type"] == b"text/plain"
    assert b"content-length" not in dict(later.headers)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({b"if-none-match": b'"1"'}, True),
        ({b"if-none-match": b'W/"1"'}, True),
        ({b"if-none-match": b'"2", W/"1"'}, True),
        ({b"if-none-match": b'"2, \\"1"'}, False),
        ({b"if-none-match": b'"2"'}, False),
        ({b"if-none-match": b"*"}, True),
        ({b"if-modified-since": b"Fri, 28 Nov 2025 00:00:00 GMT"}, True),
        ({b"if-modified-since": b"Thu, 27 Nov 2025 00:00:00 GMT"}, False),
        ({b"if-none-match": b'"2"', b"if-modified-since": b"Fri, 28 Nov 2025 00:00:00 GMT"}, False),
        ({b"if-modified-since": b"when I was young"}, False),
        ({}, False),
    ],
)
def test_what_a_client_has_already(asked: dict[bytes, bytes], expected: bool) -> None:
    entry = kept(etag='"1"', last_modified="Thu, 27 Nov 2025 12:00:00 GMT")
    assert is_unchanged(entry, asked) is expected


header_values = st.binary(max_size=12).filter(lambda value: not set(value) & set(b"\r\n\0"))


@given(
    st.lists(st.tuples(header_values, header_values), max_size=5),
    st.binary(max_size=50),
    st.floats(min_value=0, max_value=2**40),
    st.booleans(),
)
def test_what_is_written_down_is_read_again(
    headers: list[Header], body: bytes, seconds: float, checked: bool
) -> None:
    entry = Entry(
        status=200,
        headers=tuple(headers),
        body=body,
        stored_at_s=seconds,
        initial_age_s=1.5,
        fresh_s=seconds,
        stale_if_error_s=0.25,
        must_revalidate=checked,
    )
    assert decode_kept(encode_kept(entry)) == entry


def test_names_of_variants_are_read_again() -> None:
    variants = Variants(names=(b"accept", b"x-\xe9"))
    assert decode_kept(encode_kept(variants)) == variants


@given(st.binary(max_size=60))
def test_any_field_can_be_read(field: bytes) -> None:
    found = parse_directives(field)
    assert found.max_age_s is None or found.max_age_s >= 0


def test_repeated_fields_of_an_answer_count_together() -> None:
    twice = ((b"cache-control", b"no-store"), (b"cache-control", b"max-age=60"))
    assert not storable(200, twice, NOTHING, RULES, shared=True)
    entry = make_entry(200, ((b"vary", b"accept"), (b"vary", b"x-script")), b"", RULES, now_s=NOW_S)
    assert entry.varies_by == (b"accept", b"x-script")
