"""What a query selects: nodes in the order of RFC 9535, each with its location."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

import jsonschema_rs

from ..ir.schema import Json
from .syntax import (
    All,
    AnyOf,
    Call,
    Comparison,
    Condition,
    Constant,
    Filter,
    Index,
    Name,
    Not,
    Operand,
    Query,
    Selector,
    Slice,
    Test,
    Wildcard,
)

Location: TypeAlias = tuple[str | int, ...]
"""Names and indices from the root."""


@dataclass(frozen=True, slots=True)
class Match:
    """A selected node."""

    location: Location
    value: Json


class _Nothing:
    """The absence of a value, which is equal to itself only (2.4.1)."""


_NOTHING: Final = _Nothing()
_Value: TypeAlias = "Json | _Nothing"


def find(query: Query, root: Json) -> list[Match]:
    """Everything that the query selects in `root`; a node comes twice where it is selected twice."""
    return _select(query, Match((), root), root)


def _select(query: Query, current: Match, root: Json) -> list[Match]:
    found = [Match((), root) if query.absolute else current]
    for segment in query.segments:
        if segment.descendant:
            found = [inner for match in found for inner in _descendants(match)]
        found = [
            chosen
            for match in found
            for selector in segment.selectors
            for chosen in _chosen(selector, match, root)
        ]
    return found


def _descendants(match: Match) -> Iterator[Match]:
    yield match
    for child in _children(match):
        yield from _descendants(child)


def _children(match: Match) -> Iterator[Match]:
    if isinstance(match.value, dict):
        for key, member in match.value.items():
            yield Match((*match.location, key), member)
    elif isinstance(match.value, list):
        for index, element in enumerate(match.value):
            yield Match((*match.location, index), element)


def _chosen(selector: Selector, match: Match, root: Json) -> Iterator[Match]:
    value = match.value
    match selector:
        case Name(name):
            if isinstance(value, dict) and name in value:
                yield Match((*match.location, name), value[name])
        case Wildcard():
            yield from _children(match)
        case Index(index):
            if isinstance(value, list) and -len(value) <= index < len(value):
                yield Match((*match.location, index % len(value)), value[index])
        case Slice(start, end, step):
            if isinstance(value, list) and step:
                for index in range(len(value))[start:end:step]:
                    yield Match((*match.location, index), value[index])
        case Filter(condition):
            yield from (child for child in _children(match) if _holds(condition, child, root))
        case _:
            assert_never(selector)


def _holds(condition: Condition, current: Match, root: Json) -> bool:
    match condition:
        case Comparison(left, operator, right):
            return _compared(_value(left, current, root), operator, _value(right, current, root))
        case Test(of):
            if isinstance(of, Query):
                return bool(_select(of, current, root))
            return _called(of, current, root) is True
        case Not(inner):
            return not _holds(inner, current, root)
        case All(conditions):
            return all(_holds(inner, current, root) for inner in conditions)
        case AnyOf(conditions):
            return any(_holds(inner, current, root) for inner in conditions)
        case _:
            assert_never(condition)


def _value(operand: Operand, current: Match, root: Json) -> _Value:
    match operand:
        case Constant(value):
            return value
        case Query():
            found = _select(operand, current, root)
            return found[0].value if found else _NOTHING
        case Call():
            return _called(operand, current, root)
        case _:
            assert_never(operand)


def _called(call: Call, current: Match, root: Json) -> _Value:
    first = call.arguments[0]
    if call.function in ("count", "value"):
        selected = _select(first, current, root) if isinstance(first, Query) else []
        if call.function == "count":
            return len(selected)
        return selected[0].value if len(selected) == 1 else _NOTHING
    values = [_value(argument, current, root) for argument in call.arguments]
    if call.function == "length":
        return len(values[0]) if isinstance(values[0], str | list | dict) else _NOTHING
    text, pattern = values
    if not isinstance(text, str) or not isinstance(pattern, str):
        return False
    return _matches(text, pattern, whole=call.function == "match")


def _matches(text: str, pattern: str, *, whole: bool) -> bool:
    """I-Regexp (RFC 9485) on an engine of linear time; what is no pattern matches nothing."""
    expression = f"^(?:{_without_line_ends(pattern)})$" if whole else _without_line_ends(pattern)
    try:
        return jsonschema_rs.Draft202012Validator(
            {"pattern": expression}, pattern_options=jsonschema_rs.RegexOptions()
        ).is_valid(text)
    except (jsonschema_rs.ValidationError, ValueError):
        return False


def _without_line_ends(pattern: str) -> str:
    """`.` stands for everything but line feed and carriage return (RFC 9485, section 5)."""
    written: list[str] = []
    in_class = escaped = False
    for char in pattern:
        written.append(r"[^\n\r]" if char == "." and not in_class and not escaped else char)
        if not escaped and char in "[]":
            in_class = char == "["
        escaped = char == "\\" and not escaped
    return "".join(written)


def _compared(left: _Value, operator: str, right: _Value) -> bool:
    match operator:
        case "==":
            return _same(left, right)
        case "!=":
            return not _same(left, right)
        case "<":
            return _less(left, right)
        case ">":
            return _less(right, left)
        case "<=":
            return _less(left, right) or _same(left, right)
        case _:
            return _less(right, left) or _same(left, right)


def _same(left: _Value, right: _Value) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return left == right


def _less(left: _Value, right: _Value) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left < right
    return isinstance(left, str) and isinstance(right, str) and left < right
