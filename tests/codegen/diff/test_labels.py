"""Places are called by names: of operations, parameters, bodies, answers and media types."""

from __future__ import annotations

import pytest
from codegen.diff.documents import changes
from dhatu_codegen.diff.labels import label_of
from dhatu_codegen.document import Node

BEFORE = """\
openapi: 3.1.1
info: {title: Test, version: 1.0.0}
paths:
  /a:
    parameters:
    - {name: X-Trace, in: header, schema: {type: string}}
    post:
      parameters:
      - {name: q, in: query, schema: {type: string}}
      - {$ref: "#/components/parameters/Page"}
      requestBody: {content: {text/csv: {schema: {type: string}}}}
      responses:
        "200":
          description: It.
          headers: {ETag: {schema: {type: string}}}
          content: {application/json: {schema: {type: array, items: {type: string}}}}
webhooks:
  told:
    post:
      requestBody: {content: {application/json: {schema: {type: string}}}}
      responses: {}
components:
  parameters:
    Page: {name: page, in: query, schema: {type: string}}
"""
STRING, NUMBER = "{type: string}", "{type: number}"


@pytest.mark.parametrize(
    ("start", "label"),
    [
        ("{name: X-Trace, in: header, schema: ", "/a header parameter X-Trace"),
        ("{name: q, in: query, schema: ", "POST /a query parameter q"),
        ("text/csv: {schema: ", "POST /a request body text/csv"),
        ("ETag: {schema: ", "POST /a response 200 header ETag"),
        ("items: ", "POST /a response 200 application/json[]"),
        ("application/json: {schema: ", "POST webhook told request body application/json"),
        ("{name: page, in: query, schema: ", "query parameter page (Page)"),
    ],
)
def test_a_change_names_where_it_is_written(start: str, label: str) -> None:
    (change,) = changes((start + STRING, start + NUMBER), before=BEFORE)
    assert change.where == label


@pytest.mark.parametrize(
    ("pointer", "label"),
    [
        (
            "/paths/~1a/post/callbacks/done/{url}/put/requestBody/content/text~1csv/schema",
            "POST /a callback done PUT {url} request body text/csv",
        ),
        ("/components/responses/Gone/content/text~1csv/schema/properties/a", "response Gone text/csv.a"),
        (
            "/paths/~1b/x-oai-additionalOperations/LOCK/requestBody/content/text~1csv/schema",
            "LOCK /b request body text/csv",
        ),
        ("/paths/~1b/get/parameters/0/schema", "GET /b parameter 0"),
        (
            "/components/requestBodies/Made/content/multipart~1form-data/schema#type=1",
            "request body Made multipart/form-data",
        ),
    ],
)
def test_a_place_that_is_rarely_seen_has_a_name_too(pointer: str, label: str) -> None:
    assert label_of(pointer, Node.of({})) == label
