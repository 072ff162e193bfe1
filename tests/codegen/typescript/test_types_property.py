"""Whatever a schema accepts, its type takes, and its shape finds nothing wrong with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema_rs
from codegen.python.test_model_property import CLASSES, DOCUMENTS, VALUES
from codegen.sdk.sources import api
from codegen.typescript.compiler import lay_out
from codegen.typescript.sources import rendered
from dhatu_codegen.targets.typescript.components import Components
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from node import run

CHECK = """\
import { readFileSync } from 'node:fs';
for (const [folder, name, value] of JSON.parse(readFileSync('cases.json', 'utf8'))) {
  const shapes = await import(`./out/${folder}/shapes.js`);
  const wrong = shapes[name]?.(value, true);
  if (wrong) console.log(`${folder} ${name}: ${JSON.stringify(value)}${wrong}`);
}
"""


def document(components: dict[str, Any]) -> dict[str, Any]:
    holder = {
        "type": "object",
        "properties": {key: {"$ref": f"#/components/schemas/{key}"} for key in components},
    }
    content = {"application/json": {"schema": holder}}
    operation = {"operationId": "a", "responses": {"200": {"description": "A", "content": content}}}
    return {
        "openapi": "3.1.1",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://a.test"}],
        "paths": {"/a": {"get": operation}},
        "components": {"schemas": components},
    }


def of_full_tuples(schema: Any) -> Any:
    """Tuples as long as their prefix: without a minimum they are taken for full."""
    if isinstance(schema, list):
        return [of_full_tuples(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    full = {"minItems": len(schema["prefixItems"])} if "prefixItems" in schema else {}
    return {key: of_full_tuples(part) for key, part in schema.items()} | full


def accepted(components: dict[str, Any], values: list[Any]) -> list[tuple[str, Any]]:
    """(component, value) of all that its schema accepts."""
    registry = jsonschema_rs.Registry([("urn:d", {"components": {"schemas": components}})])
    found: list[tuple[str, Any]] = []
    for name in CLASSES:
        reference = {"$ref": f"urn:d#/components/schemas/{name}"}
        validator = jsonschema_rs.Draft202012Validator(reference, registry=registry)
        found += [(name, value) for value in values if validator.is_valid(value)]
    return found


@settings(
    max_examples=2,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # a failing document shrinks for minutes
    suppress_health_check=list(HealthCheck),
)
@given(
    documents=st.lists(DOCUMENTS, min_size=12, max_size=12), values=st.lists(VALUES, min_size=15, max_size=30)
)
def test_what_a_schema_accepts_its_type_and_shape_take(
    documents: list[dict[str, Any]], values: list[Any]
) -> None:
    with TemporaryDirectory() as name:
        folder, cases = Path(name), list[Any]()
        lay_out(folder, {})
        for number, components in enumerate(map(of_full_tuples, documents)):
            inside = folder / f"document{number}"
            inside.mkdir()
            (inside / "openapi.json").write_text(json.dumps(document(components)), encoding="utf-8")
            found = api((inside / "openapi.json").as_posix())
            names = Components(found)
            for file, text in rendered(found).items():
                (inside / file).write_text(text, encoding="utf-8")
            lines = ["import type * as types from './types.js';"]
            # A schema that is nothing but itself refuses nothing, and has no type that would say so.
            for key, value in accepted(components, values) if not names.circles else ():
                cases.append([inside.name, names.name(key), value])
                # Asserted, not assigned: members that the type does not name are no mistake in an answer.
                # Inside of tuples the compiler finds fault with an object that has no others.
                if "prefixItems" not in json.dumps(components):
                    written = f"{json.dumps(value, ensure_ascii=False)} as types.{names.name(key)}"
                    lines.append(f"export const value{len(lines)} = {written};")
            if lines[1:]:
                (inside / "values.ts").write_text("\n".join(lines), encoding="utf-8")
        (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
        said = compiled(folder)
        assert said == [], [(line, *told_about(folder, line)) for line in said]
        assert run("node", "--input-type=module", "--eval", CHECK, folder=folder) == ""


def compiled(folder: Path) -> list[str]:
    """What the compiler said."""
    try:
        run("tsc", "-p", folder / "tsconfig.json", folder=folder)
    except AssertionError as error:
        return [line for line in str(error).splitlines()[1:] if ": error TS" in line]
    return []


def told_about(folder: Path, line: str) -> tuple[str, str]:
    """The line that the compiler speaks of, and the type in question."""
    place = re.match(r"(.+)\((\d+),", line)
    assert place is not None, line
    path = folder / place[1]
    written = path.read_text(encoding="utf-8").splitlines()[int(place[2]) - 1]
    return written, (path.parent / "types.ts").read_text(encoding="utf-8")
