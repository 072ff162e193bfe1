"""A document that every rule is content with, to be broken in one place at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.lint.style import ALWAYS, STYLE, lint_style
from dhatu_codegen.reading.load import load

CLEAN: Final = """\
openapi: 3.1.1
info: {title: Shop, version: 1.0.0, license: {name: MIT}}
servers:
  - url: https://{region}.shop.test
    variables: {region: {default: eu, enum: [eu, us]}}
tags: [{name: items, description: What is sold.}]
security: [{oauth: [read]}]
paths:
  /shop-items/{item_id}:
    put:
      operationId: putItem
      tags: [items]
      summary: Put an item
      parameters:
        - {name: item_id, in: path, required: true, schema: {type: string, maxLength: 9}}
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}
      responses:
        "204": {description: Done.}
        "429": &limit {$ref: "#/components/responses/Limit"}
        default: &problem {$ref: "#/components/responses/Problem"}
  /shop-items:
    get:
      operationId: listItems
      tags: [items]
      summary: List items
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 9}}
        - {name: cursor, in: query, schema: {type: string, maxLength: 9}}
      responses:
        "200":
          description: A page.
          content:
            application/json:
              schema: {type: object, properties: {found: {type: array, items: {type: string}}}}
              example: {found: []}
        "429": *limit
        default: *problem
components:
  schemas:
    Item:
      type: object
      additionalProperties: false
      required: [item_name]
      properties:
        item_name: {type: string, maxLength: 9, pattern: "^[a-z]+(-[a-z]+)*$"}
        item_size: {enum: [s, m], type: string}
        item_tags: {type: array, maxItems: 3, items: {type: string, maxLength: 9, examples: [new]}}
        item_kind: {oneOf: [{$ref: "#/components/schemas/Kind"}, {type: "null"}]}
        item_rank: {type: integer, minimum: 1, maximum: 9}
    Kind: {type: string, maxLength: 9}
  responses:
    Limit:
      description: Wait.
      headers:
        Retry-After: {schema: {type: integer}, example: 3}
        RateLimit: {schema: {type: string}}
      content: {application/problem+json: {schema: {type: object}}}
    Problem:
      description: Failed.
      content: {application/problem+json: {schema: {type: object}}}
  securitySchemes:
    oauth:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: "https://shop.test/token", scopes: {read: Read.}}}
"""


def found_in(folder: Path, text: str) -> list[tuple[str, str]]:
    """(code, line:column) of everything that the rules find in a document."""
    (folder / "shop.yaml").write_text(text, encoding="utf-8")
    diagnostics = Diagnostics()
    document = load(folder, "shop.yaml", diagnostics)
    assert document is not None, diagnostics.all
    lint_style(document, diagnostics, (*STYLE, *ALWAYS))
    return [(item.code, str(item.source).removeprefix("shop.yaml:")) for item in diagnostics.all]
