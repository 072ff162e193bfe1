"""Verbal roots: which words are forms of which dhātu.

Every form of the table `dhatus.txt` is spelt out once, so that a word is looked up, not guessed. Read are
words in IAST, ISO 15919 and Devanāgarī, alone or after up to two preverbs, with the common changes of a final
sound before the next word. Long compounds and rare forms are not recognised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from .script import iast
from .texts import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhatu:
    """A verbal root."""

    root: str
    """In IAST."""
    gana: int
    """Its class in the Dhātupāṭha, 1 to 10."""
    gloss: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """A root, and the words that are forms of it."""

    dhatu: Dhatu
    forms: Mapping[str, tuple[Token, ...]]
    """By the word in IAST, the most frequent first."""

    @property
    def count(self) -> int:
        return sum(map(len, self.forms.values()))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ACTIVE: Final = _words(
    "ati ataḥ anti asi athaḥ atha āmi āvaḥ āmaḥ atu atāṃ antu āni āva āma et etāṃ eyuḥ eḥ eyaṃ ema "
    "an antaṃ antaḥ antau atā ate ataḥ atāṃ atsu antī antīṃ"
)
_MIDDLE: Final = _words(
    "ate ete ante ase ethe adhve e āvahe āmahe atāṃ etāṃ antāṃ asva adhvaṃ ai āmahai "
    "eta eyātāṃ eran ethāḥ edhvaṃ eya emahi amānaḥ amānaṃ amānāḥ amānā amāne"
)
_PAST_ACTIVE: Final = _words("at atāṃ an aḥ ata aṃ āma")
_PAST_MIDDLE: Final = _words("ata etāṃ anta athāḥ e āmahi")
_NOUN: Final = _words(
    "a aḥ aṃ ena eṇa āya āt asya e au ābhyāṃ ayoḥ āḥ ān aiḥ ebhyaḥ ānāṃ āṇāṃ eṣu "
    "ā āṃ ayā āyai āyāḥ āyāṃ ābhiḥ ābhyaḥ āsu āni āṇi"
)

_PREVERBS: Final = frozenset(
    _words(
        "ati aty adhi adhy anu anv apa api apy abhi abhy ava ā ud ut uc uj un upa upā dur duḥ duṣ ni ny nir "
        "niḥ niṣ niś nis parā pari pary pra prā prati praty vi vy vyā sam saṃ sañ san samā su sv"
    )
)
_PREVERB_LETTERS: Final = max(map(len, _PREVERBS))
_MAX_PREVERBS: Final = 2

# A generated form as short as this and without a diacritic may as well be an English word: gate, hate, made.
_SHORTEST_PLAIN_FORM: Final = 5
_SHORTEST_AFTER_PREVERB: Final = 4

_FINALS: Final = {
    "m": ("ṃ",),
    "n": ("t",),
    "o": ("aḥ",),
    "r": ("ḥ",),
    "s": ("ḥ",),
    "ś": ("ḥ",),
    "d": ("t",),
    "c": ("t",),
    "j": ("t",),
    "l": ("t",),
    "y": ("i",),
    "v": ("u",),
    "ñ": ("n",),
    "ā": ("āḥ",),
}
"""What a final sound may be in pause, where the next word has changed it."""


def find_dhatus(tokens: Iterable[Token]) -> tuple[Occurrences, ...]:
    """The roots whose forms occur, the most frequent first."""
    found: dict[Dhatu, dict[str, list[Token]]] = defaultdict(lambda: defaultdict(list))
    for token in tokens:
        word = iast(token.text)
        dhatu = dhatu_of(word)
        if dhatu is not None:
            found[dhatu][word].append(token)
    occurrences = (
        Occurrences(
            dhatu=dhatu,
            forms={
                word: tuple(forms[word]) for word in sorted(forms, key=lambda word: (-len(forms[word]), word))
            },
        )
        for dhatu, forms in found.items()
    )
    return tuple(sorted(occurrences, key=lambda item: (-item.count, item.dhatu.root)))


def dhatu_of(word: str) -> Dhatu | None:
    """The root of a word in lower-case IAST; None where it is not known.

    >>> dhatu_of("dahati").gloss, dhatu_of("āgacchanty").root, dhatu_of("pāṇḍavāḥ")
    ('burn', 'gam', None)
    """
    table = _table()
    for spelling in _in_pause(word):
        if dhatu := table.words.get(spelling):
            return dhatu
    for spelling in _in_pause(word):
        for rest in _after_preverbs(spelling, _MAX_PREVERBS):
            if dhatu := table.after_preverb.get(rest) or table.words.get(rest):
                return dhatu
    return None


@cache
def dhatus() -> tuple[Dhatu, ...]:
    """Every root of the table."""
    return tuple(dict.fromkeys(_table().words.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    words: Mapping[str, Dhatu]
    after_preverb: Mapping[str, Dhatu]
    """Forms that occur only after a preverb."""


@cache
def _table() -> _Table:
    words: dict[str, Dhatu] = {}
    after_preverb: dict[str, Dhatu] = {}
    text = resources.files("dhatu_reference.analysis").joinpath("dhatus.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        root, gana, gloss, active, middle, nouns, whole = (cell.strip() for cell in line.split("|"))
        dhatu = Dhatu(root=root, gana=int(gana), gloss=gloss)
        for word in whole.split():
            if word.startswith("-"):
                after_preverb.setdefault(word[1:], dhatu)
            else:
                words.setdefault(word, dhatu)
        for word in _forms(_stems(active), _stems(middle), _stems(nouns)):
            if len(word) >= _SHORTEST_PLAIN_FORM or not word.isascii():
                words.setdefault(word, dhatu)
    return _Table(words=words, after_preverb=after_preverb)


def _stems(cell: str) -> list[str]:
    return [stem for stem in cell.split() if stem != "-"]


def _forms(active: Sequence[str], middle: Sequence[str], nouns: Sequence[str]) -> Iterator[str]:
    """Every stem with its endings; the past of stems in a consonant with its augment as well."""
    for stems, endings in ((active, _ACTIVE), (middle, _MIDDLE), (nouns, _NOUN)):
        for stem in stems:
            yield from (stem + ending for ending in endings)
    for stems, endings in ((active, _PAST_ACTIVE), (middle, _PAST_MIDDLE)):
        for stem in stems:
            if stem[0] not in "aāiīuūṛṝeo":
                yield from ("a" + stem + ending for ending in endings)


def _in_pause(word: str) -> Iterator[str]:
    yield word
    for final in _FINALS.get(word[-1:], ()):
        yield word[:-1] + final


def _after_preverbs(word: str, depth: int) -> Iterator[str]:
    for letters in range(1, min(_PREVERB_LETTERS, len(word) - _SHORTEST_AFTER_PREVERB) + 1):
        if word[:letters] in _PREVERBS:
            rest = word[letters:]
            yield rest
            if depth > 1:
                yield from _after_preverbs(rest, depth - 1)
