"""Every style x explode x type in every location: what is passed is what a server by the document reads."""

from __future__ import annotations

from typing import Any

import pytest
from codegen.python.conformance.decoder import ABSENT, parameter_value
from codegen.python.conformance.documents import Case, cases, document
from codegen.python.conformance.package import Caller

DOCUMENT = document()
_HARD = "a b/c?d#e&f=g+h%20;,.|~:@!$'()*[]<>\"\\^`{}"
VALUES: dict[str, list[Any]] = {
    "string": ["plain", _HARD, "śabda ॐ 🕉", "null", "true", ""],
    "integer": [0, -7, 2**70],
    "number": [1.5, -0.25, 1e300],
    "boolean": [True, False],
    "nullable": [None, "text"],
    "array": [["a", _HARD, "ś"], ["one"], ["", "x"], []],
    "integers": [[1, -2, 3], []],
    "object": [{"R": 100, "G": _HARD, "on": True}, {"G": ""}, {}],
    "map": [{"k y": "v,", "ś": "a=b&c"}, {}],
}


def fitting(case: Case, value: Any, within: bool = False) -> Any:
    """A value that the style can carry: what separates its pieces unencoded cannot be part of one."""
    unsafe = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(case.style, "") if within else ""
    if case.location == "header":
        unsafe = ",=" if within else ""
    if case.style == "cookie":
        unsafe = ',;="\\ '
    if isinstance(value, str):
        value = "".join(char for char in value if char not in unsafe)
        return value.strip() if case.location == "header" else value
    if isinstance(value, list):
        return [fitting(case, item, within=True) for item in value]
    if isinstance(value, dict):
        return {
            fitting(case, key, within=True): fitting(case, item, within=True) for key, item in value.items()
        }
    return value


def _runs() -> list[Any]:
    runs = []
    for case in cases():
        for number, value in enumerate(VALUES[case.kind]):
            if case.location == "path" and value in ("", [], {}):
                continue  # refused: see below
            runs.append(pytest.param(case, fitting(case, value), id=f"{case.location}-{case.name}-{number}"))
    return runs


@pytest.mark.parametrize(("case", "value"), _runs())
def test_a_parameter_arrives_as_it_was_passed(caller: Caller, case: Case, value: Any) -> None:
    wire = caller.sent(f"{case.location}.{case.name}", v=value)
    read = parameter_value(DOCUMENT, case.template, case.parameter, wire)
    gone = value in ([], {}) and case.location != "header"  # RFC 6570: an empty list is an undefined one
    assert read == (ABSENT if gone else value), wire
    assert type(read) is type(ABSENT if gone else value)


@pytest.mark.parametrize("case", [case for case in cases() if case.location != "path"], ids=lambda c: c.name)
def test_what_is_not_given_is_not_sent(caller: Caller, case: Case) -> None:
    wire = caller.sent(f"{case.location}.{case.name}")
    assert parameter_value(DOCUMENT, case.template, case.parameter, wire) is ABSENT
    assert (wire.query, wire.header("cookie")) == ("", None)
