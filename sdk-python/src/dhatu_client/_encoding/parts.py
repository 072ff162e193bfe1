"""Bodies made of named values: forms, and multipart ones (OpenAPI 3.1.1, Encoding Object)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import quote_plus, unquote

from .._call import FieldSpec, ParameterSpec
from .._media import is_json, matches
from .content import Body, BytesBody, JoinedBody, body_of, encode_utf8
from .parameters import Pairs, query_pairs
from .values import Plain, to_json, to_plain


def form(fields: tuple[FieldSpec, ...], members: Mapping[str, object]) -> str:
    """`application/x-www-form-urlencoded`: by the style of a field; where it has none, lists repeat the name
    and objects travel as JSON."""
    known = {field.name: field for field in fields}
    pairs: Pairs = []
    for name, value in members.items():
        field = known.get(name) or FieldSpec(argument=name, name=name)
        if field.style:
            pairs += _styled(field, value)
            continue
        plain = to_plain(value)
        items = plain if isinstance(plain, list) else [plain]
        pairs += [(quote_plus(name), quote_plus(_text(field, item))) for item in items]
    return "&".join(f"{name}={text}" for name, text in pairs)


def multipart(fields: tuple[FieldSpec, ...], members: Mapping[str, object], boundary: str) -> Body:
    """`multipart/form-data` (RFC 7578): a list or tuple becomes one part per item."""
    known = {field.name: field for field in fields}
    parts: list[Body] = []
    for name, value in members.items():
        field = known.get(name) or FieldSpec(argument=name, name=name)
        if field.style:
            for key, text in _styled(field, value):
                # Only a URL needs percent-encoding.
                own = FieldSpec(argument=field.argument, name=unquote(key))
                parts += _part(own, unquote(text), boundary)
            continue
        items = cast("Iterable[object]", value) if isinstance(value, list | tuple) else [value]
        for item in items:
            parts += _part(field, item, boundary)
    return JoinedBody([*parts, BytesBody(f"--{boundary}--\r\n".encode())])


def guessed_type(content: object) -> str:
    """The media type that the name of a file speaks of; empty where it has none, or it says nothing."""
    import mimetypes  # reads the system's tables; only uploads need it

    return mimetypes.guess_type(_filename(content))[0] or ""


def _styled(field: FieldSpec, value: object) -> Pairs:
    spec = ParameterSpec(
        argument=field.argument,
        name=field.name,
        location="query",
        style=field.style,
        explode=field.explode,
        allow_reserved=field.allow_reserved,
    )
    return query_pairs(spec, value)


def _text(field: FieldSpec, value: Plain) -> str:
    if isinstance(value, str) and not is_json(field.content_type):
        return value
    return to_json(value, where=field.argument).decode("utf-8")


def _part(field: FieldSpec, item: object, boundary: str) -> list[Body]:
    file = field.file or _is_file(item)
    disposition = f'form-data; name="{_quoted(field.name)}"'
    disposition += f'; filename="{_quoted(_filename(item))}"' if file else ""
    content_type = _file_type(field, item) if file else _value_type(field, item)
    lines = [f"--{boundary}", f"Content-Disposition: {disposition}"]
    lines += [f"Content-Type: {content_type}"] if content_type else []
    head = BytesBody("\r\n".join([*lines, "", ""]).encode("utf-8"))
    body = body_of(item) if file else BytesBody(encode_utf8(_text(field, cast("Plain", item))))
    return [head, body, BytesBody(b"\r\n")]


def _is_file(item: object) -> bool:
    return isinstance(item, bytes | bytearray | os.PathLike) or hasattr(item, "read")


def _file_type(field: FieldSpec, item: object) -> str:
    """What the name of the file says, where the spec allows it; else the first type that the spec lists."""
    guessed = guessed_type(item)
    allowed = [listed.strip() for listed in field.content_type.split(",") if listed.strip()]
    exact = [listed for listed in allowed if "*" not in listed]
    if (
        guessed
        and (len(allowed) != 1 or not exact)
        and (not allowed or any(matches(listed, guessed) for listed in allowed))
    ):
        return guessed
    return exact[0] if exact else guessed or "application/octet-stream"


def _value_type(field: FieldSpec, item: object) -> str:
    content_type = field.content_type.split(",")[0].strip()
    if content_type or isinstance(item, str):
        return content_type
    return "application/json" if isinstance(to_plain(item), dict | list) else ""


def _filename(item: object) -> str:
    """The last part of the path, or of the open file's name."""
    if isinstance(item, os.PathLike):
        return os.path.basename(os.fspath(cast("os.PathLike[str]", item))) or "upload"
    name: object = getattr(item, "name", "")
    return (os.path.basename(name) if isinstance(name, str) else "") or "upload"


def _quoted(text: str) -> str:
    """As browsers write names (HTML, multipart form data): what would end one is encoded."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
