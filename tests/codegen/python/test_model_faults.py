"""Values that models do not keep yet, found by reading random schemas; a test fails once it is mended."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pydantic
import pytest
from codegen.python.package import imported, install, shop_api
from codegen.python.test_model_property import document
from dhatu_codegen.targets.python import PythonTarget


def kept(schema: dict[str, Any], text: str, folder: Path) -> str:
    """What a model of the schema writes after it read the text."""
    api = shop_api(folder, "faults_client", document({"One": schema}))
    with imported(install(PythonTarget().render(api), folder)) as generated:
        models: Any = import_module(f"{generated.__name__}.models")
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(models.One)
        parsed = adapter.validate_json(text, by_alias=True, by_name=False)
        return json.dumps(json.loads(adapter.dump_json(parsed, by_alias=True, exclude_unset=True)))


@pytest.mark.xfail(strict=True, reason="pydantic counts the unknown foo_bar as if the field foo_bar were set")
def test_an_unknown_member_with_the_python_name_of_a_known_one_leaves_that_one_out(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"fooBar": {"type": "string"}}}
    text = '{"foo_bar": "x"}'
    assert kept(schema, text, tmp_path) == text


@pytest.mark.xfail(
    strict=True, reason="pydantic prefers the variant that knows more members, though it turns their values"
)
@pytest.mark.parametrize(
    ("kind", "text"), [("number", '{"b": false}'), ("number", '{"b": "5"}'), ("integer", '{"b": "5"}')]
)
def test_a_variant_does_not_turn_what_only_another_one_takes(kind: str, text: str, tmp_path: Path) -> None:
    known = {"type": "object", "properties": {"b": {"type": kind}}}
    other = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert kept({"anyOf": [other, known]}, text, tmp_path) == text
