"""Every style x explode x type in every location: what is passed is what a server by the document reads."""

from __future__ import annotations

from typing import Any

import pytest
from codegen.python.conformance.decoder import ABSENT, parameter_value
from codegen.python.conformance.documents import Case, cases, document
from codegen.python.conformance.test_parameters import VALUES, fitting
from codegen.typescript.packages import Call, Packages
from codegen.typescript.spelling import method_of

pytestmark = pytest.mark.xdist_group("typescript")
DOCUMENT = document()


def call_of(case: Case, *value: Any) -> Call:
    """The variable of a path goes by position."""
    args = [*value] if case.location == "path" else [{"v": one} for one in value]
    return Call(document="wire", call=f"{case.location}.{method_of(case.name)}", args=args)


def test_parameters_arrive_as_they_were_passed(packages: Packages) -> None:
    runs = [
        (case, fitting(case, value))
        for case in cases()
        for value in VALUES[case.kind]
        if value != 2**70 and not (case.location == "path" and value in ("", [], {}))
    ]
    assert len(runs) > 200
    called = packages.call(*(call_of(case, value) for case, value in runs))
    for (case, value), found in zip(runs, called, strict=True):
        read = parameter_value(DOCUMENT, case.template, case.parameter, found.wire)
        gone = value in ([], {}) and case.location != "header"  # RFC 6570: an empty list is an undefined one
        assert read == (ABSENT if gone else value), (case, value, found)
        assert type(read) is type(ABSENT if gone else value)


def test_what_is_not_given_is_not_sent(packages: Packages) -> None:
    optional = [case for case in cases() if case.location != "path"]
    for case, found in zip(optional, packages.call(*map(call_of, optional)), strict=True):
        assert parameter_value(DOCUMENT, case.template, case.parameter, found.wire) is ABSENT
        assert (found.wire.query, found.wire.header("cookie")) == ("", None)
