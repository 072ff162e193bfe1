"""JSONPath: the examples of RFC 9535, section by section, and what is no query."""

from __future__ import annotations

import pytest
from dhatu_codegen.ir.schema import Json
from dhatu_codegen.jsonpath import JsonPathError, find, parse_query
from hypothesis import given
from hypothesis import strategies as st

STORE: Json = {
    "store": {
        "book": [
            {
                "category": "reference",
                "author": "Nigel Rees",
                "title": "Sayings of the Century",
                "price": 8.95,
            },
            {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
            {
                "category": "fiction",
                "author": "Herman Melville",
                "title": "Moby Dick",
                "isbn": "0-553-21311-3",
                "price": 8.99,
            },
            {
                "category": "fiction",
                "author": "J. R. R. Tolkien",
                "title": "The Lord of the Rings",
                "isbn": "0-395-19395-8",
                "price": 22.99,
            },
        ],
        "bicycle": {"color": "red", "price": 399},
    }
}


def paths(query: str, value: Json) -> list[str]:
    """Normalised paths, without the `$`."""
    return ["".join(f"[{step!r}]" for step in match.location) for match in find(parse_query(query), value)]


def values(query: str, value: Json) -> list[Json]:
    return [match.value for match in find(parse_query(query), value)]


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("$.store.book[*].author", ["Nigel Rees", "Evelyn Waugh", "Herman Melville", "J. R. R. Tolkien"]),
        ("$..author", ["Nigel Rees", "Evelyn Waugh", "Herman Melville", "J. R. R. Tolkien"]),
        ("$.store..price", [8.95, 12.99, 8.99, 22.99, 399]),
        ("$..book[2].author", ["Herman Melville"]),
        ("$..book[2].publisher", []),
        ("$..book[-1].title", ["The Lord of the Rings"]),
        ("$..book[0,1].price", [8.95, 12.99]),
        ("$..book[:2].price", [8.95, 12.99]),
        ("$..book[?@.isbn].price", [8.99, 22.99]),
        ("$..book[?@.price<10].title", ["Sayings of the Century", "Moby Dick"]),
    ],
)
def test_the_bookstore(query: str, selected: list[Json]) -> None:
    """Section 1.5."""
    assert values(query, STORE) == selected


def test_everything_below_the_store_comes_once() -> None:
    assert len(values("$..*", STORE)) == 27


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("$", ["root"]),
        ("$.o['j j']", [{"k.k": 3}]),
        ("$.o['j j']['k.k']", [3]),
        ('$.o["j j"]["k.k"]', [3]),
        ('$["\'"]["@"]', [2]),
        ("$ .o\n['j j']", [{"k.k": 3}]),
    ],
)
def test_names(query: str, selected: list[Json]) -> None:
    """Sections 2.2.3 and 2.3.1.3."""
    value: Json = {"o": {"j j": {"k.k": 3}}, "'": {"@": 2}}
    assert values(query, value) == ([value] if selected == ["root"] else selected)


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("$[*]", ["['o']", "['a']"]),
        ("$.o[*]", ["['o']['j']", "['o']['k']"]),
        ("$.o[*, *]", ["['o']['j']", "['o']['k']", "['o']['j']", "['o']['k']"]),
        ("$.a[*]", ["['a'][0]", "['a'][1]"]),
        ("$.a[1]", ["['a'][1]"]),
        ("$.a[-2]", ["['a'][0]"]),
        ("$.a[2]", []),
        ("$.a.*", ["['a'][0]", "['a'][1]"]),
        ("$..j", ["['o']['j']"]),
        ("$..[1]", ["['a'][1]"]),
    ],
)
def test_wildcards_indices_and_descendants(query: str, places: list[str]) -> None:
    """Sections 2.3.2.3, 2.3.3.3 and 2.5.2.3."""
    assert paths(query, {"o": {"j": 1, "k": 2}, "a": [5, 3]}) == places


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("$[1:3]", ["b", "c"]),
        ("$[5:]", ["f", "g"]),
        ("$[1:5:2]", ["b", "d"]),
        ("$[5:1:-2]", ["f", "d"]),
        ("$[::-1]", ["g", "f", "e", "d", "c", "b", "a"]),
        ("$[ 1 : 3 : 0 ]", []),
        ("$[0:2, 5]", ["a", "b", "f"]),
        ("$[0, 0]", ["a", "a"]),
        ("$[-9:2]", ["a", "b"]),
    ],
)
def test_slices(query: str, selected: list[Json]) -> None:
    """Sections 2.3.4.3 and 2.5.1.3."""
    assert values(query, ["a", "b", "c", "d", "e", "f", "g"]) == selected


COMPARED: Json = {"obj": {"x": "y"}, "arr": [2, 3]}


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        ("$.absent1 == $.absent2", True),
        ("$.absent1 <= $.absent2", True),
        ("$.absent == 'g'", False),
        ("$.absent1 != $.absent2", False),
        ("$.absent != 'g'", True),
        ("1 <= 2", True),
        ("1 > 2", False),
        ("13 == '13'", False),
        ("'a' <= 'b'", True),
        ("'a' > 'b'", False),
        ("$.obj == $.arr", False),
        ("$.obj != $.arr", True),
        ("$.obj == $.obj", True),
        ("$.obj != $.obj", False),
        ("$.arr == $.arr", True),
        ("$.obj == 17", False),
        ("$.obj <= $.arr", False),
        ("$.obj < $.arr", False),
        ("$.obj <= $.obj", True),
        ("1 <= $.arr", False),
        ("1 >= $.arr", False),
        ("true <= true", True),
        ("true > true", False),
        ("true == 1", False),
        ("1 == 1.0", True),
        ("1e1 == 10", True),
        ("-0 == 0", True),
        ("null == null", True),
        ("length('aé😀') == 3", True),
        ("length($.arr) == 2", True),
        ("length(4) == length(true)", True),
    ],
)
def test_comparisons(comparison: str, holds: bool) -> None:
    """The table of section 2.3.5.3, and numbers and functions beside it."""
    assert bool(find(parse_query(f"$[?{comparison}]"), COMPARED)) is holds


FILTERED: Json = {
    "a": [3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}],
    "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}},
    "e": "f",
}


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("$.a[?@.b == 'kilo']", ["['a'][9]"]),
        ("$.a[?(@.b == 'kilo')]", ["['a'][9]"]),
        ("$.a[?@>3.5]", ["['a'][1]", "['a'][4]", "['a'][5]"]),
        ("$.a[?@.b]", ["['a'][6]", "['a'][7]", "['a'][8]", "['a'][9]"]),
        ("$[?@.*]", ["['a']", "['o']"]),
        ("$[?@[?@.b]]", ["['a']"]),
        ("$.o[?@<3, ?@<3]", ["['o']['p']", "['o']['q']", "['o']['p']", "['o']['q']"]),
        ('$.a[?@<2 || @.b == "k"]', ["['a'][2]", "['a'][7]"]),
        ('$.a[?match(@.b, "[jk]")]', ["['a'][6]", "['a'][7]"]),
        ('$.a[?search(@.b, "[jk]")]', ["['a'][6]", "['a'][7]", "['a'][9]"]),
        ("$.o[?@>1 && @<4]", ["['o']['q']", "['o']['r']"]),
        ("$.o[?@.u || @.x]", ["['o']['t']"]),
        ("$.a[?@.b == $.x]", ["['a'][0]", "['a'][1]", "['a'][2]", "['a'][3]", "['a'][4]", "['a'][5]"]),
        ("$.a[?!@.b && !(@ > 1)]", ["['a'][2]"]),
        ("$[?count(@.*) > 5]", ["['a']"]),
        ("$.o[?value(@..u) == 6]", ["['o']['t']"]),
    ],
)
def test_filters(query: str, places: list[str]) -> None:
    """Section 2.3.5.3."""
    assert paths(query, FILTERED) == places


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a.c", "abc", True),
        ("a.c", "a\nc", False),
        ("a[.]c", "abc", False),
        (r"a\.c", "a.c", True),
        ("1974-05-..", "1974-05-01", True),
        ("b", "abc", False),
        ("a|bc", "bc", True),
        (r"\p{Lu}.*", "Éa", True),
        ("(", "(", False),
    ],
)
def test_a_pattern_is_an_i_regexp(pattern: str, text: str, matches: bool) -> None:
    """RFC 9485; one that is broken matches nothing."""
    escaped = pattern.replace("\\", "\\\\")
    assert bool(values(f"$[?match(@, '{escaped}')]", [text])) is matches


def test_a_descendant_comes_after_its_ancestors_and_before_its_siblings() -> None:
    assert paths("$..*", [[1], [2]]) == ["[0]", "[1]", "[0][0]", "[1][0]"]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (r"'\''", "'"),
        (r'"\""', '"'),
        (r"'\u263A'", "☺"),
        (r"'\uD83D\uDE00'", "😀"),
        (r"'\n\t\\\/'", "\n\t\\/"),
    ],
)
def test_escapes_in_names(text: str, held: str) -> None:
    assert values(f"$[{text}]", {held: 1}) == [1]


@pytest.mark.parametrize(
    ("query", "offset"),
    [
        ("", 0),
        ("a", 0),
        ("$.", 2),
        ("$ ", 1),
        ("$.paths./a", 8),
        ("$.x-y", 3),
        ("$[01]", 2),
        ("$[-0]", 2),
        ("$[9007199254740992]", 2),
        ("$[a]", 2),
        ("$['a", 4),
        ("$['a\nb']", 4),
        (r"$['\x']", 5),
        (r"$['\uD83D']", 9),
        (r"$['\uDE00']", 9),
        ("$[?@.a", 6),
        ("$[?1]", 4),
        ("$[?@.* == 1]", 7),
        ("$[?@.a == x]", 11),
        ("$[?length(@)]", 12),
        ("$[?match(@, 'a') == true]", 17),
        ("$[?count(1) == 1]", 10),
        ("$[?nope(@)]", 7),
        ("$[?length(@, 1) == 1]", 11),
        ("$[?(@.a]", 7),
        ("$.a b", 3),
        ("$[?01 == 1]", 3),
    ],
)
def test_a_mistake_in_a_query_has_its_place(query: str, offset: int) -> None:
    with pytest.raises(JsonPathError) as caught:
        parse_query(query)
    assert caught.value.offset == offset


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(documents)
def test_the_location_of_a_node_is_a_query_for_it(document: Json) -> None:
    for match in find(parse_query("$..*"), document):
        steps = "".join(f"[{_quoted(step) if isinstance(step, str) else step}]" for step in match.location)
        (again,) = find(parse_query(f"${steps}"), document)
        assert again.location == match.location
        assert again.value is match.value


def _quoted(name: str) -> str:
    import json

    return json.dumps(name)
