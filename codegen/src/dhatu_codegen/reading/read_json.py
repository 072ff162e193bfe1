"""JSON (RFC 8259) to values with places, since the standard library's parser forgets them."""

from __future__ import annotations

import re
from bisect import bisect_right
from json import JSONDecodeError
from json.decoder import JSONDecoder
from typing import Any, Final

from ..diagnostics import Diagnostics, Related
from ..document import Map, Seq
from ..ir.schema import Json
from ..ir.source import SourceRef
from ..pointer import escape

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, Json]] = {"true": True, "false": False, "null": None}

_DECODER: Final = JSONDecoder()


def read_json(text: str, file: str, diagnostics: Diagnostics) -> Json | Map | Seq:
    """Read one JSON document; None after a syntax error, which is reported."""
    reader = _Reader(text, file, diagnostics)
    try:
        value, end = reader.value(reader.space(0), "")
        if reader.space(end) != len(text):
            raise JSONDecodeError("something follows the document", text, reader.space(end))
    except JSONDecodeError as error:
        diagnostics.add("DH002", f"broken JSON: {error.msg}", reader.place(error.pos, ""))
    except RecursionError:
        diagnostics.add("DH002", "the document is nested too deeply to be read", reader.place(0, ""))
    else:
        return value
    return None


class _Reader:
    """Recursive descent; methods take the index to start at and return the value and the index after it."""

    def __init__(self, text: str, file: str, diagnostics: Diagnostics) -> None:
        self._text = text
        self._file = file
        self._diagnostics = diagnostics
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, index: int, pointer: str) -> SourceRef:
        line = bisect_right(self._line_starts, index)
        column = index - self._line_starts[line - 1] + 1
        return SourceRef(file=self._file, line=line, column=column, pointer=pointer)

    def space(self, index: int) -> int:
        """The index after any white space."""
        match = _SPACE.match(self._text, index)
        return match.end() if match else index

    def value(self, index: int, pointer: str) -> tuple[Json, int]:
        first = self._text[index : index + 1]
        if first == "{":
            return self._map(index, pointer)
        if first == "[":
            return self._seq(index, pointer)
        if first == '"':
            return self._string(index)
        number = _NUMBER.match(self._text, index)
        if number:
            written = number.group()
            return (float(written) if number.group(1) or number.group(2) else int(written)), number.end()
        for word, value in _WORDS.items():
            if self._text.startswith(word, index):
                return value, index + len(word)
        raise JSONDecodeError("a value is expected", self._text, index)

    def _string(self, index: int) -> tuple[str, int]:
        """The string whose opening quote stands at `index`."""
        value: Any
        value, end = _DECODER.raw_decode(self._text, index)
        return str(value), end

    def _map(self, start: int, pointer: str) -> tuple[Map, int]:
        found = Map(self.place(start, pointer))
        index = self.space(start + 1)
        if self._text[index : index + 1] == "}":
            return found, index + 1
        while True:
            if self._text[index : index + 1] != '"':
                raise JSONDecodeError("a key in double quotes is expected", self._text, index)
            key, after = self._string(index)
            inner = f"{pointer}/{escape(key)}"
            begin = self.space(self._expect(":", self.space(after)))
            value, end = self.value(begin, inner)
            self._put(found, key, value, (self.place(index, inner), self.place(begin, inner)))
            index, closed = self._next(end, "}")
            if closed:
                return found, index

    def _put(self, found: Map, key: str, value: Json, places: tuple[SourceRef, SourceRef]) -> None:
        if key not in found:
            found.put(key, value, places)
            return
        self._diagnostics.add(
            "DH003",
            f"the key {key!r} stands twice in the same object",
            places[0],
            related=[Related(message="stands here first", source=found.places[key][0])],
            hint="remove one of the two",
        )

    def _seq(self, start: int, pointer: str) -> tuple[Seq, int]:
        found = Seq(self.place(start, pointer))
        index = self.space(start + 1)
        if self._text[index : index + 1] == "]":
            return found, index + 1
        while True:
            inner = f"{pointer}/{len(found)}"
            value, end = self.value(index, inner)
            found.put(value, self.place(index, inner))
            index, closed = self._next(end, "]")
            if closed:
                return found, index

    def _next(self, end: int, closing: str) -> tuple[int, bool]:
        """After a member: the index behind the closing bracket and True, or the next member's and False."""
        index = self.space(end)
        if self._text[index : index + 1] == closing:
            return index + 1, True
        return self.space(self._expect(",", index)), False

    def _expect(self, char: str, index: int) -> int:
        if self._text[index : index + 1] != char:
            raise JSONDecodeError(f"{char!r} is expected", self._text, index)
        return index + 1
