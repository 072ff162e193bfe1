"""Names that collide, with Python, with the runtime or with each other; and rarer kinds of parameters."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from codegen.python.conformance.decoder import ABSENT, parameter_value
from codegen.python.conformance.documents import document
from codegen.python.conformance.names_document import HARD_NAMES, METHODS, TAGS
from codegen.python.conformance.package import Caller

DOCUMENT = document()


def _arguments(caller: Caller, method: str) -> list[str]:
    """The names of a method's own arguments, in their order."""
    resource, name = method.split(".")
    found = getattr(getattr(caller.module.SyncWireAPI(), resource), name)
    parameters = inspect.signature(found).parameters.values()
    return [one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]


def _read(template: str, wire: Any) -> dict[tuple[str, str], Any]:
    (operation,) = [member for key, member in DOCUMENT["paths"][template].items() if key in ("get", "post")]
    return {
        (parameter["in"], parameter["name"]): parameter_value(DOCUMENT, template, parameter, wire)
        for parameter in operation["parameters"]
    }


def test_every_name_has_an_argument_of_its_own(caller: Caller) -> None:
    arguments = _arguments(caller, "names.hard")
    assert len(arguments) == len(HARD_NAMES)
    wire = caller.sent("names.hard", **{argument: argument for argument in arguments})
    read = _read("/names/hard", wire)
    assert [read["query", name] for name in HARD_NAMES] == arguments


def test_one_name_in_five_places(caller: Caller) -> None:
    arguments = _arguments(caller, "names.twice")
    assert arguments[0] == "id"
    assert len(arguments) == 5
    wire = caller.sent("names.twice", **{argument: str(number) for number, argument in enumerate(arguments)})
    read = _read("/names/twice/{id}", wire)
    assert [read[place, "id"] for place in ("path", "query", "header", "cookie")] == ["0", "1", "2", "3"]
    assert wire.body == b'{"id":"4"}'


def test_an_object_as_deep_as_it_goes(caller: Caller) -> None:
    value = {"lang": "sa & en", "size": {"min": 1, "max": -2}, "tags": ["a", "b[c]"]}
    read = _read("/names/deep", caller.sent("names.deep", filter=value, other="x"))
    assert read == {("query", "filter"): value, ("query", "other"): "x"}


def test_reserved_characters_stay_readable_where_they_may(caller: Caller) -> None:
    wire = caller.sent("names.reserved", q="2026-01-01T10:00:00/P1D?x@y&z#+%", many=["a/b", "c,d"])
    assert wire.query == "q=2026-01-01T10:00:00/P1D?x@y%26z%23%2B%25&many=a/b,c%2Cd"
    read = _read("/names/reserved", wire)
    assert read == {("query", "q"): "2026-01-01T10:00:00/P1D?x@y&z#+%", ("query", "many"): ["a/b", "c,d"]}


def test_parameters_with_content(caller: Caller) -> None:
    value = {"lang": "a/b", "size": {"min": 1}}
    arguments = {"where": value, "near": value, "x_near": ["a, b", "c"], "near_cookie": "a;b", "plain": "a b"}
    read = _read("/names/content/{where}", caller.sent("names.content", **arguments))
    assert list(read.values()) == list(arguments.values())
    alone = _read("/names/content/{where}", caller.sent("names.content", where={}))
    assert list(alone.values()) == [{}, ABSENT, ABSENT, ABSENT, ABSENT]


def test_a_segment_may_hold_several_and_a_path_one_twice(caller: Caller) -> None:
    wire = caller.sent("names.two_in_a_segment", first="a/b", second="c")
    assert wire.path.endswith("/names/two/a%2Fb.c/a%2Fb")


@pytest.mark.parametrize("name", METHODS)
def test_methods_by_any_name_are_called(caller: Caller, name: str) -> None:
    resource = caller.module.SyncWireAPI().methods
    (given,) = [own for own in (name, f"{name}_") if callable(getattr(resource, own, None))]
    if name == "call":
        with pytest.warns(DeprecationWarning, match=r"methods\.call is deprecated"):
            wire = caller.sent(f"methods.{given}")
    else:
        wire = caller.sent(f"methods.{given}")
    assert wire.path.endswith(f"/names/methods/{name}")


def test_resources_by_any_name_keep_their_operations(caller: Caller) -> None:
    names = ("user_data", "user_data_2", "pets", "sync_pets", "close_", "operations", "datetime")
    assert len(names) == len(TAGS)
    for number, resource in enumerate(names):
        assert caller.sent(f"{resource}.tag{number}").path.endswith(f"/names/tags/{number}")
    assert caller.sent("with_options_").path.endswith("/names/alone")
