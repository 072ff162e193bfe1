from __future__ import annotations

from collections import defaultdict

import pytest
from dhatu_reference.analysis.repeats import RepeatQuery, find_repeats
from hypothesis import given
from hypothesis import strategies as st

# Few letters make many repeats; an astral and a combining character count as one position each.
DOCUMENTS = st.lists(st.text(alphabet="ab𑀓\u0301", max_size=12), min_size=1, max_size=3)
EVERYTHING = 10_000


def _maximal_repeats(documents: list[str], min_length: int) -> dict[str, list[tuple[int, int]]]:
    """By definition: every substring that occurs twice and has no single neighbour on either side."""
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, document in enumerate(documents):
        for start in range(len(document)):
            for end in range(start + min_length, len(document) + 1):
                places[document[start:end]].append((number, start))
    repeats: dict[str, list[tuple[int, int]]] = {}
    for text, found in places.items():
        before = [documents[number][start - 1] if start else (number, "begins") for number, start in found]
        after = [documents[n][s + len(text) : s + len(text) + 1] or (n, "ends") for n, s in found]
        if len(found) > 1 and len(set(before)) > 1 and len(set(after)) > 1:
            repeats[text] = found
    return repeats


@given(documents=DOCUMENTS, min_length=st.integers(min_value=1, max_value=3))
def test_as_many_maximal_repeats_as_by_definition(documents: list[str], min_length: int) -> None:
    expected = _maximal_repeats(documents, min_length)
    assert find_repeats(documents, RepeatQuery(min_length=min_length)).total == len(expected)


@given(documents=DOCUMENTS, min_length=st.integers(min_value=1, max_value=3))
def test_each_repeat_is_maximal_and_stands_where_it_says(documents: list[str], min_length: int) -> None:
    expected = _maximal_repeats(documents, min_length)
    found = find_repeats(documents, RepeatQuery(min_length=min_length, limit=EVERYTHING)).strongest
    for repeat in found:
        assert list(repeat.positions) == expected[repeat.text]
        covered = {(number, start + i) for number, start in repeat.positions for i in range(len(repeat.text))}
        assert repeat.covered_characters == len(covered)


@given(documents=DOCUMENTS)
def test_every_repeat_left_out_resembles_one_that_is_reported(documents: list[str]) -> None:
    counts = {text: len(places) for text, places in _maximal_repeats(documents, 1).items()}
    reported = [
        repeat.text
        for repeat in find_repeats(documents, RepeatQuery(min_length=1, limit=EVERYTHING)).strongest
    ]
    for text, count in counts.items():
        assert text in reported or any(
            (text in other or other in text) and 2 * max(count, counts[other]) < 3 * min(count, counts[other])
            for other in reported
        )


@given(documents=DOCUMENTS, min_count=st.integers(min_value=2, max_value=5))
def test_rare_repeats_can_be_left_out(documents: list[str], min_count: int) -> None:
    frequent = [places for places in _maximal_repeats(documents, 1).values() if len(places) >= min_count]
    assert find_repeats(documents, RepeatQuery(min_length=1, min_count=min_count)).total == len(frequent)


def test_the_strongest_comes_first() -> None:
    repeats = find_repeats(["dharmakṣetre kurukṣetre", "kurukṣetre samavetāḥ"], RepeatQuery(min_length=6))
    assert [repeat.text for repeat in repeats.strongest] == ["kṣetre", "kurukṣetre", "kṣetre "]


def test_no_more_than_the_limit() -> None:
    text = "aXbXc aYbYc 12 34 12 34 XY XY"
    assert find_repeats([text], RepeatQuery(min_length=1)).total > 2
    assert len(find_repeats([text], RepeatQuery(min_length=1, limit=2)).strongest) == 2


def test_a_repeat_never_spans_two_documents() -> None:
    assert find_repeats(["ab", "ab", "a", "b"], RepeatQuery(min_length=2)).strongest[0].text == "ab"
    assert find_repeats(["xa", "bx", "ya", "by"], RepeatQuery(min_length=2)).total == 0


@pytest.mark.parametrize("documents", [[""], ["", ""], ["a"], ["abc"]])
def test_without_repeats(documents: list[str]) -> None:
    assert find_repeats(documents, RepeatQuery(min_length=1)).strongest == ()


def test_a_run_of_one_character_is_reported_in_few_lengths() -> None:
    # every shorter run is a maximal repeat too, so that a quadratic answer would never end
    repeats = find_repeats(["a" * 50_000], RepeatQuery(limit=100))
    assert len(repeats.strongest[0].text) == 25_000
    assert len(repeats.strongest) < 10
