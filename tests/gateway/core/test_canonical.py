"""One form of the path: equal paths become one, and paths with two readings are refused."""

from __future__ import annotations

import string

import pytest
from dhatu_gateway.core.canonical import canonical_path
from dhatu_gateway.core.problem import ProblemError
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b"/", "/"),
        (b"/a/b", "/a/b"),
        (b"/a/b/", "/a/b/"),
        (b"/%61/%7e-%5F", "/a/~-_"),
        (b"/caf%c3%a9", "/caf%C3%A9"),
        (b"/a%20b", "/a%20b"),
        (b"/100%25", "/100%25"),
        (b"/a;v=1,2/@(x)!$&'*+=:", "/a;v=1,2/@(x)!$&'*+=:"),
        (b"/...", "/..."),
        (b"/.well-known/x", "/.well-known/x"),
    ],
)
def test_equivalent_paths_become_one(raw: bytes, canonical: str) -> None:
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "slash"),
        (b"a", "slash"),
        (b"*", "slash"),
        (b"/a//b", "empty segment"),
        (b"//", "empty segment"),
        (b"/a/../b", "dot segment"),
        (b"/a/.", "dot segment"),
        (b"/%2e%2E/b", "dot segment"),
        (b"/.%2e/b", "dot segment"),
        (b"/%252e%252e/b", "dot segment"),
        (b"/%25252e./b", "dot segment"),
        (b"/a/..;/b", "dot segment"),
        (b"/a/..%3b/b", "dot segment"),
        (b"/a%2fb", "encoded slash"),
        (b"/a%252Fb", "encoded slash"),
        (b"/a%5cb", "backslash"),
        (b"/a\\b", "backslash"),
        (b"/a%00b", "control"),
        (b"/a%0d%0ab", "control"),
        (b"/a%7f", "control"),
        (b"/a\x00", "0x00"),
        (b"/a b", "0x20"),
        (b"/caf\xc3\xa9", "0xC3"),
        (b"/%zz", "per cent"),
        (b"/a%2", "per cent"),
        (b"/%c0%ae%c0%ae/", "UTF-8"),
        (b"/%ff", "UTF-8"),
        (b"/a#b", "0x23"),
    ],
)
def test_paths_with_two_readings_are_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(ProblemError, match=reason) as caught:
        canonical_path(raw)
    assert caught.value.problem.status == 400


PIECES = st.sampled_from(
    ["/", ".", "..", "%2e", "%25", "2e", "%2F", "%5c", "%41", "%c3%a9", "a", ";", "%3B", "\\"]
)
RAW = st.one_of(
    st.lists(PIECES, max_size=8).map(lambda parts: ("/" + "".join(parts)).encode()),
    st.text(alphabet=string.printable, max_size=20).map(lambda text: ("/" + text).encode()),
    st.binary(max_size=12).map(lambda data: b"/" + data),
)


@settings(deadline=None)  # the machine may be busy
@given(raw=RAW)
def test_the_canonical_form_is_stable_and_stays_where_it_is(raw: bytes) -> None:
    try:
        path = canonical_path(raw)
    except ProblemError:
        return
    assert canonical_path(path.encode("ascii")) == path
    assert path.startswith("/")
    assert "//" not in path
    for reading in (path, path.replace("%25", "%"), path.replace("%25", "%").replace("%25", "%")):
        lowered = reading.lower()
        assert not {"%2f", "%5c", "%00", "%2e"} & {lowered[i : i + 3] for i in range(len(lowered))} or (
            "%2e" in lowered
            and not {segment.replace("%2e", ".") for segment in lowered.split("/")} & {".", ".."}
        )
        assert not {segment.partition(";")[0] for segment in reading.split("/")} & {".", ".."}
