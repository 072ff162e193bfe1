"""Bodies in every media type: what is passed is what a server by the document reads."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from codegen.python.conformance.bodies_document import FORM, FORM_ENCODING
from codegen.python.conformance.decoder import Part, form_value, json_or_text, parts
from codegen.python.conformance.documents import document
from codegen.python.conformance.package import Caller

DOCUMENT = document()
PET = {"name": "Mimi ś", "age": None}
URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "arguments", "content_type", "body"),
    [
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
        ("optional", {"extra_body": {}}, "application/json", {}),
        ("several", PET, "application/json", PET),
    ],
)
def test_json(caller: Caller, method: str, arguments: Any, content_type: str, body: Any) -> None:
    wire = caller.sent(f"bodies.{method}", **arguments)
    assert wire.header("content-type") == content_type
    assert json.loads(wire.body) == body


def test_an_optional_body_is_left_out(caller: Caller) -> None:
    wire = caller.sent("bodies.optional")
    assert (wire.body, wire.header("content-type")) == (b"", None)


@pytest.mark.parametrize(
    ("method", "arguments", "content_type", "body"),
    [
        ("octets", {"content": b"\0\xff"}, "application/octet-stream", b"\0\xff"),
        ("octets", {"content": io.BytesIO(b"ab")}, "application/octet-stream", b"ab"),
        ("plain", {"content": "śabda"}, "text/plain; charset=utf-8", "śabda".encode()),
        ("plain", {"content": b"\xff"}, "text/plain", b"\xff"),
        ("latin", {"content": "naïve"}, "text/plain; charset=iso-8859-1", "naïve".encode("latin-1")),
        ("xml", {"content": "<a/>"}, "application/xml; charset=utf-8", b"<a/>"),
        ("xml", {"content": b"<a/>"}, "application/xml", b"<a/>"),
        ("soap", {"content": "<ś/>"}, "application/soap+xml; charset=utf-8", "<ś/>".encode()),
        ("sdp", {"content": b"v=0"}, "application/sdp", b"v=0"),
        ("picture", {"content": b"P", "content_type": "image/gif"}, "image/gif", b"P"),
        ("anything", {"content": b"P"}, "application/octet-stream", b"P"),
        ("anything", {"content": b"P", "content_type": "font/woff"}, "font/woff", b"P"),
        ("raw_form", {"body": "a=b"}, URLENCODED, b"a=b"),
        ("open_form", {"body": {"a b": "c&d"}}, URLENCODED, b"a+b=c%26d"),
        ("several", {"content": b"<a/>"}, "application/xml", b"<a/>"),
        ("several", {"content": b"a,b", "content_type": "text/csv"}, "text/csv", b"a,b"),
    ],
)
def test_bytes_and_text(caller: Caller, method: str, arguments: Any, content_type: str, body: bytes) -> None:
    if isinstance(arguments.get("content"), io.BytesIO):
        arguments = {"content": arguments["content"].getvalue()}
    wire = caller.sent(f"bodies.{method}", **arguments)
    assert (wire.header("content-type"), wire.body) == (content_type, body)


def test_a_range_of_media_types_is_narrowed_by_the_file(caller: Caller, tmp_path: Path) -> None:
    picture = tmp_path / "a.webp"
    picture.write_bytes(b"P")
    assert caller.sent("bodies.picture", content=picture).header("content-type") == "image/webp"
    with pytest.raises(ValueError, match="content_type= is missing"):
        caller.sent("bodies.picture", content=b"P")


def test_lines(caller: Caller) -> None:
    wire = caller.sent("bodies.lines", content=[PET, {"name": "x"}])
    assert wire.header("content-type") == "application/x-ndjson"
    assert [json.loads(line) for line in wire.body.splitlines()] == [PET, {"name": "x"}]


def test_a_form_by_styles_and_content_types(caller: Caller) -> None:
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
    wire = caller.sent("bodies.form", **value)
    assert wire.header("content-type") == URLENCODED
    assert form_value(DOCUMENT, FORM, FORM_ENCODING, wire.body) == value
    assert form_value(DOCUMENT, FORM, FORM_ENCODING, caller.sent("bodies.form", text="").body) == {"text": ""}
    assert caller.sent("bodies.form").body == b""


def _sent_parts(caller: Caller, method: str, **arguments: Any) -> list[Part]:
    wire = caller.sent(f"bodies.{method}", **arguments)
    content_type = wire.header("content-type") or ""
    assert content_type.startswith("multipart/form-data; boundary=")
    return parts(content_type, wire.body)


def test_parts_by_their_encoding(caller: Caller, tmp_path: Path) -> None:
    photo = tmp_path / "me.jpeg"
    photo.write_bytes(b"\xff\xd8")
    found = _sent_parts(
        caller,
        "parts",
        photo=photo,
        pages=[b"one", b"two"],
        note="śabda",
        count=3,
        tags=["a", "b"],
        pet=PET,
        pets=[PET, {"name": "x"}],
        quoted='say "so"',
        table="a,b\r\n",
        deep={"R": 1, "G": "a b"},
    )
    by_name: dict[str, list[Part]] = {}
    for part in found:
        by_name.setdefault(part.name, []).append(part)
    (jpeg,) = by_name["photo"]
    assert (jpeg.filename, jpeg.content_type, jpeg.content) == ("me.jpeg", "image/jpeg", b"\xff\xd8")
    pages = [(page.filename, page.content_type, page.content) for page in by_name["pages"]]
    assert pages == [
        ("upload", "application/octet-stream", b"one"),
        ("upload", "application/octet-stream", b"two"),
    ]
    assert [json_or_text(part) for part in by_name["note"]] == ["śabda"]
    assert [part.content for part in by_name["count"]] == [b"3"]
    assert [json_or_text(part) for part in by_name["tags"]] == ["a", "b"]
    (pet,) = by_name["pet"]
    assert (pet.content_type, json.loads(pet.content)) == ("application/vnd.pet+json", PET)
    assert [json_or_text(part) for part in by_name["pets"]] == [PET, {"name": "x"}]
    assert [json_or_text(part) for part in by_name["quoted"]] == ['say "so"']
    (table,) = by_name["table"]
    assert (table.content_type, table.content) == ("text/csv", b"a,b\r\n")
    assert [by_name[f"deep[{name}]"][0].content for name in ("R", "G")] == [b"1", b"a b"]
    assert {part.filename for part in found if part.name not in ("photo", "pages")} == {None}


def test_a_file_without_a_name_has_the_first_media_type_listed(caller: Caller) -> None:
    (photo,) = _sent_parts(caller, "parts", photo=b"\x89PNG")
    assert (photo.content_type, photo.filename) == ("image/png", "upload")


def test_parts_that_nobody_described(caller: Caller) -> None:
    found = _sent_parts(caller, "open_parts", body={"file": b"\xff", "note": "a", "pet": PET})
    assert [part.content_type for part in found] == ["application/octet-stream", None, "application/json"]
    assert found[0].content == b"\xff"
    assert [json_or_text(part) for part in found[1:]] == ["a", PET]


@pytest.mark.parametrize("media_type", [URLENCODED, "multipart/form-data"])
def test_a_media_type_of_the_same_arguments_is_chosen_by_its_header(caller: Caller, media_type: str) -> None:
    wire = caller.sent("bodies.several", name="a", extra_headers={"Content-Type": media_type})
    content_type = wire.header("content-type") or ""
    if media_type == URLENCODED:
        assert (content_type, wire.body) == (URLENCODED, b"name=a")
    else:
        assert [(part.name, part.content) for part in parts(content_type, wire.body)] == [("name", b"a")]


def test_several_media_types_are_told_apart_by_their_arguments(caller: Caller) -> None:
    found = _sent_parts(caller, "several", name="a", photo=b"P")
    assert [(part.name, part.content) for part in found] == [("name", b"a"), ("photo", b"P")]
