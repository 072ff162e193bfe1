"""Which answers the methods of the SDKs are typed by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from codegen.project import Project

THING = """\
paths:
  /things:
    get:
      operationId: listThings
      tags: [things]
      summary: List.
      security: []
      responses:
        "200": {description: All.}
"""


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ("200 206 302 404 default", "200 206"),
        ("302 default", ""),  # a redirect is all that goes well, so the default is an error
        ("404 default", "default"),
        ("default", "default"),
        ("404", ""),
    ],
)
def test_a_caller_waits_for_successes_or_for_the_default_where_nothing_else_goes_well(
    project: Project, described: str, expected: str
) -> None:
    project.service("things", THING)
    operation = project.operation("things.list_things")
    responses = tuple(replace(operation.responses[0], status=status) for status in described.split())
    found = replace(operation, responses=responses).expected
    assert [response.status for response in found] == expected.split()
