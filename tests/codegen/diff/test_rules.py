"""One small change for every rule, and what is said of it."""

from __future__ import annotations

from datetime import date

import pytest
from codegen.diff.documents import DOCUMENT, changed, changes, codes, read
from dhatu_codegen.diff.compare import compare

GET = DOCUMENT[DOCUMENT.index("    get:\n") : DOCUMENT.index("    post:\n")]
POST = DOCUMENT[DOCUMENT.index("    post:\n") : DOCUMENT.index("webhooks:")]
WEBHOOKS = DOCUMENT[DOCUMENT.index("webhooks:") : DOCUMENT.index("components:")]
LIMIT = "      - {name: limit, in: query, schema: {type: integer, maximum: 50}}\n"

CASES = {
    "an operation removed": ([(GET, "")], ["DH200"]),
    "a new required parameter": (
        [(LIMIT, LIMIT + "      - {name: q, in: query, required: true, schema: {type: string}}\n")],
        ["DH201"],
    ),
    "a new optional parameter": (
        [(LIMIT, LIMIT + "      - {name: q, in: query, schema: {type: string}}\n")],
        [],
    ),
    "a parameter made required": ([("in: query, schema", "in: query, required: true, schema")], ["DH201"]),
    "another style": ([("in: query, schema", "in: query, style: pipeDelimited, schema")], ["DH202", "DH202"]),
    "another explode": ([("in: query, schema", "in: query, explode: false, schema")], ["DH202"]),
    "another place": ([("name: limit, in: query", "name: limit, in: header")], ["DH202"]),
    "a body made required": (
        [("      requestBody:\n", "      requestBody:\n        required: true\n")],
        ["DH203"],
    ),
    "a request media type removed": ([("          text/csv: {schema: {type: string}}\n", "")], ["DH204"]),
    "a tighter bound of a parameter": ([("maximum: 50", "maximum: 40")], ["DH205"]),
    "a tighter length": ([("maxLength: 20", "maxLength: 10")], ["DH205"]),
    "a new required property": ([("required: [name]", "required: [name, kind]")], ["DH205"]),
    "a value less in a request": (
        [("        kind: {enum: [a, b]}\n    Shape", "        kind: {enum: [a]}\n    Shape")],
        ["DH205"],
    ),
    "another pattern": ([("maxLength: 20", 'maxLength: 20, pattern: "^a"')], ["DH205"]),
    "a format that may refuse": (
        [("type: string, maxLength", "type: string, format: phone, maxLength")],
        ["DH206"],
    ),
    "a success removed": ([('"200":\n', '"201":\n')], ["DH207"]),
    "a failure removed": ([('        "404": {description: None.}\n', "")], ["DH208"]),
    "a response media type removed": (
        [
            (
                DOCUMENT[DOCUMENT.index("            text/event") : DOCUMENT.index('        "404"')],
                "",
            )
        ],
        ["DH209"],
    ),
    "a response property made optional": (
        [("required: [id]\n      properties:\n        id", "properties:\n        id")],
        ["DH210"],
    ),
    "a response made nullable": ([("note: {type: string", "note: {type: [string, 'null']")], ["DH210"]),
    "an item of a stream changed": ([("{n: {type: integer}}", "{n: {type: number}}")], ["DH210"]),
    "a response property no longer declared": (
        [("        note: {type: string, default: none}\n", "")],
        ["DH211", "DH247"],
    ),
    "a value more in a response": (
        [("kind: {enum: [a, b]}\n        note", "kind: {enum: [a, b, c]}\n        note")],
        ["DH212"],
    ),
    "a value less in a response": (
        [("kind: {enum: [a, b]}\n        note", "kind: {enum: [a]}\n        note")],
        [],
    ),
    "a header removed": ([("ETag: {required: true, schema: {type: string}}, ", "")], ["DH213"]),
    "a header made optional": ([("ETag: {required: true, ", "ETag: {")], ["DH213"]),
    "an optional header removed": ([(", Age: {schema: {type: integer}}", "")], ["DH214"]),
    "a webhook removed": ([(WEBHOOKS, "")], ["DH215"]),
    "a webhook with more": (
        [
            (
                "required: [id], properties: {id: {type: string}}",
                "required: [id, at], properties: {id: {type: string}, at: {type: integer}}",
            )
        ],
        [],
    ),
    "a webhook with less": (
        [("required: [id], properties: {id: {type: string}}", "properties: {id: {type: string}}")],
        ["DH210"],
    ),
    "another default": ([("default: none", "default: some")], ["DH216"]),
    "no longer readOnly": ([(", readOnly: true", "")], ["DH217"]),
    "a parameter removed": ([(LIMIT, "")], ["DH218"]),
    "authenticated from now on": ([("security: []", "security: [{key: []}]")], ["DH230"]),
    "authenticated by inheritance": (
        [("      security: []\n", ""), ("servers:", "security: [{key: []}]\nservers:")],
        ["DH230"],
    ),
    "other credentials": ([("security: [{bearer: [write]}]", "security: [{key: []}]")], ["DH231"]),
    "one more scope": ([("{bearer: [write]}", "{bearer: [write, admin]}")], ["DH232"]),
    "one scope less": ([("{bearer: [write]}", "{bearer: []}")], []),
    "another header for the key": ([("name: X-Key", "name: X-API-Key")], ["DH233"]),
    "a role less": ([("roles: [editor, owner]", "roles: [owner]")], ["DH234"]),
    "a role more": ([("roles: [editor, owner]", "roles: [editor, owner, guest]")], []),
    "smaller bodies": ([("max_body_bytes: 1000", "max_body_bytes: 900")], ["DH235"]),
    "a shorter timeout": ([("timeout_s: 10", "timeout_s: 5")], ["DH236"]),
    "a longer timeout": ([("timeout_s: 10", "timeout_s: 50")], []),
    "fewer calls at once": (
        [
            (
                "{limit: 10, window_s: 1}",
                "[{name: default, limit: 10, window_s: 1}, {name: open, algorithm: concurrency, limit: 9}]",
            )
        ],
        ["DH236"],
    ),
    "a rate that becomes a number of calls at once": (
        [("{limit: 10, window_s: 1}", "{algorithm: concurrency, limit: 10}")],
        ["DH236"],
    ),
    "a tighter rate": ([("limit: 10, window_s: 1", "limit: 10, window_s: 2")], ["DH236"]),
    "a limit that only watches": (
        [("limit: 10, window_s: 1", "limit: 1, window_s: 1, shadow: true")],
        [],
    ),
    "a call that costs more": ([("limit: 10, window_s: 1", "limit: 10, window_s: 1, cost: 2")], ["DH236"]),
    "a limit of others": ([("limit: 10, window_s: 1", "limit: 10, window_s: 1, by: service")], ["DH236"]),
    "a limit that charges refusals": (
        [("limit: 10, window_s: 1", "limit: 10, window_s: 1, charge_refused: true")],
        ["DH236"],
    ),
    "another limit beside it": (
        [
            (
                "{limit: 10, window_s: 1}",
                "[{name: default, limit: 10, window_s: 1}, {name: day, limit: 90, window_s: 9}]",
            )
        ],
        ["DH236"],
    ),
    "the same limit as a list": (
        [("{limit: 10, window_s: 1}", "[{name: default, limit: 10, window_s: 1}]")],
        [],
    ),
    "another base path": ([("api.example/v1", "api.example/v2")], ["DH237"]),
    "another server": ([("api.example/v1", "other.example/v1")], ["DH238"]),
    "a method renamed": ([("operationId: getThing", "operationId: readThing")], ["DH240"]),
    "a resource renamed": (
        [("getThing\n      tags: [things]", "getThing\n      tags: [objects]")],
        ["DH240"],
    ),
    "an operationId behind the same method": (
        [
            ("operationId: changeThing", "operationId: change"),
            (
                "          positional: [id, name]",
                "          method: changeThing\n          positional: [id, name]",
            ),
        ],
        ["DH246"],
    ),
    "a type removed": (
        [
            ("    Shape:\n", "    Form:\n"),
            ("discriminator: {propertyName: kind, mapping", "discriminator: {propertyName: sort, mapping"),
        ],
        ["DH241"],
    ),
    "a path parameter renamed": (
        [
            ("/things/{id}:", "/things/{key}:"),
            ("name: id, in: path", "name: key, in: path"),
            ("name: id, in: path", "name: key, in: path"),
            ("positional: [id,", "positional: [key,"),
        ],
        ["DH242", "DH242"],
    ),
    "another order of positional arguments": (
        [("positional: [id, name]", "positional: [name, id]")],
        ["DH243"],
    ),
    "another discriminator value": ([('mapping: {t: "#', 'mapping: {u: "#')], ["DH244"]),
    "another client": ([("client: TestAPI", "client: ExampleAPI")], ["DH248"]),
    "another cursor": ([("cursor: next", "cursor: after")], ["DH245"]),
    "a job that is none any more": ([("          job: {status: things.get, done: [x]}\n", "")], ["DH245"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_reported_by_its_rule_and_no_other(case: str) -> None:
    edits, expected = CASES[case]
    assert codes(*edits) == expected, [change.text for change in changes(*edits)]


def test_a_document_does_not_differ_from_itself() -> None:
    assert changes() == ()


def test_an_operation_added_is_a_note() -> None:
    before = changed((GET, ""))
    found = compare(read(before), read(DOCUMENT), date(2026, 6, 1))
    assert [change.code for change in found] == ["DH219"]


TRADE = "          tokens: {scheme: bearer, grants: [password, api_key]}\n"
TRADES = changed(("          paginate:", f"{TRADE}          paginate:"))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("[password, api_key]", "[password, api_key, refresh_token]"), []),
        (
            ("[password, api_key]", "[api_key]"),
            ["no longer trades the grant password for tokens"],
        ),
        ((TRADE, ""), ["no longer trades anything"]),
        (
            ("scheme: bearer, grants", "scheme: key, grants"),
            ["no longer trades anything for tokens of bearer"],
        ),
    ],
)
def test_a_grant_that_is_gone_is_a_break_of_the_sdk(edit: tuple[str, str], expected: list[str]) -> None:
    found = changes(edit, before=TRADES)
    assert [change.code for change in found] == ["DH249"] * len(expected)
    assert all(text in change.text for text, change in zip(expected, found, strict=True))


def test_a_renamed_type_is_named_by_both_names() -> None:
    (found,) = changes(("    Shape:\n", "    Form:\n"))
    assert (found.code, found.text) == ("DH241", "the type Shape is now called Form")


def test_a_new_route_that_takes_calls_of_another_comes_with_a_witness() -> None:
    route = "  /things/mine:\n    get: {operationId: mine, tags: [things], security: [], responses: {}}\n"
    (found,) = [one for one in changes(("paths:\n", "paths:\n" + route)) if one.code != "DH219"]
    assert found.code == "DH239"
    assert "/things/mine, which /things/{id} answered before" in found.text


ROLES = ("x-dhatu: {sdk", "x-dhatu: {roles: {reader: {scopes: [a:b]}, editor: {inherits: [reader]}}, sdk")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("scopes: [a:b]", "scopes: [a:b, c:d]"), []),
        (("scopes: [a:b]", "scopes: []"), ["role reader", "role editor"]),
        (("inherits: [reader]", "scopes: [c:d]"), ["role editor"]),
        ((", editor: {inherits: [reader]}", ""), ["role editor"]),
    ],
)
def test_a_role_that_grants_less_is_a_break(edit: tuple[str, str], expected: list[str]) -> None:
    found = changes(edit, before=changed(ROLES))
    assert [(change.code, change.where) for change in found] == [("DH234", where) for where in expected]


DEPRECATED = changed(
    (
        "operationId: getThing",
        "operationId: getThing\n      deprecated: true\n      x-dhatu: {sunset: 2026-05-01}",
    )
)


def test_removal_is_free_only_after_the_sunset() -> None:
    removed = DEPRECATED[DEPRECATED.index("    get:\n") : DEPRECATED.index("    post:\n")]
    assert codes((removed, ""), before=DEPRECATED, today=date(2026, 5, 2)) == []
    assert codes((removed, ""), before=DEPRECATED, today=date(2026, 5, 1)) == ["DH252"]


def test_deprecation_without_a_sunset_does_not_permit_removal() -> None:
    before = changed(("operationId: getThing", "operationId: getThing\n      deprecated: true"))
    removed = before[before.index("    get:\n") : before.index("    post:\n")]
    assert codes((removed, ""), before=before) == ["DH252"]
    edit = ("operationId: getThing", "operationId: getThing\n      deprecated: true")
    assert [change.code for change in changes(edit)] == ["DH250"]


def test_a_sunset_may_be_put_off_but_not_brought_forward() -> None:
    assert codes(("sunset: 2026-05-01", "sunset: 2026-07-01"), before=DEPRECATED) == []
    assert codes(("sunset: 2026-05-01", "sunset: 2026-04-01"), before=DEPRECATED) == ["DH251"]
    assert codes(("x-dhatu: {sunset: 2026-05-01}", "x-dhatu: {}"), before=DEPRECATED) == ["DH251"]


def test_a_difference_in_a_shared_component_is_told_once_with_its_users() -> None:
    extra = GET.replace("getThing", "peekThing").replace("    get:\n", "  /peek/{id}:\n    get:\n")
    before = changed(("webhooks:", extra + "webhooks:"))
    (found,) = changes(("note: {type: string", "note: {type: integer"), before=before)
    assert found.code == "DH210"
    assert found.text == "Thing.note: type was string, is integer"
    assert found.hint == "in the response of GET /things/{id}, the response of GET /peek/{id}"
    assert found.old is not None
    assert (found.old.file, found.old.line) == (
        "spec.yaml",
        before[: before.index("note: {")].count("\n") + 1,
    )


@pytest.mark.parametrize(
    ("after", "code", "text"),
    [
        ("9", "DH236", "rate_limit was 10 at once (by principal), is 9 at once (by principal)"),
        (
            "10, cost: 2",
            "DH236",
            "rate_limit was 10 at once (by principal), is 10 at once (by principal, cost 2)",
        ),
        ("11", "DH219", "rate_limit was 10 at once (by principal), is 11 at once (by principal)"),
    ],
)
def test_limits_of_calls_at_once_are_compared(after: str, code: str, text: str) -> None:
    before = changed(("{limit: 10, window_s: 1}", "{algorithm: concurrency, limit: 10}"))
    (found,) = changes(("concurrency, limit: 10", f"concurrency, limit: {after}"), before=before)
    assert (found.code, text in found.text) == (code, True)
