"""Every style of parameter, against the tables of OpenAPI 3.1 and against a decoder of its own."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Any
from urllib.parse import unquote

import pytest
from dhatu_client._call import ParameterSpec
from dhatu_client._encoding.parameters import cookie_pairs, header_text, path_segment, query_pairs
from dhatu_client._errors import ArgumentError
from hypothesis import given
from hypothesis import strategies as st
from sdk.support import parameter

LIST = ["blue", "black", "brown"]
MAP = {"R": 100, "G": 200, "B": 150}


def in_path(style: str, explode: bool, value: object) -> str:
    return path_segment(parameter("color", "path", style=style, explode=explode), value)


def in_query(style: str, explode: bool, value: object, **changes: Any) -> str:
    spec = parameter("color", "query", style=style, explode=explode, **changes)
    return "&".join(f"{name}={text}" for name, text in query_pairs(spec, value))


@pytest.mark.parametrize(
    ("style", "explode", "value", "expected"),
    [
        ("matrix", False, "blue", ";color=blue"),
        ("matrix", False, LIST, ";color=blue,black,brown"),
        ("matrix", False, MAP, ";color=R,100,G,200,B,150"),
        ("matrix", True, LIST, ";color=blue;color=black;color=brown"),
        ("matrix", True, MAP, ";R=100;G=200;B=150"),
        ("label", False, "blue", ".blue"),
        ("label", False, LIST, ".blue,black,brown"),
        ("label", False, MAP, ".R,100,G,200,B,150"),
        ("label", True, LIST, ".blue.black.brown"),
        ("label", True, MAP, ".R=100.G=200.B=150"),
        ("simple", False, "blue", "blue"),
        ("simple", False, LIST, "blue,black,brown"),
        ("simple", False, MAP, "R,100,G,200,B,150"),
        ("simple", True, MAP, "R=100,G=200,B=150"),
    ],
)
def test_the_path_table(style: str, explode: bool, value: object, expected: str) -> None:
    assert in_path(style, explode, value) == expected


@pytest.mark.parametrize(
    ("style", "explode", "value", "expected"),
    [
        ("form", False, "", "color="),
        ("form", False, "blue", "color=blue"),
        ("form", False, LIST, "color=blue,black,brown"),
        ("form", False, MAP, "color=R,100,G,200,B,150"),
        ("form", True, LIST, "color=blue&color=black&color=brown"),
        ("form", True, MAP, "R=100&G=200&B=150"),
        ("spaceDelimited", False, LIST, "color=blue%20black%20brown"),
        ("spaceDelimited", False, MAP, "color=R%20100%20G%20200%20B%20150"),
        ("pipeDelimited", False, LIST, "color=blue%7Cblack%7Cbrown"),
        ("pipeDelimited", False, MAP, "color=R%7C100%7CG%7C200%7CB%7C150"),
        ("deepObject", True, MAP, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
        ("deepObject", True, {"a": {"b": [1, 2]}}, "color%5Ba%5D%5Bb%5D=1&color%5Ba%5D%5Bb%5D=2"),
        ("form", True, [], ""),
        ("form", False, [], ""),
        ("form", False, {}, ""),
        ("form", True, True, "color=true"),
        ("form", True, None, "color=null"),
        ("form", True, 1.5, "color=1.5"),
        ("form", True, "a b&c=d/ś+%", "color=a%20b%26c%3Dd%2F%C5%9B%2B%25"),
    ],
)
def test_the_query_table(style: str, explode: bool, value: object, expected: str) -> None:
    assert in_query(style, explode, value) == expected


def test_reserved_characters_stay_where_they_may() -> None:
    assert in_query("form", True, "a/b?c:d@e,f;g#h&i+j[k]%", allow_reserved=True) == (
        "color=a/b?c:d@e,f;g%23h%26i%2Bj%5Bk%5D%25"
    )


def test_content_travels_as_json() -> None:
    assert in_query("form", True, {"a": [1, "ś"]}, content_type="application/json") == (
        "color=%7B%22a%22%3A%5B1%2C%22%C5%9B%22%5D%7D"
    )
    assert in_query("form", True, "plain", content_type="text/plain") == "color=plain"


def test_text_in_another_media_type_travels_as_it_is() -> None:
    assert in_query("form", True, "<a/>", content_type="application/xml") == "color=%3Ca%2F%3E"


def test_reserved_characters_never_end_a_segment_or_an_item() -> None:
    spec = parameter("color", "path", allow_reserved=True)
    assert path_segment(spec, "a/b?c:d@e") == "a%2Fb%3Fc:d@e"
    assert in_query("form", False, ["a,b", "c/d"], allow_reserved=True) == "color=a%2Cb,c/d"


@pytest.mark.parametrize(
    ("explode", "value", "expected"),
    [
        (False, "a", ["color=a"]),
        (False, [1, 2], ["color=1,2"]),
        (True, [1, 2], ["color=1", "color=2"]),
        (True, {"R": 1, "G": 2}, ["R=1", "G=2"]),
        (False, {"R": 1, "G": 2}, ["color=R,1,G,2"]),
        (True, [], []),
        (False, {}, []),
    ],
)
def test_cookies_of_their_own_style_are_not_encoded(
    explode: bool, value: object, expected: list[str]
) -> None:
    spec = parameter("color", "cookie", style="cookie", explode=explode)
    assert [f"{name}={text}" for name, text in cookie_pairs(spec, value)] == expected
    with pytest.raises(ArgumentError, match="the cookie color holds a space"):
        cookie_pairs(spec, "a; b=c")


@pytest.mark.parametrize(
    ("location", "style", "value"),
    [
        ("query", "spaceDelimited", ["a b"]),
        ("query", "pipeDelimited", {"a|b": 1}),
        ("query", "deepObject", {"a][b": 1}),
        ("query", "deepObject", {"a": {"": 1}}),
        ("header", "simple", ["a,b"]),
        ("header", "simple", {"a,b": 1}),
    ],
)
def test_an_item_that_would_come_apart_is_refused(location: str, style: str, value: object) -> None:
    spec = parameter("color", location, style=style, explode=False)
    with pytest.raises(ArgumentError, match=r"color may (be empty or )?hold"):
        (query_pairs if location == "query" else header_text)(spec, value)


class Hue(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime.datetime(2026, 8, 21, 9, 30, tzinfo=datetime.UTC), "color=2026-08-21T09%3A30%3A00Z"),
        (datetime.date(2026, 8, 21), "color=2026-08-21"),
        (uuid.UUID(int=7), "color=00000000-0000-0000-0000-000000000007"),
        (Hue.RED, "color=red"),
        ([Hue.RED, Hue.RED], "color=red&color=red"),
        ((1, 2), "color=1&color=2"),
    ],
)
def test_pythons_own_types(value: object, expected: str) -> None:
    assert in_query("form", True, value) == expected


@pytest.mark.parametrize("value", ["", [], {}, [""]])
def test_a_path_parameter_must_not_vanish(value: object) -> None:
    with pytest.raises(ArgumentError, match="color must not be empty"):
        in_path("simple", False, value)


@pytest.mark.parametrize(
    "value",
    [[[1]], {"a": {"b": 1}}, float("nan"), object(), "\ud800"],
    ids=["list in list", "object in object", "nan", "object", "surrogate"],
)
def test_what_cannot_be_written_is_refused(value: object) -> None:
    with pytest.raises(ArgumentError):
        in_query("form", True, value)


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "\0", " a", "a "])
def test_a_header_cannot_be_split(text: str) -> None:
    with pytest.raises(ArgumentError, match="the value of header color") as raised:
        header_text(parameter("color", "header"), text)
    assert "Evil" not in str(raised.value)


@pytest.mark.parametrize(
    ("explode", "value", "expected"),
    [
        (False, LIST, "blue,black,brown"),
        (False, MAP, "R,100,G,200,B,150"),
        (True, MAP, "R=100,G=200,B=150"),
        (False, "50% ś", "50% ś"),
    ],
)
def test_headers_are_not_percent_encoded(explode: bool, value: object, expected: str) -> None:
    assert header_text(parameter("color", "header", explode=explode), value) == expected


# What follows reads the text back as a server would, by a second way of thinking: split first, then unquote.

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.text("abcXYZ-_.~ ś/&=,;|[]%", min_size=1, max_size=5)


def decoded_pairs(spec: ParameterSpec, value: object) -> list[tuple[str, str]]:
    query = "&".join(f"{name}={text}" for name, text in query_pairs(spec, value))
    assert query.isascii()
    assert not set(query) & set(' "<>#\\^`{}|\r\n')
    pairs = [pair.split("=", 1) for pair in query.split("&")] if query else []
    return [(name, text) for name, text in pairs]


@given(text)
def test_any_text_survives_the_query(value: str) -> None:
    for allow_reserved in (False, True):
        spec = parameter("q", "query", allow_reserved=allow_reserved)
        assert [(name, unquote(text)) for name, text in decoded_pairs(spec, value)] == [("q", value)]


@given(text.filter(bool))
def test_any_text_survives_the_path(value: str) -> None:
    segment = in_path("simple", False, value)
    assert "/" not in segment
    assert "?" not in segment
    assert unquote(segment) == value


@given(st.lists(text, min_size=1, max_size=5))
def test_any_list_survives_each_style(values: list[str]) -> None:
    exploded = decoded_pairs(parameter("q", "query"), values)
    assert [unquote(text) for _, text in exploded] == values
    ((_, joined),) = decoded_pairs(parameter("q", "query", explode=False), values)
    assert [unquote(item) for item in joined.split(",")] == values
    if values != [""]:  # would leave nothing of the segment
        assert [unquote(item) for item in in_path("simple", False, values).split(",")] == values
    assert [unquote(item) for item in in_path("label", True, values)[1:].split(".")] == values
    assert [unquote(item) for item in in_path("matrix", True, values).split(";color=")[1:]] == values


@given(st.lists(text.filter(lambda item: not set(item) & set(" |")), min_size=1, max_size=5))
def test_any_list_without_the_delimiter_survives_it(values: list[str]) -> None:
    for style, delimiter in (("spaceDelimited", " "), ("pipeDelimited", "|")):
        ((_, joined),) = decoded_pairs(parameter("q", "query", style=style, explode=False), values)
        assert unquote(joined).split(delimiter) == values


@given(st.dictionaries(names, text, max_size=4))
def test_any_object_survives(value: dict[str, str]) -> None:
    exploded = decoded_pairs(parameter("q", "query"), value)
    assert {unquote(name): unquote(text) for name, text in exploded} == value
    if not any(set(name) & set("[]") for name in value):
        deep = decoded_pairs(parameter("q", "query", style="deepObject"), value)
        assert {unquote(name)[2:-1]: unquote(text) for name, text in deep} == value
    for _, joined in decoded_pairs(parameter("q", "query", explode=False), value):
        items = [unquote(item) for item in joined.split(",")]
        assert dict(zip(items[::2], items[1::2], strict=True)) == value
