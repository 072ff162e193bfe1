"""A server's half of OpenAPI: reads requests back by the document alone, knowing nothing of the generator.

Written from OpenAPI 3.1.1: the tables of the Parameter Object and of the Encoding Object, and RFC 6570.
Splitting comes first and percent-decoding second, the other way around than an encoder thinks.
"""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

Json = Any
ABSENT: Final = object()
"""What a parameter is that was not sent."""

_DEFAULT_STYLE: Final = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_DELIMITER: Final = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A request as it arrived."""

    method: str
    path: str
    """Still percent-encoded."""
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str = ""

    def header(self, name: str) -> str | None:
        found = [text for key, text in self.headers if key.lower() == name.lower()]
        assert len(found) < 2, f"{name} was sent twice"
        return found[0] if found else None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return _pairs(self.query, "&")

    @property
    def cookies(self) -> list[tuple[str, str]]:
        return _pairs(self.header("cookie") or "", "; ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a multipart body."""

    name: str
    filename: str | None
    content_type: str | None
    content: bytes


def parameter_value(document: Json, template: str, parameter: Json, wire: Wire) -> Json:
    """The value of one parameter, typed by its schema; `ABSENT` where there is none."""
    name, location = parameter["name"], parameter["in"]
    if "content" in parameter:
        (media_type,) = parameter["content"]
        raw = _only(_raw(template, name, location, wire))
        text = raw if raw is ABSENT or location == "header" else unquote(raw)
        return text if text is ABSENT or media_type.startswith("text/") else json.loads(text)
    style = parameter.get("style", _DEFAULT_STYLE[location])
    explode = parameter.get("explode", style in ("form", "cookie"))
    schema = resolved(document, parameter["schema"])
    if location == "path":
        return _from_path(_segment(template, name, wire.path), name, style, explode, schema)
    if location == "header":
        text = wire.header(name)
        if text == "" and schema.get("type") == "array":
            return []  # a header cannot be left out and be empty; elsewhere an empty array is left out
        return ABSENT if text is None else _from_list(text, ",", explode, schema, plain=True)
    pairs = wire.pairs if location == "query" else wire.cookies
    return _from_pairs(pairs, name, style, explode, schema)


def resolved(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        node = document
        for token in schema["$ref"].removeprefix("#/").split("/"):
            node = node[token.replace("~1", "/").replace("~0", "~")]
        schema = node
    return schema


def form_value(document: Json, schema: Json, encoding: Json, body: bytes) -> Json:
    """An `application/x-www-form-urlencoded` body, each property by its Encoding Object."""
    pairs = [(name, text.replace("+", "%20")) for name, text in _pairs(body.decode("ascii"), "&")]
    pairs = [(name.replace("+", "%20"), text) for name, text in pairs]
    value: dict[str, Json] = {}
    for name, written in resolved(document, schema)["properties"].items():
        own = encoding.get(name, {})
        member = resolved(document, written)
        if "items" in member:
            member = {**member, "items": resolved(document, member["items"])}
        if own.keys() & {"style", "explode", "allowReserved"}:
            style = own.get("style", "form")
            found = _from_pairs(pairs, name, style, own.get("explode", style == "form"), member)
        else:
            texts = [unquote(text) for key, text in pairs if unquote(key) == name]
            found = _by_content(texts, member, own.get("contentType", ""))
        if found is not ABSENT:
            value[name] = found
    return value


def parts(content_type: str, body: bytes) -> list[Part]:
    """A multipart body (RFC 7578), taken apart by the standard library's parser of mail."""
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    assert not message.defects, message.defects
    return [_part(part) for part in message.iter_parts()]


def json_or_text(part: Part) -> Json:
    """A part by its content type: JSON where it says so, text otherwise."""
    text = part.content.decode("utf-8")
    return json.loads(text) if part.content_type == "application/json" else text


def _part(part: email.message.MIMEPart) -> Part:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    name = part.get_param("name", header="content-disposition")
    return Part(
        name=str(name),
        filename=part.get_filename(),
        content_type=part.get_content_type() if "content-type" in part else None,
        content=content,
    )


def _by_content(texts: list[str], schema: Json, content_type: str) -> Json:
    """Without a style: by content type, which for objects is JSON; an array sends its items one by one."""
    if not texts:
        return ABSENT
    if schema.get("type") == "array":
        return [_by_content([text], schema["items"], content_type) for text in texts]
    (text,) = texts
    as_json = content_type == "application/json" or schema.get("type") == "object"
    return json.loads(text) if as_json else typed(schema, text)


def _raw(template: str, name: str, location: str, wire: Wire) -> list[str]:
    match location:
        case "path":
            return [_segment(template, name, wire.path)]
        case "header":
            text = wire.header(name)
            return [] if text is None else [text]
        case _:
            pairs = wire.pairs if location == "query" else wire.cookies
            return [text for key, text in pairs if unquote(key) == name]


def _only(found: list[str]) -> Any:
    assert len(found) < 2
    return found[0] if found else ABSENT


def _segment(template: str, name: str, path: str) -> str:
    pieces = re.split(r"\{([^{}]+)\}", template)
    pattern = "".join(
        re.escape(piece) if index % 2 == 0 else ("([^/]*)" if piece == name else "[^/]*")
        for index, piece in enumerate(pieces)
    )
    found = re.search(f"{pattern}$", path)
    assert found, f"{path} does not fit {template}"
    return found[1]


def _from_path(raw: str, name: str, style: str, explode: bool, schema: Json) -> Json:
    if style == "simple":
        return _from_list(raw, ",", explode, schema)
    if style == "label":
        assert raw.startswith(".")
        return _from_list(raw[1:], "." if explode else ",", explode, schema)
    assert raw.startswith(";")
    if not explode or schema.get("type") not in ("array", "object"):
        key, _, text = raw[1:].partition("=")
        assert unquote(key) == name
        return _from_list(text, ",", False, schema)
    pairs = [tuple(piece.partition("=")[::2]) for piece in raw[1:].split(";")]
    if schema["type"] == "array":
        assert {unquote(key) for key, _ in pairs} == {name}
        return [typed(schema["items"], unquote(text)) for _, text in pairs]
    return {unquote(key): _member(schema, unquote(key), unquote(text)) for key, text in pairs}


def _from_list(raw: str, separator: str, explode: bool, schema: Json, plain: bool = False) -> Json:
    """A value whose pieces stand in one text; `plain` where nothing is percent-encoded."""
    decoded = (lambda text: text) if plain else unquote
    if schema.get("type") == "array":
        return [typed(schema["items"], decoded(item)) for item in raw.split(separator)]
    if schema.get("type") == "object":
        pieces = raw.split(separator) if raw else []
        flat = [tuple(piece.split("=", 1)) for piece in pieces] if explode else list(_twos(pieces))
        return {decoded(key): _member(schema, decoded(key), decoded(text)) for key, text in flat}
    return typed(schema, decoded(raw))


def _from_pairs(pairs: list[tuple[str, str]], name: str, style: str, explode: bool, schema: Json) -> Json:
    kind = schema.get("type")
    if style == "deepObject":
        return _deep([(unquote(key), unquote(text)) for key, text in pairs], name, schema)
    plain = style == "cookie"
    own = [text for key, text in pairs if unquote(key) == name]
    decoded = (lambda text: text) if plain else unquote
    if kind == "array" and explode:
        return [typed(schema["items"], decoded(text)) for text in own] or ABSENT
    if kind == "object" and explode:
        found = {unquote(key): decoded(text) for key, text in pairs}
        members = {key: text for key, text in found.items() if key in schema.get("properties", found)}
        return {key: _member(schema, key, text) for key, text in members.items()} or ABSENT
    raw = _only(own)
    if raw is ABSENT:
        return ABSENT
    if style == "form" and kind not in ("array", "object"):
        return typed(schema, unquote(raw))
    return _from_list(raw, _DELIMITER.get(style, ","), False, schema, plain=plain)


def _deep(pairs: list[tuple[str, str]], name: str, schema: Json) -> Json:
    """`name[key][key]=text`; the same name again makes an array where the schema says so."""
    value: Json = ABSENT
    for key, text in pairs:
        if not key.startswith(f"{name}["):
            continue
        path = re.findall(r"\[([^\]]*)\]", key)
        value = {} if value is ABSENT else value
        place, kind = value, schema
        for step in path[:-1]:
            place = place.setdefault(step, {})
            kind = _property(kind, step)
        kind = _property(kind, path[-1])
        if kind.get("type") == "array":
            place.setdefault(path[-1], []).append(typed(kind["items"], text))
        else:
            place[path[-1]] = typed(kind, text)
    return value


def _property(schema: Json, name: str) -> Json:
    found = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
    return found if isinstance(found, dict) else {}


def _member(schema: Json, name: str, text: str) -> Json:
    return typed(_property(schema, name), text)


def _twos(pieces: list[str]) -> Any:
    return zip(pieces[::2], pieces[1::2], strict=True)


def _pairs(text: str, separator: str) -> list[tuple[str, str]]:
    return [(key, value) for key, _, value in (one.partition("=") for one in text.split(separator)) if key]


def typed(schema: Json, text: str) -> Json:
    """A text as the type of its schema; a nullable one reads `null` as null."""
    kinds = schema.get("type", "string")
    for kind in sorted([kinds] if isinstance(kinds, str) else kinds, key=lambda kind: kind != "null"):
        match kind:
            case "null" if text == "null":
                return None
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text]
            case "string":
                return text
            case _:
                pass
    raise AssertionError(f"{text!r} is no {kinds}")
