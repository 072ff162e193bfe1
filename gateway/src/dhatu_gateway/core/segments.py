"""One segment of a path template: a literal, or a variable that may have text around it (`{name}.json`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dhatu_gateway.core.canonical import canonical_path
from dhatu_gateway.core.problem import ProblemError

_VARIABLE = re.compile(r"([^{}]*)\{[^{}/]+\}([^{}]*)")


@dataclass(frozen=True, slots=True)
class Segment:
    """What one segment of a path must look like."""

    prefix: str
    """The whole text of a literal."""
    suffix: str
    is_variable: bool

    def value_in(self, text: str) -> str:
        """Return what the variable stands for in `text`, or nothing where the segment does not match."""
        start, end = len(self.prefix), len(text) - len(self.suffix)
        if start < end and text.startswith(self.prefix) and text.endswith(self.suffix):
            return text[start:end]
        return ""

    def overlaps(self, other: Segment) -> bool:
        """Whether some text matches both."""
        if not self.is_variable:
            return self == other if not other.is_variable else bool(other.value_in(self.prefix))
        if not other.is_variable:
            return bool(self.value_in(other.prefix))
        prefixes = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        return prefixes and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))

    def within(self, other: Segment) -> bool:
        """Whether every text that matches this matches the other."""
        if not other.is_variable:
            return self == other
        if not self.is_variable:
            return bool(other.value_in(self.prefix))
        return self.prefix.startswith(other.prefix) and self.suffix.endswith(other.suffix)

    def witness(self, other: Segment) -> str:
        """Return a text that matches both; they must overlap."""
        for literal in (self, other):
            if not literal.is_variable:
                return literal.prefix
        return max(self.prefix, other.prefix, key=len) + "x" + max(self.suffix, other.suffix, key=len)


def parse_segment(text: str, template: str) -> Segment:
    """Read one segment of `template`; raises `ValueError` where no request could ever match it."""
    if text in (".", "..") or (not text and template != "/"):
        raise ValueError(
            f"no request can match the path {template!r}: its segment {text!r} is never canonical"
        )
    if "{" not in text and "}" not in text:
        return Segment(_canonical(text, template), "", False)
    match = _VARIABLE.fullmatch(text)
    if match is None:
        raise ValueError(f"the path {template!r} may have one variable in a segment, not {text!r}")
    return Segment(_canonical(match[1], template), _canonical(match[2], template), True)


def _canonical(text: str, template: str) -> str:
    if text in ("", ".", ".."):  # parts of a segment, harmless next to a variable
        return text
    try:
        return canonical_path(b"/" + text.encode("utf-8"))[1:]
    except ProblemError as error:
        raise ValueError(f"no request can match the path {template!r}: {error}") from error
