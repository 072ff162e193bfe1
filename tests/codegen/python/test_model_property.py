"""Whatever a schema accepts, its model parses, and writes again as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema_rs
import pydantic
import yaml
from codegen.python.package import imported, install, shop_api
from dhatu_client._encoding.values import to_json
from dhatu_client._models import read_json
from dhatu_codegen.targets.python import PythonTarget
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

KEYS = ("a", "b", "fooBar", "foo_bar", "class", "model_dump", "date", "schema", "x-1", "_p", "items", "Ä")
CLASSES = {
    "One": "One",
    "OneTwo": "OneTwo",
    "Optional": "OptionalModel",
    "list": "List",
    "one-two": "OneTwo2",
}
"""By component, in the order of the document."""
PLAIN: tuple[dict[str, Any] | bool, ...] = (
    {},
    True,
    {"type": "string"},
    {"type": "integer"},
    {"type": "boolean"},
    {"type": "null"},
    {"type": "number"},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "uuid"},
    {"type": "string", "format": "time"},
    {"type": ["string", "null"]},
    {"type": ["integer", "string", "null"]},
    {"enum": ["x", "y"]},
    {"enum": [1, 2, None]},
    {"enum": ["x", 1, True, None]},
    {"enum": [1.5, {"a": 1}]},
    {"const": "x"},
    {"const": 2},
    {"type": "object"},
    {"type": "array"},
    *({"$ref": f"#/components/schemas/{name}"} for name in CLASSES),
)
SCALARS = st.sampled_from(
    [
        *("x", "y", "", "5", "2024-02-29", "00000000-0000-0000-0000-00000000000a"),
        *(0, 1, 2, -7, 2**70, 1.5, -0.25, True, False, None),
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)


def compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas of one more level."""
    members = st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    required = st.lists(st.sampled_from(KEYS), max_size=2, unique=True)
    several = st.lists(inner, min_size=1, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": members},
        optional={
            "required": required,
            "additionalProperties": inner | st.just(False),
            "patternProperties": st.fixed_dictionaries({"^x-": inner}),
        },
    )
    arrays = st.fixed_dictionaries(
        {"type": st.just("array")}, optional={"items": inner, "prefixItems": several}
    )
    maps = st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner})
    unions = several.flatmap(lambda parts: st.sampled_from([{"anyOf": parts}, {"oneOf": parts}]))
    joined = st.lists(objects, min_size=1, max_size=3).map(lambda parts: {"allOf": parts})
    both = st.tuples(objects, unions).map(lambda pair: pair[0] | pair[1])
    return objects | arrays | maps | unions | joined | both


SCHEMAS = st.recursive(st.sampled_from(PLAIN), compound, max_leaves=12)
DOCUMENTS = st.fixed_dictionaries(dict.fromkeys(CLASSES, SCHEMAS))


def document(components: dict[str, Any]) -> str:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/One"}}}
    operation = {"operationId": "a", "responses": {"200": {"description": "A", "content": content}}}
    return yaml.safe_dump({"paths": {"/a": {"get": operation}}, "components": {"schemas": components}})


def adapters(components: dict[str, Any], folder: Path) -> Iterator[tuple[str, pydantic.TypeAdapter[Any]]]:
    """What reads each component."""
    api = shop_api(folder, "property_client", document(components))
    with imported(install(PythonTarget().render(api), folder)) as generated:
        models = import_module(f"{generated.__name__}.models")
        for component, name in CLASSES.items():
            yield component, pydantic.TypeAdapter(getattr(models, name))


@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # a failing document shrinks for minutes
    suppress_health_check=list(HealthCheck),
)
@given(components=DOCUMENTS, values=st.lists(VALUES, min_size=5, max_size=25))
def test_what_a_schema_accepts_its_model_keeps(components: dict[str, Any], values: list[Any]) -> None:
    registry = jsonschema_rs.Registry([("urn:d", {"components": {"schemas": components}})])
    with TemporaryDirectory() as folder:
        for name, adapter in adapters(components, Path(folder)):
            validator = jsonschema_rs.Draft202012Validator(
                {"$ref": f"urn:d#/components/schemas/{name}"}, registry=registry, validate_formats=True
            )
            for value in (value for value in values if validator.is_valid(value)):
                again = json.loads(to_json(read_json(adapter, json.dumps(value)), where="the value"))
                assert (again, kinds(again)) == (value, kinds(value)), (name, components[name])


def kinds(value: Any) -> Any:
    """The shape of a value, in which true is not 1."""
    if isinstance(value, dict):
        return {key: kinds(member) for key, member in value.items()}
    if isinstance(value, list):
        return [kinds(element) for element in value]
    return isinstance(value, bool)
