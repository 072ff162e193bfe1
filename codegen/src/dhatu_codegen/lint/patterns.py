"""Regular expressions: what the gateway's engine refuses, and what could run away in another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import jsonschema_rs

from ..document import Node
from .survey import Finding, Findings, Survey, members

_TOKEN: Final = re.compile(
    r"\\p\{[^}]*\}|\\x\{[^}]*\}|\\u\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"  # an escape, a class
    r"|\((?:\?(?:[:=!]|<[=!]|<\w+>|P<\w+>|[a-z-]+:?))?|\)|\|"  # a group and its parts
    r"|(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?|.",  # a quantifier, any other character
    re.DOTALL,
)
_QUANTIFIER: Final = re.compile(r"([*+?]|\{(\d+)(,?)(\d*)\})[?+]?")


def refused_pattern(survey: Survey) -> Findings:
    for text, node in _patterns(survey):
        if not linear(text):
            message = f"the pattern {text!r} cannot be matched in linear time"
            hint = "do without lookaround and backreferences; the gateway refuses to start with them"
            yield Finding(message=message, source=node.place, hint=hint)


def runaway_pattern(survey: Survey) -> Findings:
    for text, node in _patterns(survey):
        if linear(text) and runs_away(text):
            message = f"the pattern {text!r} repeats what repeats itself"
            hint = "browsers and SDKs may take exponential time for it; put something between the repetitions"
            yield Finding(message=message, source=node.place, hint=hint)


@cache
def linear(pattern: str) -> bool:
    """Whether the engine of the gateway takes a pattern: Rust's regex crate, whose time is linear.

    >>> linear("^(a+)+$"), linear("(?=a)b"), linear("(a)\\\\1")
    (True, False, False)
    """
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
    except jsonschema_rs.ValidationError:
        return False
    return True


def runs_away(pattern: str) -> bool:
    """Whether a group repeats without end and one of its alternatives is nothing but repetitions, or doubled.

    >>> runs_away("^(a+)+$"), runs_away("(a|a)*"), runs_away("^[a-z]+(-[a-z]+)*$")
    (True, True, False)
    """
    groups: list[list[list[str]]] = [[[]]]
    tokens = [match[0] for match in _TOKEN.finditer(pattern)]
    for index, token in enumerate(tokens):
        quantifier = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token[0] == "(":
            groups.append([[]])
        elif token == ")" and len(groups) > 1:
            alternatives = groups.pop()
            if _endless(quantifier) and _ambiguous(alternatives):
                return True
            if len(alternatives) == 1 and not _QUANTIFIER.fullmatch(quantifier):
                groups[-1][-1] += alternatives[0]
            else:
                groups[-1][-1].append("(" + "|".join("".join(part) for part in alternatives) + ")")
        elif token == "|":
            groups[-1].append([])
        else:
            groups[-1][-1].append(token)
    return False


def _ambiguous(alternatives: list[list[str]]) -> bool:
    written = ["".join(part) for part in alternatives]
    if len(set(written)) < len(written):
        return True
    return any(_only_repetitions(part) for part in alternatives)


def _only_repetitions(parts: list[str]) -> bool:
    """Whether every atom is followed by a quantifier of varying length, at least one of them without end."""
    endless = False
    for index, atom in enumerate(parts):
        if _QUANTIFIER.fullmatch(atom):
            endless = endless or _endless(atom)
            continue
        following = parts[index + 1] if index + 1 < len(parts) else ""
        if not _QUANTIFIER.fullmatch(following) or following.strip("?+").replace("}", "").isdecimal():
            return False
    return endless


def _endless(quantifier: str) -> bool:
    found = _QUANTIFIER.fullmatch(quantifier)
    return found is not None and (found[1] in ("*", "+") or (found[3] == "," and not found[4]))


def _patterns(survey: Survey) -> Iterator[tuple[str, Node]]:
    for schema in survey.of_kind("schemas"):
        node = schema.get("pattern")
        if node and isinstance(node.value, str):
            yield node.value, node
        for text, member in members(schema, "patternProperties"):
            yield text, member.written_at(member.source)
