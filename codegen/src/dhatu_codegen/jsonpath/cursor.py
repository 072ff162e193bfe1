"""Through the text of a query, token by token."""

from __future__ import annotations

import re
from typing import Final

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER: Final = re.compile(r"(?:-?(?:0|[1-9][0-9]*))(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NAME: Final = re.compile(r"[A-Za-z_\u0080-\U0010FFFF][0-9A-Za-z_\u0080-\U0010FFFF]*")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]{4}")
_HIGH, _LOW, _AFTER = 0xD800, 0xDC00, 0xE000
_LARGEST: Final = 2**53 - 1
"""Indices are within what I-JSON holds exactly (2.1)."""


class JsonPathError(ValueError):
    """A text that is no JSONPath query."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        """Characters before the mistake."""


class Cursor:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    def fail(self, message: str) -> JsonPathError:
        return JsonPathError(message, self.at)

    def blank(self) -> None:
        """Skip white space."""
        self.at = self._matched(_BLANK, self.at)[1]

    def sees(self, *options: str) -> bool:
        return self.text.startswith(options, self.at)

    def takes(self, option: str) -> bool:
        """Go past `option` where it comes next."""
        if not self.text.startswith(option, self.at):
            return False
        self.at += len(option)
        return True

    def expect(self, option: str) -> None:
        if not self.takes(option):
            found = repr(self.text[self.at]) if not self.ended else "the end"
            raise self.fail(f"expected {option!r}, found {found}")

    def name(self) -> str:
        """A name in dot notation; empty where none comes next."""
        text, self.at = self._matched(_NAME, self.at)
        return text

    def integer(self) -> int | None:
        """An index or a part of a slice."""
        text, end = self._matched(_INTEGER, self.at)
        if not text:
            return None
        if abs(int(text)) > _LARGEST or self.text[end : end + 1].isdigit():
            raise self.fail("not an integer that an index may be")
        self.at = end
        return int(text)

    def number(self) -> int | float | None:
        text, end = self._matched(_NUMBER, self.at)
        if not text:
            return None
        if self.text[end : end + 1].isdigit():
            raise self.fail("a number does not begin with 0")
        self.at = end
        return float(text) if set(text) & set(".eE") else int(text)

    def string(self) -> str:
        """What a quoted string holds; the cursor is at its quote."""
        quote = self.text[self.at]
        self.at += 1
        held: list[str] = []
        while not self.takes(quote):
            if self.ended:
                raise self.fail("a string is not ended")
            char = self.text[self.at]
            if char < " ":
                raise self.fail("a control character in a string must be escaped")
            self.at += 1
            held.append(self._escaped(quote) if char == "\\" else char)
        return "".join(held)

    def _escaped(self, quote: str) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char == quote:
            return quote
        if char == "u":
            return self._unicode()
        if char not in _ESCAPES:
            raise self.fail(f"\\{char} is no escape")
        return _ESCAPES[char]

    def _unicode(self) -> str:
        unit = self._unit()
        if _LOW <= unit < _AFTER:
            raise self.fail("the second half of a pair without the first")
        if not _HIGH <= unit < _LOW:
            return chr(unit)
        self.expect("\\u")
        second = self._unit()
        if not _LOW <= second < _AFTER:
            raise self.fail("the first half of a pair without the second")
        return chr(0x10000 + (unit - _HIGH) * 0x400 + second - _LOW)

    def _unit(self) -> int:
        text, end = self._matched(_HEXADECIMAL, self.at)
        if not text:
            raise self.fail("\\u takes four hexadecimal digits")
        self.at = end
        return int(text, 16)

    def _matched(self, pattern: re.Pattern[str], at: int) -> tuple[str, int]:
        found = pattern.match(self.text, at)
        return (found[0], found.end()) if found else ("", at)
