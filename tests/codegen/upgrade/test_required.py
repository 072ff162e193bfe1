"""What 3.0 requires in answers only, or in requests only."""

from __future__ import annotations

import pytest
from codegen.upgrade.documents import Upgraded

NAMED = """\
paths:
  /a:
    post:
      requestBody: {content: {a/b: {schema: {%s}}}}
      responses: {200: {content: {a/b: {schema: {%s}}}}}
      callbacks: {c: {x: {post: {requestBody: {content: {a/b: {schema: {%s}}}}}}}}
components:
  schemas:
    A:
      required: [id, secret, name]
      properties:
        id: {$ref: "#/components/schemas/Id"}
        secret: {writeOnly: true}
        name: {}
        child: {$ref: "#/components/schemas/A"}
    Id: {readOnly: true}
"""
REFERENCE = '$ref: "#/components/schemas/A"'


@pytest.mark.parametrize(
    ("used", "required"),
    [
        ((REFERENCE, "", ""), ["secret", "name"]),
        (("", REFERENCE, ""), ["id", "name"]),
        (("", "", REFERENCE), ["id", "name"]),
        (("", "", ""), ["id", "secret", "name"]),
        ((f"items: {{{REFERENCE}}}", "", ""), ["secret", "name"]),
    ],
)
def test_a_schema_that_goes_one_way_requires_what_goes_that_way(
    used: tuple[str, str, str], required: list[str]
) -> None:
    upgraded = Upgraded("3.0.3", NAMED % used)
    assert upgraded.at("/components/schemas/A/required") == required
    assert upgraded.found == []
    assert str(upgraded.node("/components/schemas/A/required").source) == "a.yaml:11:7"


def test_one_that_goes_both_ways_keeps_all_and_says_so() -> None:
    upgraded = Upgraded("3.0.3", NAMED % (REFERENCE, REFERENCE, ""))
    assert upgraded.at("/components/schemas/A/required") == ["id", "secret", "name"]
    assert upgraded.found == [("DH062", "a.yaml:11:18"), ("DH062", "a.yaml:11:22")]


def test_nothing_is_left_of_required_where_all_of_it_goes_the_other_way() -> None:
    schema = "required: [id], properties: {id: {readOnly: true}}"
    upgraded = Upgraded("3.0.3", NAMED % (schema, "", ""))
    assert upgraded.at("/paths/~1a/post/requestBody/content/a~1b/schema") == {
        "properties": {"id": {"readOnly": True}}
    }


def test_a_3_2_document_is_taken_at_its_word() -> None:
    upgraded = Upgraded("3.2.0", NAMED % (REFERENCE, "", ""))
    assert upgraded.at("/components/schemas/A/required") == ["id", "secret", "name"]


def test_references_in_a_circle_do_not_hang() -> None:
    upgraded = Upgraded(
        "3.0.3",
        """\
        paths: {/a: {get: {responses: {200: {content: {a/b: {schema: {$ref: "#/components/schemas/A"}}}}}}}}
        components:
          schemas:
            A: {required: [a], properties: {a: {$ref: "#/components/schemas/B"}}}
            B: {$ref: "#/components/schemas/C"}
            C: {$ref: "#/components/schemas/B"}
        """,
    )
    assert upgraded.at("/components/schemas/A/required") == ["a"]
