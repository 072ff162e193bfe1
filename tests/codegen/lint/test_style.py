"""Every rule of style: silent on a document in order, and at the exact place of one departure from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from codegen.lint.clean import CLEAN, found_in
from dhatu_codegen.lint.style import ALWAYS, STYLE
from dhatu_codegen.lint_codes import LINT_CODES

STRUCTURE = [
    ("  /shop-items:\n", "  /shop-items/:\n", "DH100", "22:3"),
    ("  /shop-items:\n", "  /shop-items?all:\n", "DH101", "22:3"),
    ("#/components/schemas/Kind", "#/components/schemas/Item", "DH102", "51:5"),
    ("[s, m]", "[s, m, s]", "DH103", "47:34"),
    ("[s, m]", "[s, 2]", "DH104", "47:31"),
    ("required: [item_name]", "required: [item_nam]", "DH105", "44:18"),
    ("minimum: 1, maximum: 9}\n    Kind", "minimum: 10, maximum: 9}\n    Kind", "DH106", "50:36"),
    (
        "minimum: 1, maximum: 9}\n    Kind",
        "minimum: 1, exclusiveMinimum: 0, maximum: 9}\n    Kind",
        "DH106",
        "50:48",
    ),
    ("name: item_id, in: path", "name: item_no, in: path", "DH109", "15:11"),
    (
        '{$ref: "#/components/responses/Limit"}',
        '{$ref: "#/components/responses/Limit", x: 1}',
        "DH110",
        "20:62",
    ),
    ("operationId: listItems", "operationId: list items", "DH111", "24:20"),
    ("      operationId: listItems\n", "", "DH112", "23:5"),
    (
        "operationId: listItems\n      tags: [items]",
        "operationId: listItems\n      tags: [other]",
        "DH113",
        "25:14",
    ),
    ("{name: items, description: What is sold.}", "{name: items}", "DH114", "6:8"),
    (
        "operationId: listItems\n      tags: [items]",
        "operationId: listItems\n      tags: []",
        "DH115",
        "25:7",
    ),
    ("summary: List items", "summary: Lists all of the items.", "DH116", "26:16"),
    ("summary: List items", f"summary: {'long ' * 17}", "DH116", "26:16"),
    (", license: {name: MIT}", "", "DH117", "2:1"),
    ('{type: "null"}', '{$ref: "#/components/schemas/Kind"}', "DH118", "49:66"),
]

SERVERS = [
    (
        "  - url: https://{region}.shop.test\n    variables: {region: {default: eu, enum: [eu, us]}}\n",
        " []\n",
        "DH107",
        "3:1",
    ),
    ("{region}.shop", "{area}.shop", "DH108", "4:10"),
    ("default: eu", "default: de", "DH108", "5:39"),
    ("shop.test\n    var", "shop.test/\n    var", "DH119", "4:10"),
    ("url: https://{region}", "url: http://{region}", "DH133", "4:10"),
    (
        "url: https://{region}.shop.test\n    variables: {region: {default: eu, enum: [eu, us]}}",
        "url: http://127.0.0.1:8000",
        "",
        "",
    ),
]

NAMES = [
    ("  /shop-items:\n", "  /shopItems:\n", "DH120", "22:3"),
    ("  /shop-items:\n", "  /.well-known/items.json:\n", "", ""),
    ("item_size: {", "itemSize: {", "DH121", "47:9"),
    ("item_size: {", "size: {", "", ""),
    ("  /shop-items:\n", "  /get-items:\n", "DH122", "22:3"),
    ("Kind", "kind", "DH123", "51:5"),
]

SECURITY = [
    ("name: cursor, in: query", "name: cursor_token, in: query", "", ""),
    (
        "- {name: cursor,",
        "- {name: access_token, in: query, schema: {type: string, maxLength: 9}}\n        - {name: cursor,",
        "DH130",
        "29:11",
    ),
    ("item_id", "api_key", "DH130", "15:11"),
    ("type: oauth2\n", "type: apiKey\n      in: query\n      name: k\n      #", "DH131", "65:11"),
    ("type: oauth2\n", "type: http\n      scheme: Basic\n", "DH132", "65:15"),
    ("maxLength: 9}}\n      requestBody", "minLength: 9}}\n      requestBody", "DH134", "15:53"),
    ("maxLength: 9}}\n      requestBody", "format: uuid}}\n      requestBody", "", ""),
    ("maxItems: 3, ", "", "DH135", "48:9"),
    (
        "item_rank: {type: integer, minimum: 1, maximum: 9}",
        "item_rank: {type: integer, minimum: 1}",
        "DH136",
        "50:9",
    ),
    ("item_rank: {type: integer, minimum: 1, maximum: 9}", "item_rank: {type: integer, enum: [1]}", "", ""),
    ("      additionalProperties: false\n", "", "DH137", "41:5"),
    (
        "schema: {type: string, maxLength: 9}}\n      requestBody",
        "schema: {type: integer, minimum: 1, maximum: 9}}\n      requestBody",
        "DH140",
        "15:11",
    ),
    ("clientCredentials: {tokenUrl", "password: {tokenUrl", "DH141", "65:15"),
]

ANSWERS = [
    ('        "429": *limit\n', "", "DH138", "23:5"),
    ("        Retry-After: {schema: {type: integer}, example: 3}\n", "", "DH139", "53:5"),
    ("        RateLimit: {schema: {type: string}}\n", "", "DH139", "53:5"),
    (
        "Failed.\n      content: {application/problem+json",
        "Failed.\n      content: {application/json",
        "DH145",
        "59:5",
    ),
    ('"204": {description: Done.}', '"304": {description: The same.}', "", ""),
    ('        "204": {description: Done.}\n', "", "DH146", "10:5"),
    ("    put:\n", "    delete:\n", "DH147", "16:7"),
    ("{description: Done.}", "{description: Done., content: {text/plain: {}}}", "DH148", "19:37"),
    ("example: {found: []}", "example: {found: []}\n              examples: {}", "DH150", "36:15"),
    ("examples: [new]", "examples: [4]", "DH151", "48:94"),
    ("type: integer}, example: 3", "type: integer}, example: soon", "DH151", "56:57"),
    (
        "minimum: 1, maximum: 9}}\n        - {name: cursor",
        "minimum: 1}}\n        - {name: cursor",
        "DH155",
        "28:11",
    ),
    ("name: cursor, in", "name: search, in", "DH156", "28:11"),
    (
        "schema: {type: object, properties: {found: {type: array, items: {type: string}}}}\n"
        "              example: {found: []}",
        "schema: {type: array, items: {type: string}}",
        "DH157",
        "35:15",
    ),
    ('"^[a-z]+(-[a-z]+)*$"', '"^(?=a)b"', "DH158", "46:58"),
    ('"^[a-z]+(-[a-z]+)*$"', '"^([a-z]+-?)*$"', "DH159", "46:58"),
]

ALL = [*STRUCTURE, *SERVERS, *NAMES, *SECURITY, *ANSWERS]


def test_a_document_in_order_gives_no_findings(tmp_path: Path) -> None:
    assert found_in(tmp_path, CLEAN) == []


@pytest.mark.parametrize(("old", "new", "code", "place"), ALL)
def test_one_departure_is_found_at_its_place(
    tmp_path: Path, old: str, new: str, code: str, place: str
) -> None:
    assert old in CLEAN
    found = found_in(tmp_path, CLEAN.replace(old, new))
    if code:
        assert (code, place) in found
        assert len(set(found)) == len(found)
    else:
        assert found == []


def test_every_rule_is_broken_by_one_of_these(tmp_path: Path) -> None:
    rules = [rule.code for rule in (*STYLE, *ALWAYS)]
    assert sorted(rules) == sorted(LINT_CODES)
    assert set(rules) == {code for _, _, code, _ in ALL if code}
    assert len({rule.name for rule in (*STYLE, *ALWAYS)}) == len(rules)


def test_a_websocket_needs_no_cursor(tmp_path: Path) -> None:
    paged = CLEAN.replace("name: cursor, in", "name: search, in")
    assert [code for code, _ in found_in(tmp_path, paged)] == ["DH156"]
    switching = paged.replace('        "200":\n', '        "101": {description: Open.}\n        "200":\n')
    assert found_in(tmp_path, switching) == []
