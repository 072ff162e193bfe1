"""A small document, and what changes between it and another one."""

from __future__ import annotations

from datetime import date
from typing import Any

from dhatu_codegen.diagnostics import CODES, Diagnostics
from dhatu_codegen.diff.change import Change
from dhatu_codegen.diff.compare import compare
from dhatu_codegen.document import Map
from dhatu_codegen.reading.read_yaml import read_yaml

TODAY = date(2026, 6, 1)

DOCUMENT = """\
openapi: 3.1.1
info: {title: Test, version: 1.0.0}
x-dhatu: {sdk: {client: TestAPI}}
servers:
- {url: "https://api.example/v1"}
paths:
  /things/{id}:
    get:
      operationId: getThing
      tags: [things]
      security: []
      parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: limit, in: query, schema: {type: integer, maximum: 50}}
      responses:
        "200":
          description: It.
          headers: {ETag: {required: true, schema: {type: string}}, Age: {schema: {type: integer}}}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Thing"}}
            text/event-stream: {itemSchema: {type: object, properties: {n: {type: integer}}}}
        "404": {description: None.}
    post:
      operationId: changeThing
      tags: [things]
      security: [{bearer: [write]}]
      x-dhatu:
        sdk:
          positional: [id, name]
          paginate: {cursor: next, items: things}
          job: {status: things.get, done: [x]}
        timeout_s: 10
        max_body_bytes: 1000
        rate_limit: {limit: 10, window_s: 1}
        roles: [editor, owner]
      parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      requestBody:
        content:
          application/json: {schema: {$ref: "#/components/schemas/Change"}}
          text/csv: {schema: {type: string}}
      responses:
        "204": {description: Done.}
webhooks:
  changed:
    post:
      requestBody:
        required: true
        content:
          application/json: {schema: {type: object, required: [id], properties: {id: {type: string}}}}
      responses: {"200": {description: Seen.}}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-Key}
  schemas:
    Thing:
      type: object
      required: [id]
      properties:
        id: {type: string, readOnly: true}
        kind: {enum: [a, b]}
        note: {type: string, default: none}
    Change:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: {type: string, maxLength: 20}
        kind: {enum: [a, b]}
    Shape:
      oneOf: [{$ref: "#/components/schemas/Thing"}, {$ref: "#/components/schemas/Change"}]
      discriminator: {propertyName: kind, mapping: {t: "#/components/schemas/Thing"}}
"""


def read(text: str) -> Map:
    diagnostics = Diagnostics()
    document = read_yaml(text, "spec.yaml", diagnostics)
    assert isinstance(document, Map), [diagnostics.render(found) for found in diagnostics.all]
    return document


def changed(*edits: tuple[str, str], document: str = DOCUMENT) -> str:
    """The document with texts replaced, each of which must be there."""
    for before, after in edits:
        assert before in document, before
        document = document.replace(before, after, 1)
    return document


def changes(*edits: tuple[str, str], before: str = DOCUMENT, today: date = TODAY) -> tuple[Change, ...]:
    return compare(read(before), read(changed(*edits, document=before)), today)


def codes(*edits: tuple[str, str], before: str = DOCUMENT, **more: Any) -> list[str]:
    """Codes of all that is worth a warning at least."""
    found = (change.code for change in changes(*edits, before=before, **more))
    return [code for code in found if CODES[code][0] != "note"]
