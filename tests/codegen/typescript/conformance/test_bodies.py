"""Bodies in every media type: what is passed is what a server by the document reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codegen.python.conformance.bodies_document import FORM, FORM_ENCODING
from codegen.python.conformance.decoder import Part, form_value, json_or_text, parts
from codegen.python.conformance.documents import document
from codegen.typescript.packages import Call, Packages, content
from codegen.typescript.spelling import method_of

pytestmark = pytest.mark.xdist_group("typescript")
DOCUMENT = document()
PET = {"name": "Mimi ś", "age": None}
URLENCODED = "application/x-www-form-urlencoded"
JSON = [
    ("json_list", {"body": [PET, {"name": "x"}]}, "application/json", [PET, {"name": "x"}]),
    ("json_list", {"body": []}, "application/json", []),
    ("json_text", {"body": "so"}, "application/json", "so"),
    ("json_number", {"body": 1.5}, "application/json; charset=utf-8", 1.5),
    ("json_null", {"body": None}, "application/json", None),
    ("json_null", {"body": PET}, "application/json", PET),
    ("json_any", {"body": [1, None, {"a": "b"}]}, "application/json", [1, None, {"a": "b"}]),
    ("json_map", {"body": {"a": 1, "b c": 2}}, "application/json", {"a": 1, "b c": 2}),
    ("any_object", PET, "application/json", PET),
    ("vendor", PET, "application/vnd.shop.v2+json", PET),
    ("patch", {"name": "x"}, "application/merge-patch+json", {"name": "x"}),
    ("optional", PET, "application/json", PET),
    ("several", PET, "application/json", PET),
]
RAW = [
    ("octets", {"content": content(b"\0\xff")}, "application/octet-stream", b"\0\xff"),
    ("octets", {"content": {"$blob": content(b"ab")}}, "application/octet-stream", b"ab"),
    ("octets", {"content": {"$iterable": [content(b"a"), content(b"b")]}}, "application/octet-stream", b"ab"),
    ("octets", {"content": [content(b"a"), content(b"b")]}, "application/octet-stream", b"ab"),
    ("plain", {"content": "śabda"}, "text/plain; charset=utf-8", "śabda".encode()),
    ("plain", {"content": content(b"\xff")}, "text/plain", b"\xff"),
    ("xml", {"content": "<a/>"}, "application/xml; charset=utf-8", b"<a/>"),
    ("xml", {"content": content(b"<a/>")}, "application/xml", b"<a/>"),
    ("soap", {"content": "<ś/>"}, "application/soap+xml; charset=utf-8", "<ś/>".encode()),
    ("sdp", {"content": content(b"v=0")}, "application/sdp", b"v=0"),
    ("picture", {"content": content(b"P"), "contentType": "image/gif"}, "image/gif", b"P"),
    ("anything", {"content": content(b"P")}, "application/octet-stream", b"P"),
    ("anything", {"content": content(b"P"), "contentType": "font/woff"}, "font/woff", b"P"),
    ("raw_form", {"body": "a=b"}, URLENCODED, b"a=b"),
    ("open_form", {"body": {"a b": "c&d"}}, URLENCODED, b"a+b=c%26d"),
    ("several", {"content": content(b"<a/>")}, "application/xml", b"<a/>"),
    ("several", {"content": content(b"a,b"), "contentType": "text/csv"}, "text/csv", b"a,b"),
]


def called(packages: Packages, method: str, *args: Any) -> Any:
    (found,) = packages.call(Call(document="wire", call=f"bodies.{method_of(method)}", args=args))
    return found.wire


def calls(cases: list[Any]) -> list[Call]:
    return [
        Call(document="wire", call=f"bodies.{method_of(method)}", args=[given]) for method, given, *_ in cases
    ]


def test_json(packages: Packages) -> None:
    for (_, _, kind, body), found in zip(JSON, packages.call(*calls(JSON)), strict=True):
        assert (found.wire.header("content-type"), json.loads(found.wire.body)) == (kind, body)


def test_bytes_and_text(packages: Packages) -> None:
    for (_, _, kind, body), found in zip(RAW, packages.call(*calls(RAW)), strict=True):
        assert (found.wire.header("content-type"), found.wire.body) == (kind, body)


def test_an_optional_body_is_left_out_or_empty(packages: Packages) -> None:
    wire = called(packages, "optional")
    assert (wire.body, wire.header("content-type")) == (b"", None)
    assert called(packages, "optional", {}, {"extraBody": {}}).body == b"{}"


def test_lines(packages: Packages) -> None:
    items = [PET, {"name": "x"}]
    for given in (items, {"$iterable": items}):
        wire = called(packages, "lines", {"content": given})
        assert wire.header("content-type") == "application/x-ndjson"
        assert [json.loads(line) for line in wire.body.splitlines()] == items


def test_a_form_by_styles_and_content_types(packages: Packages) -> None:
    value: dict[str, Any] = {
        "text": "a b&c=d+%",
        "count": -3,
        "yes": True,
        "many": ["a", "b,c", ""],
        "joined": ["x y", "b,c"],
        "piped": ["1", "2"],
        "deep": {"R": 1, "G": "a+b"},
        "pet": PET,
        "pets": [PET, {"name": "x"}],
        "json": ["a", "b"],
    }
    wire = called(packages, "form", value)
    assert wire.header("content-type") == URLENCODED
    assert form_value(DOCUMENT, FORM, FORM_ENCODING, wire.body) == value
    text = called(packages, "form", {"text": ""}).body
    assert form_value(DOCUMENT, FORM, FORM_ENCODING, text) == {"text": ""}
    assert called(packages, "form").body == b""


def parts_of(wire: Any) -> list[Part]:
    content_type = wire.header("content-type") or ""
    assert content_type.startswith("multipart/form-data; boundary=")
    return parts(content_type, wire.body)


def test_parts_by_their_encoding(packages: Packages) -> None:
    given = {
        "photo": content(b"\xff\xd8"),
        "pages": [content(b"one"), content(b"two")],
        "note": "śabda",
        "count": 3,
        "tags": ["a", "b"],
        "pet": PET,
        "pets": [PET, {"name": "x"}],
        "quoted": 'say "so"',
        "table": "a,b\r\n",
        "deep": {"R": 1, "G": "a b"},
    }
    by_name: dict[str, list[Part]] = {}
    for part in parts_of(called(packages, "parts", given)):
        by_name.setdefault(part.name, []).append(part)
    photo, first, second = (*by_name["photo"], *by_name["pages"])
    assert (photo.content_type, photo.content) == ("image/png", b"\xff\xd8")
    assert [(page.content_type, page.content) for page in (first, second)] == [
        ("application/octet-stream", b"one"),
        ("application/octet-stream", b"two"),
    ]
    told = {name: [json_or_text(part) for part in by_name[name]] for name in ("note", "tags", "quoted")}
    assert told == {"note": ["śabda"], "tags": ["a", "b"], "quoted": ['say "so"']}
    assert [part.content for part in by_name["count"]] == [b"3"]
    (pet,), (table,) = by_name["pet"], by_name["table"]
    assert (pet.content_type, json.loads(pet.content)) == ("application/vnd.pet+json", PET)
    assert [json_or_text(part) for part in by_name["pets"]] == [PET, {"name": "x"}]
    assert (table.content_type, table.content) == ("text/csv", b"a,b\r\n")
    assert [by_name[f"deep[{name}]"][0].content for name in ("R", "G")] == [b"1", b"a b"]


def test_a_media_type_is_chosen_by_its_header_or_its_arguments(packages: Packages) -> None:
    form = called(packages, "several", {"name": "a"}, {"extraHeaders": {"Content-Type": URLENCODED}})
    assert (form.header("content-type"), form.body) == (URLENCODED, b"name=a")
    found = parts_of(called(packages, "several", {"name": "a", "photo": content(b"P")}))
    assert [(part.name, part.content) for part in found] == [("name", b"a"), ("photo", b"P")]
