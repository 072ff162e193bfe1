"""What a request's parameters may be, in every style that OpenAPI knows."""

from __future__ import annotations

from typing import Any

import pytest
from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Parameter, Validation
from dhatu_gateway.core.validation.parameters import MAX_QUERY_PARAMETERS, build_parameters
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.validation.stage import build_validation
from gateway.support import Counts, make_route
from gateway.support import validate as validate_all

INTEGERS = {"type": "array", "items": {"type": "integer"}, "maxItems": 3}
POINT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "x": {"type": "integer"},
        "y": {"$ref": "#/components/schemas/Number"},
        "name": {"type": "string"},
    },
}
NUMBER = {"type": "number", "minimum": 0}

DEFAULT_STYLES = {"query": "form", "path": "simple", "header": "simple", "cookie": "form"}


class Checker:
    """The stage of a route with one parameter called `p`."""

    def __init__(
        self,
        schema: Any,
        location: Any = "query",
        *,
        name: str = "p",
        validate: Validation = "enforce",
        **changes: Any,
    ) -> None:
        style = DEFAULT_STYLES[location]
        fields: dict[str, Any] = {
            "required": False,
            "style": style,
            "explode": style == "form",
            "content_type": "",
        }
        parameter = Parameter(name=name, location=location, schema="/s", **(fields | changes))
        schemas = Schemas({"s": schema, "components": {"schemas": {"Number": NUMBER}}})
        path = "/api/v1/things/{p}" if location == "path" else "/api/v1/things"
        route = make_route("GET", path, parameters=(parameter,), validate=validate_all(validate))
        self._stage = build_validation(route, schemas, Counts())
        self._location = location

    def __call__(self, text: str) -> list[tuple[str, str, str]]:
        """Send a text where the parameter stands; returns what is refused."""
        exchange = Exchange()
        exchange.request_id = "r"
        exchange.started_at_s = 0.0
        exchange.query = text.encode("latin-1") if self._location == "query" else b""
        exchange.path_values = (text,) if self._location == "path" else ()
        exchange.fields = {}
        if self._location in ("header", "cookie") and text:
            exchange.fields[b"p" if self._location == "header" else b"cookie"] = text.encode("latin-1")
        assert self._stage is not None
        try:
            assert self._stage(exchange) is None
        except ProblemError as error:
            parts: list[tuple[str, str, str]] = [
                (part.location, part.name, part.detail) for part in error.problem.errors
            ]
            return parts or [("", "", str(error))]
        return []


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (
            {"type": "integer"},
            ["p=7", "p=-7", "p=0", "", "p=%37", "&p=7&"],
            ["p=7.5", "p=x", "p=", "p", "p=07", "p=1e2"],
        ),
        ({"type": "number"}, ["p=7", "p=7.5", "p=-1e2"], ["p=NaN", "p=Infinity", "p=0x1", "p=1_0"]),
        ({"type": "boolean"}, ["p=true", "p=false"], ["p=1", "p=True", "p="]),
        ({"type": "string"}, ["p=7", "p=", "p=a+b%20c", "p=caf%C3%A9"], ["p=a&p=b", "p=%ff"]),
        ({"type": ["integer", "null"]}, ["p=7"], ["p=null"]),
        ({"enum": ["a", "b"]}, ["p=a"], ["p=c"]),
        ({"enum": [1, 2]}, ["p=1"], ["p=3"]),
        ({"$ref": "#/components/schemas/Number"}, ["p=1"], ["p=-1"]),
        ({"anyOf": [{"type": "integer"}, {"const": "all"}]}, ["p=1", "p=all"], ["p=some"]),
        ({"type": "string", "format": "date"}, ["p=2026-11-23"], ["p=2026-13-01"]),
        ({"type": "string", "pattern": "^(a+)+$"}, ["p=" + "a" * 200], ["p=" + "a" * 200 + "!"]),
        (INTEGERS, ["p=1", "p=1&p=2"], ["p=a", "p=1,2", "p=1&p=2&p=3&p=4"]),
        (POINT, ["x=1&y=0.5", "name=a"], ["x=a", "y=-1", "p=1", "x=1&x=2"]),
    ],
)
def test_query_parameters(schema: dict[str, Any], good: list[str], bad: list[str]) -> None:
    check = Checker(schema)
    assert {text: check(text) for text in good} == {text: [] for text in good}
    assert [text for text in bad if not check(text)] == []


@pytest.mark.parametrize(
    ("schema", "location", "style", "explode", "good", "bad"),
    [
        (INTEGERS, "query", "form", False, ["p=1,2", "p="], ["p=1;2", "p=1%2C2", "p=1&p=2"]),
        (INTEGERS, "query", "spaceDelimited", False, ["p=1%202", "p=1+2"], ["p=1,2"]),
        (INTEGERS, "query", "pipeDelimited", False, ["p=1|2", "p=1%7C2"], ["p=1,2"]),
        (POINT, "query", "form", False, ["p=x,1,name,a%2Cb"], ["p=x,1,name", "p=x,a", "p=z,1", "p=x,1,x,2"]),
        (
            POINT,
            "query",
            "deepObject",
            True,
            ["p[x]=1&p%5By%5D=2"],
            ["p[x]=a", "p[z]=1", "p=1", "p[x]=1&p[x]=2"],
        ),
        (INTEGERS, "path", "simple", False, ["1,2"], ["1.2", "a"]),
        (POINT, "path", "simple", False, ["x,1,name,a"], ["x=1"]),
        (POINT, "path", "simple", True, ["x=1,name=a%2C"], ["x,1"]),
        ({"type": "integer"}, "path", "label", False, [".7"], ["7", ".a"]),
        (INTEGERS, "path", "label", False, [".1,2"], ["1,2"]),
        (INTEGERS, "path", "label", True, [".1.2"], [".1,2"]),
        ({"type": "integer"}, "path", "matrix", False, [";p=7"], ["7", ";q=7"]),
        (INTEGERS, "path", "matrix", True, [";p=1;p=2"], [";q=1"]),
        (POINT, "path", "matrix", True, [";x=1;name=a"], [";z=1"]),
        ({"type": "integer"}, "header", "simple", False, ["7", ""], ["x"]),
        (INTEGERS, "header", "simple", False, ["1,2"], ["a"]),
        ({"type": "integer"}, "cookie", "form", True, ["p=7", 'a=b; p="7"', "q=x"], ["p=x", "a=b;p=x"]),
    ],
)
def test_styles(
    schema: Any, location: str, style: str, explode: bool, good: list[str], bad: list[str]
) -> None:
    check = Checker(schema, location, style=style, explode=explode)
    assert {text: check(text) for text in good} == {text: [] for text in good}
    assert [text for text in bad if not check(text)] == []


def test_json_in_a_parameter() -> None:
    check = Checker(POINT, content_type="application/json")
    assert check("p=%7B%22x%22%3A1%7D") == []
    assert check("p=%7B%22x%22%3A%22a%22%7D") == [("query", "p/x", "must be an integer")]
    assert "is not JSON" in check("p=%7B")[0][2]


def test_messages_name_the_parameter_and_what_it_should_be() -> None:
    assert Checker({"type": "integer", "minimum": 1})("p=0") == [("query", "p", "must be at least 1")]
    assert Checker({"type": "integer"}, required=True)("") == [("query", "p", "is required")]
    assert Checker({"type": "integer"}, "header", required=True)("") == [("header", "p", "is required")]
    assert Checker({"type": "integer"})("p=1&p=2") == [("query", "p", "is sent more than once")]
    assert Checker({"type": "integer"})("q=1&p=x") == [
        ("query", "q", "is not known here; known: p"),
        ("query", "p", "must be an integer"),
    ]
    assert Checker(INTEGERS)("p=1&p=a") == [("query", "p/1", "must be an integer")]


def test_malformed_queries_are_refused() -> None:
    check = Checker({"type": "string"})
    assert "percent-encoded" in check("p=\xe9")[0][2]
    assert "not UTF-8" in check("%ff=1")[0][2]
    assert str(MAX_QUERY_PARAMETERS) in check("&".join(["p=1"] * (MAX_QUERY_PARAMETERS + 1)))[0][2]


def test_headers_that_other_keywords_describe_are_left_alone() -> None:
    assert Checker({"type": "integer"}, "header", name="Accept", required=True)("") == []


def test_validation_may_only_look_on(caplog: pytest.LogCaptureFixture) -> None:
    check = Checker({"type": "integer"}, validate="log")
    assert check("p=x&q=1") == []
    assert "query p: must be an integer" in caplog.text
    assert (
        build_parameters(make_route(validate=validate_all("off")), Schemas({}), lambda exchange, error: None)
        is None
    )


def test_a_path_parameter_must_stand_in_the_path() -> None:
    with pytest.raises(ValueError, match="no variable 'q'"):
        Checker({"type": "integer"}, "path", name="q")
