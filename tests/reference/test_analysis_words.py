"""Words: spelling, cutting, phrases and verbal roots."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter

import pytest
from dhatu_reference.analysis.dhatus import dhatu_of, dhatus, find_dhatus
from dhatu_reference.analysis.ngrams import Phrase, PhraseQuery, find_phrases, log_likelihood_ratio
from dhatu_reference.analysis.script import iast
from dhatu_reference.analysis.texts import Texts
from hypothesis import given
from hypothesis import strategies as st


def _texts(*documents: str) -> Texts:
    return Texts(documents=documents)


def _phrases(text: str, query: PhraseQuery) -> list[Phrase]:
    return list(find_phrases(_texts(text).sentences, query).strongest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("धर्मक्षेत्रे कुरुक्षेत्रे समवेता युयुत्सवः", "dharmakṣetre kurukṣetre samavetā yuyutsavaḥ"),
        ("कृष्णं", "kṛṣṇaṃ"),
        ("ऋषिः ॐ ऽ १२ । ॥", "ṛṣiḥ oṃ ' 12 | ||"),
        ("वाक्", "vāk"),
        ("Kr̥ṣṇaṁ Lōka", "kṛṣṇaṃ loka"),
        (unicodedata.normalize("NFD", "śāstraṃ"), "śāstraṃ"),
        ("漢字", "漢字"),
    ],
)
def test_one_spelling(text: str, expected: str) -> None:
    assert iast(text) == expected


@given(st.text())
def test_spelling_twice_changes_nothing(text: str) -> None:
    assert iast(iast(text)) == iast(text)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Yadā yadā hi. Dharmasya!", [["yadā", "yadā", "hi"], ["dharmasya"]]),
        ("dharma-kṣetre kuru-kṣetre", [["dharma", "kṣetre", "kuru", "kṣetre"]]),
        ("saṅgo 'stv akarmaṇi | na ca ||", [["saṅgo", "stv", "akarmaṇi"], ["na", "ca"]]),
        ("king's men", [["king's", "men"]]),
        ("one line\nof verse\n\nanother", [["one", "line", "of", "verse"], ["another"]]),
        ("कुरुक्षेत्रे । एव", [["कुरुक्षेत्रे"], ["एव"]]),
        (" ... ", []),
    ],
)
def test_sentences_and_words(text: str, sentences: list[list[str]]) -> None:
    assert [[token.text for token in sentence] for sentence in _texts(text).sentences] == sentences


@given(st.lists(st.text(max_size=40), min_size=1, max_size=3))
def test_tokens_stand_where_they_say(documents: list[str]) -> None:
    for token in _texts(*documents).tokens:
        original = documents[token.document][token.start : token.end]
        assert unicodedata.normalize("NFC", original.lower()) == token.text


def test_phrases_by_count_and_strength() -> None:
    text = "kuru kṣetre x a. y kuru kṣetre b. kuru kṣetre c z. a x. b y."
    (phrase,) = _phrases(text, PhraseQuery())
    assert phrase.tokens == ("kuru", "kṣetre")
    assert phrase.count == 3
    assert len(phrase.places) == 3
    # 16 words in 11 pairs, both words three times: log2((3 / 11) / (3 / 16)**2)
    assert phrase.pmi == pytest.approx(math.log2(3 / 11 / (3 / 16) ** 2))
    assert phrase.log_likelihood == pytest.approx(log_likelihood_ratio(3, 3, 3, 16))


def test_a_phrase_within_a_longer_one_is_left_out() -> None:
    text = "na hanyate hanyamāne śarīre. x na hanyate hanyamāne śarīre. y z"
    assert [phrase.tokens for phrase in _phrases(text, PhraseQuery(max_words=4))] == [
        ("na", "hanyate", "hanyamāne", "śarīre")
    ]
    assert {len(phrase.tokens) for phrase in _phrases(text, PhraseQuery(max_words=2))} == {2}


def test_phrases_do_not_cross_sentences() -> None:
    assert _phrases("a b. c d. b. c. x b. c y. b. c.", PhraseQuery()) == []


def test_words_that_meet_by_chance_are_no_phrase() -> None:
    assert _phrases("a a a a a a", PhraseQuery()) == []


def test_the_log_likelihood_ratio_of_dunnings_paper() -> None:
    # Table 2: of 31,777 bigrams 2,552 begin with "the", 221 end in "swiss", and 110 are both.
    assert log_likelihood_ratio(110, 2552, 221, 31777) == pytest.approx(270.72, abs=0.01)


@given(
    st.integers(min_value=0, max_value=50),
    st.integers(min_value=0, max_value=50),
    st.integers(min_value=0, max_value=50),
    st.integers(min_value=1, max_value=50),
)
def test_the_sign_of_the_log_likelihood_ratio(
    both: int, only_left: int, only_right: int, neither: int
) -> None:
    total = both + only_left + only_right + neither
    ratio = log_likelihood_ratio(both, both + only_left, both + only_right, total)
    excess = both * total - (both + only_left) * (both + only_right)
    assert ratio == pytest.approx(0, abs=1e-6) if excess == 0 else ratio * excess > 0


@pytest.mark.parametrize(
    ("word", "root"),
    [
        ("bhavati", "bhū"),
        ("abhavat", "bhū"),
        ("karoti", "kṛ"),
        ("kurvanty", "kṛ"),  # before a vowel
        ("kriyate", "kṛ"),
        ("akurvata", None),  # not in the table
        ("gacchanti", "gam"),
        ("āgamya", "gam"),
        ("gamya", None),  # a gerund in -ya needs a preverb
        ("samāgacchati", "gam"),
        ("paśyāmi", "dṛś"),
        ("paśyāmo", "dṛś"),
        ("pratiṣṭhitaḥ", "sthā"),
        ("praṇamya", "nam"),
        ("uvāca", "vac"),
        ("sambhavāmi", "bhū"),
        ("yuyutsavaḥ", "yudh"),
        ("chindanti", "chid"),
        ("kledayanty", "klid"),
        ("śoṣayati", "śuṣ"),
        ("jāyate", "jan"),
        ("mriyate", "mṛ"),
        ("hanyate", "han"),
        ("yogaḥ", "yuj"),
        ("dharmasya", "dhṛ"),
        ("pāṇḍavāḥ", None),
        ("saḥ", None),
        ("", None),
    ],
)
def test_the_root_of_a_word(word: str, root: str | None) -> None:
    dhatu = dhatu_of(word)
    assert (dhatu and dhatu.root) == root


@pytest.mark.parametrize(
    "word", ["area", "care", "gate", "has", "hate", "made", "mane", "same", "tape", "vase"]
)
def test_english_words_are_no_roots(word: str) -> None:
    assert dhatu_of(word) is None


def test_roots_in_devanagari_stand_where_they_say() -> None:
    text = "यदा धर्मस्य ग्लानिर्भवति भारत । पश्यन्ति"
    found = find_dhatus(_texts(text).tokens)
    places = {
        item.dhatu.root: text[token.start : token.end] for item in found for (token,) in item.forms.values()
    }
    assert places["dṛś"] == "पश्यन्ति"
    assert places["dhṛ"] == "धर्मस्य"


def test_roots_by_frequency() -> None:
    found = find_dhatus(_texts("bhavati karoti bhavanti bhavati").tokens)
    assert [(item.dhatu.root, item.count) for item in found] == [("bhū", 3), ("kṛ", 1)]
    assert list(found[0].forms) == ["bhavati", "bhavanti"]


def test_the_table_of_roots_is_sound() -> None:
    table = dhatus()
    assert len(table) > 100
    assert [
        name for name, count in Counter((dhatu.root, dhatu.gana) for dhatu in table).items() if count > 1
    ] == []
    assert {dhatu.gana for dhatu in table} == set(range(1, 11))
    assert all(dhatu.root == iast(dhatu.root) and dhatu.gloss for dhatu in table)
