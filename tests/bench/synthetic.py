"""Documents of any size that look like real ones: an operation for every ten schemas, which form rings."""

from __future__ import annotations

from pathlib import Path

PLATFORM = """\
info: {title: Large, version: 1.0.0}
versions: {v1: {state: current}}
services:
  large: {spec: services/large.yaml}
"""
HEAD = """\
openapi: 3.1.1
info: {title: large, version: 1.0.0, description: A large service.}
security: []
paths:
"""
OPERATION = """\
  /things/{number}:
    post:
      operationId: make{number}
      tags: [tag{tag}]
      summary: Make thing {number}
      description: Makes one thing.
      requestBody:
        required: true
        content: {{application/json: {{schema: {{$ref: '#/components/schemas/Thing{number}'}}}}}}
      responses:
        "200":
          description: Made.
          content: {{application/json: {{schema: {{$ref: '#/components/schemas/Thing{other}'}}}}}}
        default: {{description: Failed.}}
"""
SCHEMA = """\
    Thing{number}:
      type: object
      description: Thing number {number}.
      required: [id]
      properties:
        id: {{type: string}}
        count: {{type: integer, minimum: 0, maximum: {limit}}}
        tags: {{type: array, items: {{type: string}}}}
        next: {{$ref: '#/components/schemas/Thing{other}'}}
"""


def write_specs(root: Path, schemas: int, x_dhatu_schema: Path) -> None:
    """A platform with one service of so many schemas."""
    (root / "spec/services").mkdir(parents=True)
    (root / "spec/x-dhatu.schema.json").write_bytes(x_dhatu_schema.read_bytes())
    (root / "spec/platform.yaml").write_text(PLATFORM, encoding="utf-8")
    # Each refers to the next, and the last of its ten back to their first.
    others = [number - 9 if number % 10 == 9 else number + 1 for number in range(schemas)]
    paths = "".join(
        OPERATION.format(number=number, other=others[number], tag=number // 100)
        for number in range(0, schemas, 10)
    )
    components = "".join(
        SCHEMA.format(number=number, other=other, limit=number + 1) for number, other in enumerate(others)
    )
    text = f"{HEAD}{paths}components:\n  schemas:\n{components}"
    (root / "spec/services/large.yaml").write_text(text, encoding="utf-8")
