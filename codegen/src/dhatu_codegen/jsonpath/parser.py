"""A text to a `Query`: recursive descent along the grammar of RFC 9535."""

from __future__ import annotations

from typing import Final

from .cursor import Cursor, JsonPathError
from .syntax import (
    FUNCTIONS,
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
    Operator,
    Query,
    Segment,
    Selector,
    Slice,
    Test,
    Type,
    Wildcard,
)

__all__ = ["JsonPathError", "parse_query"]

_OPERATORS: Final[tuple[Operator, ...]] = ("==", "!=", "<=", ">=", "<", ">")
_WORDS: Final = {"true": True, "false": False, "null": None}


def parse_query(text: str) -> Query:
    """The query that a text is; raises `JsonPathError`."""
    cursor = Cursor(text)
    cursor.expect("$")
    query = Query(_segments(cursor), absolute=True)
    if not cursor.ended:
        raise cursor.fail(f"nothing may follow the query, found {text[cursor.at]!r}")
    return query


def _segments(cursor: Cursor) -> tuple[Segment, ...]:
    found: list[Segment] = []
    while True:
        before = cursor.at
        cursor.blank()
        if cursor.takes(".."):
            selectors = _bracketed(cursor) if cursor.sees("[") else (_shorthand(cursor),)
            found.append(Segment(selectors, descendant=True))
        elif cursor.takes("."):
            found.append(Segment((_shorthand(cursor),), descendant=False))
        elif cursor.sees("["):
            found.append(Segment(_bracketed(cursor), descendant=False))
        else:
            cursor.at = before
            return tuple(found)


def _shorthand(cursor: Cursor) -> Selector:
    if cursor.takes("*"):
        return Wildcard()
    name = cursor.name()
    if not name:
        raise cursor.fail("expected a name or `*`; other names go between brackets: ['x-name']")
    return Name(name)


def _bracketed(cursor: Cursor) -> tuple[Selector, ...]:
    cursor.expect("[")
    found: list[Selector] = []
    while True:
        cursor.blank()
        found.append(_selector(cursor))
        cursor.blank()
        if not cursor.takes(","):
            cursor.expect("]")
            return tuple(found)


def _selector(cursor: Cursor) -> Selector:
    if cursor.sees("'", '"'):
        return Name(cursor.string())
    if cursor.takes("*"):
        return Wildcard()
    if cursor.takes("?"):
        cursor.blank()
        return Filter(_any_of(cursor))
    start = cursor.integer()
    after_start = cursor.at
    cursor.blank()
    if cursor.takes(":"):
        return _slice(cursor, start)
    cursor.at = after_start
    if start is None:
        raise cursor.fail("expected a name in quotes, an index, a slice, `*` or a filter")
    return Index(start)


def _slice(cursor: Cursor, start: int | None) -> Slice:
    cursor.blank()
    end = cursor.integer()
    cursor.blank()
    step = None
    if cursor.takes(":"):
        cursor.blank()
        step = cursor.integer()
    return Slice(start, end, 1 if step is None else step)


def _any_of(cursor: Cursor) -> Condition:
    found = [_all(cursor)]
    while _joined(cursor, "||"):
        found.append(_all(cursor))
    return found[0] if len(found) == 1 else AnyOf(tuple(found))


def _all(cursor: Cursor) -> Condition:
    found = [_basic(cursor)]
    while _joined(cursor, "&&"):
        found.append(_basic(cursor))
    return found[0] if len(found) == 1 else All(tuple(found))


def _joined(cursor: Cursor, by: str) -> bool:
    before = cursor.at
    cursor.blank()
    if cursor.takes(by):
        cursor.blank()
        return True
    cursor.at = before
    return False


def _basic(cursor: Cursor) -> Condition:
    if cursor.sees("!") and not cursor.sees("!="):
        cursor.takes("!")
        cursor.blank()
        return Not(_group(cursor) if cursor.sees("(") else _test(cursor, _operand(cursor)))
    if cursor.sees("("):
        return _group(cursor)
    left = _operand(cursor)
    before = cursor.at
    cursor.blank()
    for operator in _OPERATORS:
        if cursor.sees(operator):
            compared = _comparable(cursor, left)
            cursor.takes(operator)
            cursor.blank()
            return Comparison(compared, operator, _comparable(cursor, _operand(cursor)))
    cursor.at = before
    return _test(cursor, left)


def _group(cursor: Cursor) -> Condition:
    cursor.expect("(")
    cursor.blank()
    condition = _any_of(cursor)
    cursor.blank()
    cursor.expect(")")
    return condition


def _test(cursor: Cursor, operand: Operand) -> Test:
    if isinstance(operand, Query):
        return Test(operand)
    if isinstance(operand, Call) and FUNCTIONS[operand.function].result != "value":
        return Test(operand)
    raise cursor.fail("a value alone is no condition: compare it with something")


def _comparable(cursor: Cursor, operand: Operand) -> Operand:
    if isinstance(operand, Query) and not operand.singular:
        raise cursor.fail("a query that may select several nodes cannot be compared")
    if isinstance(operand, Call) and FUNCTIONS[operand.function].result != "value":
        raise cursor.fail(f"{operand.function}() is true or false: it cannot be compared")
    return operand


def _operand(cursor: Cursor) -> Operand:
    if cursor.sees("'", '"'):
        return Constant(cursor.string())
    for sign in ("@", "$"):
        if cursor.takes(sign):
            return Query(_segments(cursor), absolute=sign == "$")
    number = cursor.number()
    if number is not None:
        return Constant(number)
    name = cursor.name()
    if cursor.sees("(") and name:
        return _call(cursor, name)
    if name in _WORDS:
        return Constant(_WORDS[name])
    raise cursor.fail(
        f"{name!r} is no value; texts stand in quotes" if name else "expected a value or a query"
    )


def _call(cursor: Cursor, name: str) -> Call:
    signature = FUNCTIONS.get(name)
    if signature is None:
        raise cursor.fail(f"there is no function {name}(); known: {', '.join(sorted(FUNCTIONS))}")
    cursor.expect("(")
    arguments: list[Operand] = []
    for position, kind in enumerate(signature.parameters):
        cursor.blank()
        if position:
            cursor.expect(",")
            cursor.blank()
        arguments.append(_argument(cursor, name, kind))
    cursor.blank()
    cursor.expect(")")
    return Call(name, tuple(arguments))


def _argument(cursor: Cursor, function: str, kind: Type) -> Operand:
    operand = _operand(cursor)
    if kind == "nodes" and not isinstance(operand, Query):
        raise cursor.fail(f"{function}() takes a query")
    return operand if kind == "nodes" else _comparable(cursor, operand)
