"""The rules beyond validity, and the overlap of routes."""

from __future__ import annotations

import re

import pytest
from codegen.project import Project
from dhatu_codegen.lint.overlap import overlap, split
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("first", "second", "witness"),
    [
        ("/a/{id}", "/a/{name}", "/a/x"),
        ("/a/{id}/c", "/a/b/{id}", "/a/b/c"),
        ("/{a}/b", "/c/{d}", "/c/b"),
        ("/{name}.json", "/report.{kind}", "/report.json"),
        ("/a/{id}", "/a/b", ""),
        ("/a/b", "/a/c", ""),
        ("/a/{id}", "/a/{id}/b", ""),
        ("/a/{id}", "/a/{id}.json", ""),
        ("/a/{id}.xml", "/a/{id}.json", ""),
        ("/a-{x}", "/{x}-b", "/a-b"),
        ("/v{x}-{y}", "/v{x}", ""),
    ],
)
def test_templates_overlap_unless_one_is_strictly_more_specific(
    first: str, second: str, witness: str
) -> None:
    assert overlap(split(first), split(second)) == witness
    assert bool(overlap(split(second), split(first))) == bool(witness)


SEGMENT = st.lists(st.sampled_from(["a", "b", "{}"]), min_size=1, max_size=3).map("".join)
TEMPLATE = st.lists(SEGMENT, min_size=1, max_size=2).map(lambda segments: "/" + "/".join(segments))


def matches(template: str, path: str) -> bool:
    return re.fullmatch(re.escape(template).replace(r"\{\}", "[^/]+"), path) is not None


@given(first=TEMPLATE, second=TEMPLATE, path=TEMPLATE)
def test_a_witness_is_matched_by_both_and_its_absence_orders_them(first: str, second: str, path: str) -> None:
    witness = overlap(split(first), split(second))
    if witness:
        assert matches(first, witness)
        assert matches(second, witness)
    concrete = path.replace("{}", "ab")
    if not witness and matches(first, concrete) and matches(second, concrete):
        # One contains the other: the wider one matches its text with holes filled by a letter of no literal.
        assert matches(first, second.replace("{}", "z")) != matches(second, first.replace("{}", "z"))


def test_overlapping_routes_of_two_services_are_refused_with_a_witness(project: Project) -> None:
    project.service("alpha", PATHS.format(path="/a/{id}/c", name="alpha"))
    project.service("beta", PATHS.format(path="/a/b/{id}", name="beta"))
    (found,) = project.build().diagnostics.errors
    assert (found.code, str(found.source)) == ("DH034", "spec/services/beta.yaml:6:5")
    assert found.message == "/a/b/c would match both /a/b/{id} and /a/{id}/c"
    assert [str(related.source) for related in found.related] == ["spec/services/alpha.yaml:6:5"]


PATHS = """\
paths:
  {path}:
    get:
      operationId: {name}
      tags: [{name}]
      summary: A summary
      description: A description.
      parameters:
        - {{name: id, in: path, required: true, description: I, example: x, schema: {{type: string}}}}
      responses: {{default: {{description: Any.}}}}
"""

RULE = """\
paths:
  /search:
    post:
      operationId: search
      tags: [alpha]
      summary: A summary
      description: A description.
      x-dhatu: {sdk: {positional: [q], paginate: {cursor: next, items: found}}}
      parameters:
        - {name: q, in: query, description: What., schema: {type: string, maxLength: 3}, example: abc}
        - {name: cursor, in: query, description: Where., schema: {type: string}, example: abc}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Body"}
            examples: {one: {value: {size: 3}}}
      responses:
        "200":
          description: Found.
          content:
            application/json:
              schema:
                allOf:
                  - {type: object, properties: {next: {type: string}}}
                  - {type: object, properties: {found: {type: array}}}
              example: {next: a, found: []}
        default: {description: Failed.}
components:
  schemas:
    Body: {type: object, additionalProperties: false, properties: {size: {type: integer}}}
  securitySchemes:
    oauth:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: "https://example.org", scopes: {read: Read.}}}
"""


def test_a_document_in_order_gives_no_diagnostics(project: Project) -> None:
    project.service("alpha", RULE)
    assert project.found() == []


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("summary: A summary", "summary: ''", "DH040", "6:5"),
        ("description: What., ", "", "DH040", "13:11"),
        (", example: abc}\n        - {name: cursor", "}\n        - {name: cursor", "DH041", "13:11"),
        ("            examples: {one: {value: {size: 3}}}\n", "", "DH041", "17:11"),
        ("{size: 3}", "{size: many}", "DH042", "19:38"),
        ("{size: 3}", "{sise: 3}", "DH042", "19:30"),
        ("in: query, description: What.", "in: query, description: Wh., x-a: 1", "", ""),
        ("maxLength: 3", "maxLength: 2", "DH042", "13:11"),
        ("      responses:\n", "      security: [{}, {oath: []}]\n      responses:\n", "DH043", "6:5"),
        ("      responses:\n", "      security: [{}, {oauth: [write]}]\n      responses:\n", "DH043", "6:5"),
        ("      responses:\n", "      security: [{oauth: [read]}]\n      responses:\n", "DH044", "6:5"),
        ("        default: {description: Failed.}\n", "", "DH044", "6:5"),
        ("positional: [q]", "positional: [qq]", "DH045", "6:5"),
        ("positional: [q]", "positional: [q, size]", "", ""),
        ("cursor: next", "cursor: nxt", "DH045", "6:5"),
        ("{cursor: next", "{parameter: q2, cursor: next", "DH045", "6:5"),
        ("{cursor: next", "{parameter: size, cursor: next", "", ""),
        ("{cursor: next, items: found}", "{style: link, items: found}", "", ""),
        ("{cursor: next, items: found}", "{style: page, parameter: cursor, items: found}", "", ""),
        ("{cursor: next, items: found}", "{style: page, parameter: cursor, items: fund}", "DH045", "6:5"),
        ("items: found}", "items: found, total: next.more}", "DH045", "6:5"),
        *(
            ("positional: [q]", f"positional: [q], job: {{status: {status}, {job}, done: [x]}}", code, place)
            for status, job, code, place in (
                ("alpha.search", "parameter: q, id: next, state: next", "", ""),
                ("alpha.serch", "parameter: q, id: next, state: next", "DH045", "6:5"),
                ("alpha.search", "parameter: qq, id: next, state: next", "DH045", "6:5"),
                ("alpha.search", "parameter: q, id: nxt, state: next", "DH045", "6:5"),
                ("alpha.search", "parameter: q, id: next, state: stat", "DH045", "6:5"),
                ("alpha.search", "parameter: q, id: next, state: next, error: why", "DH045", "6:5"),
            )
        ),
    ],
)
def test_one_departure_gives_one_diagnostic(
    project: Project, old: str, new: str, code: str, place: str
) -> None:
    assert old in RULE
    project.service("alpha", RULE.replace(old, new, 1))
    assert project.found() == ([(code, f"spec/services/alpha.yaml:{place}")] if code else [])


def test_an_operation_that_does_not_say_who_may_call_is_a_warning(project: Project) -> None:
    project.service("alpha", RULE)
    file = project.root / "spec/services/alpha.yaml"
    file.write_text(file.read_text().replace("security: []\n", "\n", 1))
    assert project.found() == [("DH046", "spec/services/alpha.yaml:6:5")]
