"""Values that models would change if they were read or written by pydantic's own lights."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pydantic
import pytest
from codegen.python.package import imported, install, shop_api
from codegen.python.test_model_property import document
from dhatu_client._encoding.values import to_json
from dhatu_client._models import read_json
from dhatu_codegen.targets.python import PythonTarget


def kept(schema: dict[str, Any], text: str, folder: Path) -> str:
    """What a model of the schema writes after it read the text."""
    api = shop_api(folder, "faults_client", document({"One": schema}))
    with imported(install(PythonTarget().render(api), folder)) as generated:
        models: Any = import_module(f"{generated.__name__}.models")
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(models.One)
        return json.dumps(json.loads(to_json(read_json(adapter, text), where="the value")))


def test_an_unknown_member_with_the_python_name_of_a_known_one_leaves_that_one_out(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"fooBar": {"type": "string"}}}
    text = '{"foo_bar": "x"}'
    assert kept(schema, text, tmp_path) == text


@pytest.mark.parametrize(
    ("kind", "text"), [("number", '{"b": false}'), ("number", '{"b": "5"}'), ("integer", '{"b": "5"}')]
)
def test_a_variant_does_not_turn_what_only_another_one_takes(kind: str, text: str, tmp_path: Path) -> None:
    known = {"type": "object", "properties": {"b": {"type": kind}}}
    other = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert kept({"anyOf": [other, known]}, text, tmp_path) == text


@pytest.mark.parametrize(("kind", "text"), [("integer", "3.0"), ("integer", "-0.0"), ("number", "3")])
def test_numbers_are_what_json_schema_takes_them_for(kind: str, text: str, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"type": kind}}}
    assert float(json.loads(kept(schema, f'{{"n": {text}}}', tmp_path))["n"]) == float(text)


def test_unions_that_list_each_other_are_read(tmp_path: Path) -> None:
    components = {
        "One": {"anyOf": [{"$ref": "#/components/schemas/Two"}, {"type": "string"}]},
        "Two": {
            "anyOf": [{"$ref": "#/components/schemas/One"}, {"type": "array", "items": {"type": "integer"}}]
        },
    }
    api = shop_api(tmp_path, "mutual_client", document(components))
    with imported(install(PythonTarget().render(api), tmp_path)) as generated:
        models: Any = import_module(f"{generated.__name__}.models")
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(models.One)
        for text in ('"a"', "[1, 2]"):
            assert to_json(read_json(adapter, text), where="the value") == text.replace(" ", "").encode()
