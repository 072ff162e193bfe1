"""Sanskrit in one spelling: Devanāgarī and ISO 15919 become IAST."""

from __future__ import annotations

import re
import unicodedata
from typing import Final


def _letters(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CONSONANTS: Final = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहळ",
        _letters("k kh g gh ṅ c ch j jh ñ ṭ ṭh ḍ ḍh ṇ t th d dh n p ph b bh m y r l v ś ṣ s h ḷ"),
        strict=True,
    )
)
_VOWELS: Final = dict(zip("अआइईउऊऋॠऌएऐओऔ", _letters("a ā i ī u ū ṛ ṝ ḷ e ai o au"), strict=True))
_VOWEL_SIGNS: Final = dict(zip("ािीुूृॄॢेैोौ", _letters("ā i ī u ū ṛ ṝ ḷ e ai o au"), strict=True))
_OTHERS: Final = {"ं": "ṃ", "ः": "ḥ", "ँ": "m̐", "ऽ": "'", "ॐ": "oṃ", "।": "|", "॥": "||"} | {
    chr(0x0966 + digit): str(digit) for digit in range(10)
}
_VIRAMA: Final = "्"
_JOINERS: Final = {0x200C: None, 0x200D: None}
_DEVANAGARI: Final = re.compile("[\u0900-\u097f]")

# ISO 15919 and other common spellings; the ring below is a combining mark, so it comes first.
_VARIANTS: Final = (("r̥̄", "ṝ"), ("r̥", "ṛ"), ("l̥", "ḷ"), ("ṁ", "ṃ"), ("ē", "e"), ("ō", "o"))


def iast(text: str) -> str:
    """`text` in lower-case IAST (NFC); scripts other than Devanāgarī stay as they are.

    >>> iast("धर्मक्षेत्रे")
    'dharmakṣetre'
    >>> iast("Kr̥ṣṇaṁ")
    'kṛṣṇaṃ'
    """
    if _DEVANAGARI.search(text):
        text = _from_devanagari(text)
    text = unicodedata.normalize("NFC", text.lower())
    for variant, letter in _VARIANTS:
        text = text.replace(variant, letter)
    return text


def _from_devanagari(text: str) -> str:
    letters: list[str] = []
    bare = False  # whether the last letter is a consonant whose vowel is not yet known
    for character in unicodedata.normalize("NFC", text).translate(_JOINERS):
        if character == _VIRAMA:
            bare = False
            continue
        if sign := _VOWEL_SIGNS.get(character):
            letters.append(sign)
            bare = False
            continue
        if bare:
            letters.append("a")
        consonant = _CONSONANTS.get(character)
        bare = consonant is not None
        letters.append(consonant or _VOWELS.get(character) or _OTHERS.get(character) or character)
    if bare:
        letters.append("a")
    return "".join(letters)
