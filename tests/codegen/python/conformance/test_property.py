"""Any value, in any style: it arrives as it was passed, or is refused before anything is sent."""

from __future__ import annotations

from typing import Any

from codegen.python.conformance.decoder import ABSENT, parameter_value
from codegen.python.conformance.documents import Case, cases, document
from codegen.python.conformance.package import Caller
from hypothesis import given, settings
from hypothesis import strategies as st

DOCUMENT = document()
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
_INTEGER = st.integers(-(2**80), 2**80)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXT,
    "integer": _INTEGER,
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "nullable": st.none() | _TEXT.filter(lambda text: text != "null"),
    "array": st.lists(_TEXT, max_size=4),
    "integers": st.lists(_INTEGER, max_size=4),
    "object": st.fixed_dictionaries({}, optional={"R": _INTEGER, "G": _TEXT, "on": st.booleans()}),
    "map": st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=3),
}


def _runs() -> st.SearchStrategy[tuple[Case, Any]]:
    return st.sampled_from(list(cases())).flatmap(
        lambda case: _VALUES[case.kind].map(lambda value: (case, value))
    )


@given(_runs())
@settings(max_examples=200, deadline=None)
def test_any_value_arrives_or_is_refused(caller: Caller, run: tuple[Case, Any]) -> None:
    case, value = run
    try:
        wire = caller.sent(f"{case.location}.{case.name}", v=value)
    except ValueError:  # every ArgumentError is one
        refused = True
    else:
        refused = False
    if refused:
        assert _may_be_refused(case, value), (case, value)
        return
    read = parameter_value(DOCUMENT, case.template, case.parameter, wire)
    gone = value in ([], {}) and case.location != "header"
    alone = case.location == "header" and value == [""]  # one empty item looks like none
    assert read == (ABSENT if gone else [] if alone else value), (case, wire)


def _may_be_refused(case: Case, value: Any) -> bool:
    """Only what no server could read: a path without the value, or text that the place cannot carry."""
    if case.location == "path":
        segment = value in ("", [], {}, [""], ".", "..") or (
            case.style == "simple" and value in (["."], [".."])
        )
        return segment or case.style == "label"
    pieces = [value] if not isinstance(value, list | dict) else [*value]
    pieces += [*value.values()] if isinstance(value, dict) else []
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    if case.location == "header" or case.style == "cookie":
        return any(not char.isprintable() or char.isspace() or char in ' ,;="\\' for char in text)
    if case.style == "deepObject":
        return any(set(name) & set("[]") for name in value)
    return {"spaceDelimited": " ", "pipeDelimited": "|"}.get(case.style, "never") in text
