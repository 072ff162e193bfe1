"""The gateway holds messages against what a document says, whichever version of OpenAPI says it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codegen.project import Project
from dhatu_codegen.emit import to_json
from dhatu_gateway.core.validation.schemas import Schemas

SPEC = """\
openapi: {version}
info: {{title: things, version: 1.0.0, description: Things.}}
security: []
paths:
  /things:
    post:
      operationId: make
      tags: [things]
      summary: Make
      description: Makes.
      requestBody:
        required: true
        content:
          application/json:
            schema: {{$ref: "#/components/schemas/Thing"}}
      responses:
        "204": {{description: Made.}}
        default: {{description: Failed.}}
components:
  schemas:
    Thing:
      type: object
      properties: {properties}
"""
PROPERTIES = {
    "3.0.3": "{n: {type: integer, minimum: 3, exclusiveMinimum: true}, s: {type: string, nullable: true},"
    " r: {$ref: '#/components/schemas/Thing'}, e: {type: string, enum: [a], nullable: true}}",
    "3.1.1": "{n: {type: integer, exclusiveMinimum: 3}, s: {type: [string, 'null']},"
    " r: {$ref: '#/components/schemas/Thing', minProperties: 1}, e: {enum: [a, null]}}",
}


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [
        ({"n": 4, "s": None, "e": "a"}, True),
        ({"r": {"r": {"n": 4}}}, True),
        ({"n": 3}, False),
        ({"s": 1}, False),
        ({"e": "b"}, False),
        ({"n": None}, False),
        ({"r": {"n": 3}}, False),
    ],
)
@pytest.mark.parametrize("version", list(PROPERTIES))
def test_both_dialects_are_asserted_as_they_are_meant(
    project: Project, version: str, value: Any, is_valid: bool
) -> None:
    project.service("things", "")
    text = SPEC.format(version=version, properties=PROPERTIES[version])
    (project.root / "spec/services/things.yaml").write_text(text)
    api = project.api()
    [operation] = api.operations
    assert operation.body is not None
    schemas = Schemas(json.loads(to_json(api.document, "made")))
    assert schemas.validator(operation.body.payloads[0].pointer).is_valid(value) is is_valid
