"""Fallbacks are answers that the document describes."""

from __future__ import annotations

import pytest
from codegen.project import Project

DOCUMENT = """\
paths:
  /alpha:
    get:
      operationId: alpha
      tags: [alpha]
      summary: A summary
      description: A description.
      x-dhatu: {fallback: FALLBACK}
      responses:
        "200":
          description: Done.
          content:
            application/json:
              schema: {type: object, required: [things], properties: {things: {type: array}}}
        "2XX": {description: Done without a word.}
        default:
          description: Failed.
          content: {application/json: {schema: {type: string}}}
"""


@pytest.mark.parametrize(
    ("fallback", "complaint"),
    [
        ("{status: 200, body: {things: []}}", ""),
        ("{status: 503, body: later}", ""),
        ("{status: 200, body: {things: none}}", "refused by its schema"),
        ("{status: 200, body: {}}", "refused by its schema"),
        ("{status: 503, body: {}}", "refused by its schema"),
        ("{status: 203, body: {}}", "answers 203 with JSON, which is not described"),
    ],
)
def test_a_fallback_is_held_against_the_answers(project: Project, fallback: str, complaint: str) -> None:
    project.service("alpha", DOCUMENT.replace("FALLBACK", fallback))
    built = project.build(targets=())
    found = [entry.message for entry in built.diagnostics.all if entry.code == "DH058"]
    assert bool(found) == bool(complaint)
    assert all(complaint in message for message in found)
