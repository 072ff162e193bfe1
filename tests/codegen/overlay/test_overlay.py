"""Overlays: the rules of the Overlay Specification, the places of what they write, and what they refuse."""

from __future__ import annotations

from textwrap import dedent

import pytest
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.document import Map, Node, Seq, plain
from dhatu_codegen.ir.schema import Json
from dhatu_codegen.overlay import apply_overlay
from dhatu_codegen.overlay.actions import duplicate
from dhatu_codegen.reading.read_json import read_json
from dhatu_codegen.reading.read_yaml import read_yaml
from hypothesis import given
from hypothesis import strategies as st

DOCUMENT = """\
info: {title: T, version: 1}
tags: [{name: a}, {name: b}]
paths:
  /a:
    get: {tags: [a], summary: S}
    put: {tags: [a], deprecated: true}
  /b:
    get: {tags: [b], x-internal: true}
"""


class Applied:
    """A document after an overlay, and what was wrong."""

    def __init__(
        self, actions: str, *, version: str = "1.1.0", head: str = "", document: str = DOCUMENT
    ) -> None:
        self.diagnostics = Diagnostics()
        text = f"overlay: {version}\ninfo: {{title: O, version: 1.0.0}}\n{head}actions:\n" + dedent(actions)
        self.before = self._read(document, "spec/services/a.yaml")
        self.overlay = self._read(text, "spec/overlays/o.yaml")
        self.document = apply_overlay(self.before, self.overlay, self.diagnostics)
        self.found = [(item.code, str(item.source).rpartition("/")[2]) for item in self.diagnostics.all]
        self.report = "\n".join(self.diagnostics.render(item) for item in self.diagnostics.all)

    def _read(self, text: str, file: str) -> Map:
        read = read_yaml(text, file, self.diagnostics)
        assert isinstance(read, Map)
        return read

    def at(self, pointer: str) -> Json:
        return self.node(pointer).value

    def node(self, pointer: str) -> Node:
        found = Node.of(self.document).at(pointer)
        assert found is not None, pointer
        return found


def test_objects_are_merged_to_any_depth() -> None:
    applied = Applied("- {target: $, update: {info: {title: U, license: {name: MIT}}, x-new: [1]}}\n")
    assert applied.found == []
    assert applied.at("/info") == {"title": "U", "version": 1, "license": {"name": "MIT"}}
    assert applied.at("/x-new") == [1]
    assert list(applied.document) == ["info", "tags", "paths", "x-new"]


def test_arrays_within_objects_are_joined() -> None:
    applied = Applied("- {target: $.paths.*.get, update: {tags: [c, d]}}\n")
    assert applied.at("/paths/~1a/get/tags") == ["a", "c", "d"]
    assert applied.at("/paths/~1b/get/tags") == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("update", "after"),
    [
        ("[{name: c}, {name: d}]", [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d"}]),
        ("{name: c}", [{"name": "a"}, {"name": "b"}, {"name": "c"}]),
        ("c", [{"name": "a"}, {"name": "b"}, "c"]),
    ],
)
@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_an_array_takes_an_array_or_one_more_element(version: str, update: str, after: Json) -> None:
    applied = Applied(f"- {{target: $.tags, update: {update}}}\n", version=version)
    assert applied.found == []
    assert applied.at("/tags") == after


def test_plain_values_are_replaced_since_1_1() -> None:
    actions = "- {target: \"$..tags[?@ == 'a']\", update: c}\n- {target: $.info.title, update: null}\n"
    applied = Applied(actions)
    assert applied.found == []
    assert applied.at("/paths/~1a/get/tags") == ["c"]
    assert applied.at("/info/title") is None
    assert Applied(actions, version="1.0.0").found == [("DH069", "o.yaml:4:42"), ("DH069", "o.yaml:5:34")]


def test_nodes_are_removed_from_objects_and_arrays() -> None:
    applied = Applied(
        """\
        - {target: "$.paths.*[?@['x-internal'] || @.deprecated]", remove: true}
        - {target: "$.tags[0, 0, 1]", remove: true}
        - {target: $.info..version, remove: true}
        """
    )
    assert applied.found == []
    assert plain(applied.document) == {
        "info": {"title": "T"},
        "tags": [],
        "paths": {"/a": {"get": {"tags": ["a"], "summary": "S"}}, "/b": {}},
    }


def test_a_node_goes_with_what_it_holds() -> None:
    applied = Applied("- {target: $.paths..*, remove: true}\n")
    assert applied.found == []
    assert applied.at("/paths") == {}


def test_actions_work_on_what_the_last_one_left() -> None:
    applied = Applied(
        """\
        - {target: $.info, remove: true}
        - {target: $, update: {info: {title: New}}}
        - {target: $.info, update: {version: 2}}
        """
    )
    assert applied.found == []
    assert applied.at("/info") == {"title": "New", "version": 2}


def test_remove_wins_over_update_in_1_0_and_false_does_nothing() -> None:
    applied = Applied(
        """\
        - {target: $.info, remove: true, update: {a: 1}}
        - {target: $.tags, remove: false}
        - {target: $.paths, remove: false, update: {x-a: 1}}
        """,
        version="1.0.1",
    )
    assert applied.found == []
    assert "info" not in applied.document
    assert applied.at("/paths/x-a") == 1


def test_a_node_is_copied_into_what_is_there() -> None:
    applied = Applied(
        """\
        - {target: $.paths, update: {/c: {}}}
        - {target: "$.paths['/c']", copy: "$.paths['/a']"}
        - {target: "$.paths['/b']", copy: "$.paths['/a']"}
        - {target: $.tags, copy: "$.tags[0]"}
        - {target: $.paths.*.get.tags, update: z}
        """
    )
    assert applied.found == []
    assert applied.at("/paths/~1c/get/tags") == ["a", "z"]
    assert applied.at("/paths/~1b/get") == {"tags": ["b", "a", "z"], "x-internal": True, "summary": "S"}
    assert applied.at("/paths/~1a/get/tags") == ["a", "z"]
    assert applied.at("/tags/2") == {"name": "a"}


def test_what_an_overlay_writes_stands_where_it_says_it() -> None:
    applied = Applied(
        """\
        - target: $.info
          update:
            title: U
            license: {name: MIT}
        - {target: $.tags, update: [{name: c}]}
        - {target: "$.paths['/a'].get.summary", update: New}
        - target: $.paths['/b']
          copy: $.paths['/a']
        """
    )
    assert applied.found == []
    places = {
        "/info": "a.yaml:1:1",
        "/info/version": "a.yaml:1:18",
        "/info/title": "o.yaml:6:5",
        "/info/license/name": "o.yaml:7:15",
        "/tags/1/name": "a.yaml:2:20",
        "/tags/2/name": "o.yaml:8:30",
        "/paths/~1a/get/summary": "o.yaml:9:41",
        "/paths/~1b/put/deprecated": "o.yaml:11:9",
        "/paths/~1b/get": "a.yaml:8:5",
    }
    assert {pointer: str(applied.node(pointer).source).rpartition("/")[2] for pointer in places} == places


def test_the_document_itself_stays_as_it_was() -> None:
    applied = Applied("- {target: $.paths.*, update: {x-a: 1}}\n- {target: $.info, remove: true}\n")
    assert applied.before == read_yaml(DOCUMENT, "", Diagnostics())


def test_what_aliases_share_is_changed_where_the_target_says() -> None:
    applied = Applied("- {target: $.b, update: {x: 1}}\n", document="a: &it {y: 2}\nb: *it\n")
    assert plain(applied.document) == {"a": {"y": 2}, "b": {"y": 2, "x": 1}}


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("$.path", "did you mean 'paths'?"),
        ("$.paths['/aa'].get", "did you mean '/a'?"),
        ("$.paths['/a'].post.tags", "there is no 'post' there; known: 'get', 'put'"),
        ("$..summry", "did you mean 'summary'?"),
        ("$.info.license", "there is no 'license' there; known: 'title', 'version'"),
        ("$.tags[?@.name == 'c']", "what stands before the last brackets selects something, they do not"),
    ],
)
def test_a_target_that_selects_nothing_is_an_error_with_the_nearest_name(target: str, hint: str) -> None:
    applied = Applied(f'- target: "{target}"\n  remove: true\n')
    assert applied.found == [("DH067", "o.yaml:4:11")]
    assert f"{target} selects nothing" in applied.report
    assert f"hint: {hint}" in applied.report


def test_a_source_that_selects_nothing_is_one_too() -> None:
    assert Applied("- {target: $.info, copy: $.inf}\n").found == [("DH067", "o.yaml:4:26")]


def test_what_is_no_query_is_refused_at_its_place() -> None:
    applied = Applied("- {target: $.paths./a, remove: true}\n")
    assert applied.found == [("DH068", "o.yaml:4:12")]
    assert "after 8 characters" in applied.report


@pytest.mark.parametrize(
    ("action", "place", "words"),
    [
        ("{target: $, remove: true}", "4:12", "the whole document"),
        ("{target: '$.paths.*', copy: $.tags.*}", "4:31", "selects 2 nodes"),
        ("{target: $.*, update: {}}", "4:12", "arrays and objects"),
        ("{target: $.info, update: [1]}", "4:28", "arrays cannot be merged with objects"),
        ("{target: $.info.title, update: {}}", "4:34", "objects cannot be merged with plain values"),
        ("{target: $, update: {info: {title: [a]}}}", "4:31", "arrays cannot be merged with plain values"),
        ("{target: $, update: {tags: }}", "4:24", "plain values cannot be merged with arrays"),
    ],
)
def test_an_action_that_does_not_fit_is_refused(action: str, place: str, words: str) -> None:
    applied = Applied(f"- {action}\n")
    assert applied.found == [("DH069", f"o.yaml:{place}")]
    assert words in applied.report


def test_values_that_do_not_fit_are_both_shown() -> None:
    applied = Applied("- {target: $, update: {info: {title: [a]}}}\n")
    ((first, *_),) = [item.related for item in applied.diagnostics.all]
    assert str(first.source) == "spec/services/a.yaml:1:8"


HEAD = "overlay: 1.1.0\ninfo: {title: a, version: b}\n"
HEAD_1_0 = HEAD.replace("1.1.0", "1.0.0")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("overlay: 1.2.0\ninfo: {title: a, version: b}\nactions: [{target: $.a, remove: true}]", "1:10"),
        ("overlay: 1.1\ninfo: {title: a, version: b}\nactions: [{target: $.a, remove: true}]", "1:10"),
        ("info: {title: a, version: b}\nactions: [{target: $.a, remove: true}]", "1:1"),
        ("overlay: 1.0.0\ninfo: {title: a}\nactions: [{target: $.a, remove: true}]", "2:7"),
        ("overlay: 1.0.0\ninfo: {title: a, version: 1}\nactions: [{target: $.a, remove: true}]", "2:27"),
        ("overlay: 1.0.0\nactions: [{target: $.a, remove: true}]", "1:1"),
        (HEAD_1_0 + "actions: []", "3:10"),
        (HEAD_1_0 + "actions: [a]", "3:11"),
        (HEAD_1_0 + "actions: [{remove: true}]", "3:11"),
        (HEAD_1_0 + "actions: [{target: 1, remove: true}]", "3:20"),
        (HEAD_1_0 + "actions: [{target: $.a}]", "3:11"),
        (HEAD_1_0 + "actions: [{target: $.a, remove: 1}]", "3:33"),
        (
            HEAD_1_0 + "actions: [{target: $.a, copy: $.b, remove: true}]",
            "3:25",
        ),
        (
            HEAD + "actions: [{target: $.a, copy: $.b, update: 1}]",
            "3:25",
        ),
        (
            HEAD + "actions: [{target: $.a, delete: true, remove: true}]",
            "3:25",
        ),
        (
            HEAD + "actons: []\nactions: [{target: $.a, remove: true}]",
            "3:1",
        ),
    ],
)
def test_an_overlay_that_is_none_is_refused_where_it_goes_wrong(text: str, place: str) -> None:
    diagnostics = Diagnostics()
    document, overlay = (read_yaml(written, "o.yaml", diagnostics) for written in ("a: 1\n", text + "\n"))
    assert isinstance(document, Map)
    assert isinstance(overlay, Map)
    assert apply_overlay(document, overlay, diagnostics) is document
    assert [(item.code, str(item.source)) for item in diagnostics.all] == [("DH066", f"o.yaml:{place}")]


@pytest.mark.parametrize(
    "extends", ["../services/a.yaml", "../services/./a.yaml", "https://example.com/openapi.yaml"]
)
def test_an_overlay_may_say_which_document_it_is_for(extends: str) -> None:
    applied = Applied("- {target: $.info, remove: true}\n", head=f"extends: {extends}\n")
    assert applied.found == []
    assert "info" not in applied.document


def test_an_overlay_for_another_document_is_refused() -> None:
    applied = Applied("- {target: $.info, remove: true}\n", head="extends: ../services/b.yaml\n")
    assert applied.found == [("DH069", "o.yaml:3:10")]
    assert "info" in applied.document


trees = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
roots = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


def merged(old: Json, new: Json) -> Json:
    """The rules of section 4.4.3, on plain values."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old[key], new[key]) if key in old else new[key] for key in new}}
    if isinstance(old, list) and isinstance(new, list):
        return old + new
    assert isinstance(old, dict | list) == isinstance(new, dict | list) == False  # noqa: E712
    return new


@given(roots, roots)
def test_an_update_of_the_root_is_the_merge_of_the_specification(
    old: dict[str, Json], new: dict[str, Json]
) -> None:
    import json

    diagnostics = Diagnostics()
    text = {
        "overlay": "1.1.0",
        "info": {"title": "", "version": ""},
        "actions": [{"target": "$", "update": new}],
    }
    document = read_json(json.dumps(old), "a.json", diagnostics)
    written = read_json(json.dumps(text), "o.json", diagnostics)
    assert isinstance(document, Map)
    assert isinstance(written, Map)
    after = plain(apply_overlay(document, written, diagnostics))
    try:
        expected = merged(old, new)
    except AssertionError:
        assert {item.code for item in diagnostics.all} == {"DH069"}
    else:
        assert diagnostics.all == ()
        assert json.dumps(after, sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_a_duplicate_shares_nothing_and_keeps_places() -> None:
    value = read_yaml("a: [{b: 1}]\n", "a.yaml", Diagnostics())
    copy = duplicate(value)
    assert isinstance(value, Map)
    assert isinstance(copy, Map)
    assert copy == value
    old, new = value["a"], copy["a"]
    assert isinstance(old, Seq)
    assert isinstance(new, Seq)
    assert old is not new
    assert new.places == old.places
    assert copy.places == value.places
