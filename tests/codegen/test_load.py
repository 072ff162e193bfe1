"""Values with places: YAML 1.2, JSON, and what neither may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Map, Node, plain
from dhatu_codegen.emit import to_yaml
from dhatu_codegen.ir.schema import Json
from dhatu_codegen.reading.load import load
from dhatu_codegen.reading.read_json import read_json
from dhatu_codegen.reading.read_yaml import read_yaml
from hypothesis import given
from hypothesis import strategies as st


def read(text: str) -> Map:
    diagnostics = Diagnostics()
    value = read_yaml(text, "a.yaml", diagnostics)
    assert diagnostics.all == ()
    assert isinstance(value, Map)
    return value


def problems(text: str, file: str = "a.yaml") -> list[tuple[str, str]]:
    diagnostics = Diagnostics()
    (read_json if file.endswith(".json") else read_yaml)(text, file, diagnostics)
    return [(item.code, str(item.source)) for item in diagnostics.all]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2024-01-01", "2024-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0777", 777),
        ("0o17", 15),
        ("0xff", 255),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("~", None),
        ("", None),
        ("True", True),
        ('"true"', "true"),
        ("!!str 5", "5"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(written: str, meant: Json) -> None:
    value = read(f"a: {written}\n")["a"]
    assert (value, type(value)) == (meant, type(meant))


def test_every_key_and_value_knows_its_place() -> None:
    document = Node.of(read("a:\n  b: [x,\n      {c: 1}]\n"))
    list_node = document.at("/a/b")
    assert list_node is not None
    assert str(list_node.source) == "a.yaml:2:3"
    assert str(list_node.place) == "a.yaml:2:6"
    inner = document.at("/a/b/1/c")
    assert inner is not None
    assert (str(inner.source), str(inner.place)) == ("a.yaml:3:8", "a.yaml:3:11")
    assert inner.source.pointer == "/a/b/1/c"


def test_an_alias_leads_to_the_place_of_its_anchor() -> None:
    document = Node.of(read("first: &it\n  deep: 1\nsecond: *it\n"))
    deep = document.at("/second/deep")
    assert deep is not None
    assert deep.pointer == "/second/deep"
    assert str(deep.source) == "a.yaml:2:3"


def test_a_merge_key_fills_in_and_own_keys_win() -> None:
    document = read("base: &base {a: 1, b: 2}\nmine:\n  b: 3\n  <<: *base\n")
    assert document["mine"] == {"b": 3, "a": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [("DH003", "a.yaml:3:1")]),
        ("a: [1,\n", [("DH002", "a.yaml:2:1")]),
        ("a: !!timestamp 2024-01-01\n", [("DH004", "a.yaml:1:4")]),
        ("a: .inf\n", [("DH004", "a.yaml:1:4")]),
        ("a: &a\n  b: *a\n", [("DH004", "a.yaml:1:4")]),
        ("? [x]\n: 1\n", [("DH004", "a.yaml:1:3")]),
        ("a: 1\n---\nb: 2\n", [("DH002", "a.yaml:2:1")]),
        ("a: \x07\n", [("DH002", "a.yaml:1:1")]),
        ("a: " + "[" * 5000 + "]" * 5000, [("DH002", "a.yaml:1:203")]),
        ("a: " + "['x]', " * 200_000, [("DH002", "a.yaml:1:1397")]),
        ("- " * 200_000 + "a", [("DH002", "a.yaml:1:401")]),
        ("\n".join(" " * level + "a:" for level in range(300)), [("DH002", "a.yaml:201:201")]),
    ],
)
def test_what_json_cannot_say_is_reported_where_it_stands(text: str, expected: list[tuple[str, str]]) -> None:
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n "a": 2}', [("DH003", "a.json:2:2")]),
        ('{"a": 1,}', [("DH002", "a.json:1:9")]),
        ('{"a" 1}', [("DH002", "a.json:1:6")]),
        ('{"a": 01}', [("DH002", "a.json:1:8")]),
        ('{"a": nul}', [("DH002", "a.json:1:7")]),
        ('{"a": "x}', [("DH002", "a.json:1:7")]),
        ("{} {}", [("DH002", "a.json:1:4")]),
        ("[" * 100_000, [("DH002", "a.json:1:1")]),
    ],
)
def test_broken_json_is_reported_where_it_breaks(text: str, expected: list[tuple[str, str]]) -> None:
    assert problems(text, "a.json") == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_json_is_read_as_the_standard_library_reads_it(value: dict[str, Json]) -> None:
    diagnostics = Diagnostics()
    found = read_json(json.dumps(value, ensure_ascii=False, indent=1), "a.json", diagnostics)
    assert diagnostics.all == ()
    assert json.dumps(plain(found)) == json.dumps(value)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_what_is_written_as_yaml_is_read_back_the_same(value: dict[str, Json]) -> None:
    diagnostics = Diagnostics()
    found = read_yaml(to_yaml(value, "a header"), "a.yaml", diagnostics)
    assert diagnostics.all == ()
    assert json.dumps(plain(found)) == json.dumps(value)


def test_a_file_that_is_not_utf_8_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: \xff\n")
    diagnostics = Diagnostics()
    assert load(tmp_path, "a.yaml", diagnostics) is None
    assert [(item.code, item.source.line) for item in diagnostics.all] == [("DH001", 2)]


@pytest.mark.parametrize("text", ["", "- a\n", "just text"])
def test_a_document_is_an_object(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    diagnostics = Diagnostics()
    assert load(tmp_path, "a.yaml", diagnostics) is None
    assert [item.code for item in diagnostics.all] == ["DH002"]
