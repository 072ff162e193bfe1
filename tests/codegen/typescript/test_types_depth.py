"""Documents that are deep, or go round in circles: rendered in the end, and without a stack overflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from codegen.sdk.sources import api
from codegen.typescript.compiler import compile_in, lay_out
from codegen.typescript.sources import rendered

LINKS = 1_200
"""More than Python lets calls nest."""
LEVELS = 60

TEXT = {"type": "string"}
Link = Callable[[dict[str, Any], int], dict[str, Any]]
CHAINS: dict[str, Link] = {
    "reference": lambda next, number: next,
    "base": lambda next, number: {"allOf": [next, {"type": "object", "properties": {f"p{number}": TEXT}}]},
    "member": lambda next, number: {"type": "object", "properties": {"next": next}},
    "variant": lambda next, number: {"anyOf": [next, {"type": "null"}, {"type": "integer"}]},
    "list": lambda next, number: {"type": "array", "items": next},
}
NESTS: dict[str, Callable[[Any], Any]] = {
    "object": lambda inner: {"type": "object", "properties": {"a": inner}},
    "list": lambda inner: {"type": "array", "items": inner},
    "union": lambda inner: {"anyOf": [inner, {"type": "null"}]},
    "intersection": lambda inner: {"allOf": [inner, {"type": "object", "properties": {"x": TEXT}}]},
}


def render(folder: Path, schemas: dict[str, Any]) -> dict[str, str]:
    """A document whose only operation takes and answers `C0`."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/C0"}}}
    operation = {
        "operationId": "a",
        "requestBody": {"content": content},
        "responses": {"200": {"description": "d", "content": content}},
    }
    document = {
        "openapi": "3.1.1",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://a.test"}],
        "paths": {"/a": {"post": operation}},
        "components": {"schemas": schemas},
    }
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return rendered(api(path.as_posix()))


@pytest.mark.parametrize("kind", CHAINS)
def test_a_long_chain_of_components_is_rendered(kind: str, tmp_path: Path) -> None:
    schemas = {
        f"C{number}": CHAINS[kind]({"$ref": f"#/components/schemas/C{number + 1}"}, number)
        for number in range(LINKS)
    }
    files = render(tmp_path, schemas | {f"C{LINKS}": {"type": "object", "properties": {"end": TEXT}}})
    assert files["types.ts"].count("export ") == LINKS + 1


def test_a_long_circle_of_aliases_is_rendered(tmp_path: Path) -> None:
    size = 200
    schemas = {
        f"C{number}": {"anyOf": [{"$ref": f"#/components/schemas/C{(number + 1) % size}"}, TEXT]}
        for number in range(size)
    }
    files = render(tmp_path, schemas)
    assert files["types.ts"].count("export ") == size


def test_deep_schemas_compile(tmp_path: Path) -> None:
    lay_out(tmp_path, {})
    for kind, nest in NESTS.items():
        schema: Any = TEXT
        for _ in range(LEVELS):
            schema = nest(schema)
        (tmp_path / kind).mkdir()
        for name, text in render(tmp_path, {"C0": schema}).items():
            (tmp_path / kind / name).write_text(text, encoding="utf-8")
    compile_in(tmp_path)
