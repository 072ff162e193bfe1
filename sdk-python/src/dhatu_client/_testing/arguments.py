"""The arguments of a call, read back from the request that was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from email.message import Message
from email.parser import BytesParser
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from .._call import BodySpec, ParameterSpec
from .._commands import ArgumentEntry
from .._media import essence, is_json, matches
from .catalogue import Known

if TYPE_CHECKING:
    import httpx

_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}
_ANY = ArgumentEntry(name="", kind="any")


def arguments_of(known: Known, request: httpx.Request) -> dict[str, object]:
    """What was sent, by the names of the method's arguments; numbers and booleans as such.

    Members of an exploded object in the query cannot be told from parameters: see the request for them.
    """
    entries = {entry.name: entry for entry in known.entry.arguments}
    parts = urlsplit(str(request.url))
    query = parse_qsl(parts.query, keep_blank_values=True)
    match = known.pattern.search(parts.path)
    variables = dict(zip(known.variables, match.groups() if match else (), strict=False))
    cookies: SimpleCookie = SimpleCookie(request.headers.get("cookie", ""))
    found: dict[str, object] = {}
    for spec in known.operation.parameters:
        match spec.location:
            case "path":
                texts = [_variable(spec, variables[spec.name])] if spec.name in variables else []
            case "query" if spec.style == "deepObject":
                if nested := _nested(spec.name, query):
                    found[spec.argument] = nested
                continue
            case "query":
                texts = [text for name, text in query if name == spec.name]
            case "header":
                texts = [request.headers[spec.name]] if spec.name in request.headers else []
            case "cookie":
                texts = [cookies[spec.name].value] if spec.name in cookies else []
        if texts:
            found[spec.argument] = _value(entries.get(spec.argument, _ANY), spec, texts)
    return found | _body(known, entries, request)


def _variable(spec: ParameterSpec, text: str) -> str:
    """A variable of the path without what its style puts before it."""
    if spec.style == "label":
        text = text.removeprefix(".")
    elif spec.style == "matrix":
        text = text.removeprefix(f";{spec.name}=")
    return unquote(text)


def _value(entry: ArgumentEntry, spec: ParameterSpec, texts: list[str]) -> object:
    if spec.content_type and is_json(spec.content_type):
        return json.loads(texts[0])
    if not entry.many:
        return typed(entry, texts[0])
    if not (spec.explode and spec.location in ("query", "cookie")):
        texts = texts[0].split(_DELIMITERS.get(spec.style, ","))
    return [typed(entry, text) for text in texts]


def typed(entry: ArgumentEntry, text: str) -> object:
    """A text as the kind of value that an argument is.

    >>> typed(ArgumentEntry("limit", "integer"), "5"), typed(ArgumentEntry("q"), "5")
    (5, '5')
    """
    if entry.kind in ("text", "base64", "file", "content"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _nested(name: str, query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`filter[lang]=sa` as an object."""
    found: dict[str, Any] = {}
    for key, text in query:
        if key.startswith(f"{name}[") and key.endswith("]"):
            *path, last = key[len(name) + 1 : -1].split("][")
            place = found
            for step in path:
                place = place.setdefault(step, {})
            place[last] = [*place[last], text] if isinstance(place.get(last), list) else text
    return found


def _body(known: Known, entries: dict[str, ArgumentEntry], request: httpx.Request) -> dict[str, object]:
    content_type = request.headers.get("content-type", "")
    media_type = essence(content_type)
    fitting = (spec for spec in known.operation.bodies if matches(spec.media_type, media_type))
    spec = next(fitting, None)
    if spec is None:
        return {}
    match spec.kind:
        case "json":
            value = json.loads(request.content)
        case "jsonl":
            value = [json.loads(line) for line in request.content.splitlines() if line.strip()]
        case "text":
            value = request.content.decode("utf-8", "replace")
        case "form":
            pairs = parse_qsl(request.content.decode(), keep_blank_values=True)
            value = _members(spec, entries, pairs)
        case "multipart":
            value = _members(spec, entries, _parts(content_type, request.content))
        case _:
            value = request.content
    if not spec.fields or not isinstance(value, dict):
        return {spec.argument: value}
    names = {field.name: field.argument for field in spec.fields}
    return {names.get(name, name): member for name, member in cast("dict[str, object]", value).items()}


def _members(
    spec: BodySpec, entries: dict[str, ArgumentEntry], pairs: Iterable[tuple[str, str | bytes]]
) -> dict[str, object]:
    """Members of a form by their names; one that comes again is a list."""
    by_name = {field.name: entries.get(field.argument, _ANY) for field in spec.fields}
    found: dict[str, object] = {}
    for name, written in pairs:
        entry = by_name.get(name, _ANY)
        value = typed(entry, written) if isinstance(written, str) else written
        if entry.many:
            found[name] = [*cast("list[object]", found.get(name, [])), value]
        else:
            found[name] = value
    return found


def _parts(content_type: str, content: bytes) -> Iterable[tuple[str, str | bytes]]:
    """(name, content) of every part: bytes where it has a file name, else text."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message: Message[str, str] = BytesParser().parsebytes(head + content)
    for part in cast("list[Message[str, str]]", message.get_payload()):
        name = part.get_param("name", "", header="content-disposition")
        payload = cast("bytes", part.get_payload(decode=True))
        yield str(name), payload if part.get_filename() is not None else payload.decode("utf-8", "replace")
