"""Which body to send, and how: JSON, form, multipart, JSON Lines, text or bytes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from ._call import OMIT, Arguments, BodySpec, FieldSpec, Operation
from ._content import Body, BytesBody, JoinedBody, StreamBody, body_of
from ._errors import ArgumentError
from ._media import matches
from ._values import Plain, to_json, to_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBody:
    """A body and its Content-Type."""

    media_type: str
    """Without parameters: what an answer of the same kind is chosen by."""
    content_type: str
    body: Body


def encode_body(
    operation: Operation[Any, Any],
    arguments: Arguments,
    extra: Mapping[str, Any],
    new_token: Callable[[], str],
) -> EncodedBody | None:
    """The body that the arguments ask for; None where there is none.

    Raises `ArgumentError` where they ask for none that the operation takes.
    """
    spec = _choose(operation, arguments, extra)
    if spec is None:
        return None
    if extra and not (spec.kind == "json" and spec.fields):
        raise ArgumentError(f"extra_body adds members to a JSON object, but the body is {spec.media_type}")
    media_type = _media_type(spec, _wanted_type(operation, arguments))
    match spec.kind:
        case "json":
            value = _members(spec, arguments) | dict(extra) if spec.fields else arguments[spec.argument]
            return _encoded(media_type, BytesBody(to_json(value, where="the body")))
        case "form":
            return _encoded(media_type, BytesBody(_form(_members(spec, arguments)).encode("ascii")))
        case "multipart":
            boundary = new_token()
            content_type = f"{media_type}; boundary={boundary}"
            body = _multipart(spec, _members(spec, arguments), boundary)
            return EncodedBody(media_type=media_type, content_type=content_type, body=body)
        case "jsonl":
            return _encoded(media_type, _json_lines(arguments[spec.argument]))
        case "text" | "binary" | "sse":
            content = arguments[spec.argument]
            charset = "; charset=utf-8" if spec.kind == "text" and isinstance(content, str) else ""
            return EncodedBody(
                media_type=media_type, content_type=media_type + charset, body=body_of(content)
            )


def _encoded(media_type: str, body: Body) -> EncodedBody:
    return EncodedBody(media_type=media_type, content_type=media_type, body=body)


def _choose(
    operation: Operation[Any, Any], arguments: Arguments, extra: Mapping[str, Any]
) -> BodySpec | None:
    """The first body that takes every body argument that was given."""
    taken_by = [(spec, _argument_names(spec)) for spec in operation.bodies]
    given = {name for _, names in taken_by for name in names if arguments.get(name, OMIT) is not OMIT}
    if given:
        fitting = [spec for spec, names in taken_by if given <= names]
        wanted = _wanted_type(operation, arguments)
        fitting = [spec for spec in fitting if spec.fields or not wanted or matches(spec.media_type, wanted)]
        if fitting:
            return fitting[0]
        raise ArgumentError(
            f"{operation.key}: {' and '.join(sorted(given))} cannot be sent"
            f"{' together' if len(given) > 1 else ''}{f' as {wanted}' if wanted else ''}; "
            f"give {_alternatives(operation)}"
        )
    objects = [spec for spec in operation.bodies if spec.fields]
    if objects and (extra or operation.body_required):
        return objects[0]
    if operation.body_required and operation.bodies:
        raise ArgumentError(f"{operation.key}: a body is needed; give {_alternatives(operation)}")
    return None


def _wanted_type(operation: Operation[Any, Any], arguments: Arguments) -> str:
    """The media type that the caller chose, where the operation leaves a choice."""
    claimed = {name for spec in operation.bodies for name in _argument_names(spec)}
    claimed |= {parameter.argument for parameter in operation.parameters}
    chosen = arguments.get("content_type", OMIT)
    return chosen if isinstance(chosen, str) and "content_type" not in claimed else ""


def _argument_names(spec: BodySpec) -> frozenset[str]:
    names = [field.argument for field in spec.fields] + ([spec.argument] if spec.argument else [])
    return frozenset(names)


def _alternatives(operation: Operation[Any, Any]) -> str:
    return ", or ".join(
        f"{', '.join(field.argument for field in spec.fields) or spec.argument} ({spec.media_type})"
        for spec in operation.bodies
    )


def _media_type(spec: BodySpec, wanted: str) -> str:
    """The media type to send: a range such as `image/*` becomes what was asked for, or plain bytes."""
    return spec.media_type if "*" not in spec.media_type else wanted or "application/octet-stream"


def _members(spec: BodySpec, arguments: Arguments) -> dict[str, object]:
    """The members of an object body under their wire names; of one given whole, its own."""
    if spec.fields:
        given = ((field.name, arguments.get(field.argument, OMIT)) for field in spec.fields)
        return {name: value for name, value in given if value is not OMIT}
    whole = arguments[spec.argument]
    if isinstance(whole, Mapping):
        return dict(cast("Mapping[str, object]", whole))
    plain = to_plain(whole)
    if not isinstance(plain, dict):
        raise ArgumentError(f"{spec.argument} must be a mapping or a model, not {type(whole).__name__}")
    return cast("dict[str, object]", plain)


def _form(members: Mapping[str, object]) -> str:
    """`application/x-www-form-urlencoded`: lists repeat the name, objects travel as JSON."""
    pairs: list[tuple[str, str]] = []
    for name, value in members.items():
        plain = to_plain(value)
        items = plain if isinstance(plain, list) else [plain]
        pairs += [(name, _field_text(name, item)) for item in items]
    return urlencode(pairs)


def _field_text(name: str, value: Plain) -> str:
    return value if isinstance(value, str) else to_json(value, where=name).decode("utf-8")


def _multipart(spec: BodySpec, members: Mapping[str, object], boundary: str) -> Body:
    """`multipart/form-data` (RFC 7578): a list or tuple becomes one part per item."""
    fields = {field.name: field for field in spec.fields}
    parts: list[Body] = []
    for name, value in members.items():
        field = fields.get(name) or FieldSpec(argument=name, name=name)
        items = (
            cast("list[object] | tuple[object, ...]", value) if isinstance(value, list | tuple) else [value]
        )
        for item in items:
            parts += [_part_head(field, item, boundary), _part_body(field, item), BytesBody(b"\r\n")]
    return JoinedBody([*parts, BytesBody(f"--{boundary}--\r\n".encode())])


def _part_head(field: FieldSpec, item: object, boundary: str) -> Body:
    disposition = f'form-data; name="{_quoted(field.name)}"'
    content_type = field.content_type.split(",")[0].strip()
    if field.file:
        filename = _filename(item)
        disposition += f'; filename="{_quoted(filename)}"'
        content_type = content_type if content_type and "*" not in content_type else _guess(filename)
    elif not content_type and not isinstance(item, str):
        content_type = "application/json" if isinstance(to_plain(item), dict | list) else ""
    lines = [f"--{boundary}", f"Content-Disposition: {disposition}"]
    lines += [f"Content-Type: {content_type}"] if content_type else []
    return BytesBody("\r\n".join([*lines, "", ""]).encode("utf-8"))


def _part_body(field: FieldSpec, item: object) -> Body:
    if field.file:
        return body_of(item)
    return BytesBody(item.encode("utf-8") if isinstance(item, str) else to_json(item, where=field.argument))


def _filename(item: object) -> str:
    """The last part of the path, or of the open file's name."""
    name = (
        os.fspath(cast("os.PathLike[str]", item))
        if isinstance(item, os.PathLike)
        else getattr(item, "name", "")
    )
    return (os.path.basename(name) if isinstance(name, str) else "") or "upload"


def _guess(filename: str) -> str:
    import mimetypes  # reads the system's tables; only uploads need it

    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _quoted(text: str) -> str:
    """As browsers write names (HTML, multipart form data): what would end one is encoded."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _json_lines(value: object) -> Body:
    """Bytes as they are; items one per line, each written when it is sent."""
    if isinstance(value, bytes | str | os.PathLike) or hasattr(value, "read"):
        return body_of(cast("Any", value))
    if isinstance(value, AsyncIterable):
        return StreamBody(_async_lines(cast("AsyncIterable[object]", value)))
    if isinstance(value, Iterator):
        return StreamBody(map(_line, cast("Iterator[object]", value)))
    if isinstance(value, Iterable):
        return StreamBody(_Lines(cast("Iterable[object]", value)))
    raise ArgumentError(f"JSON Lines need an iterable of items, not {type(value).__name__}")


class _Lines:
    """Items that can be gone through again, as lines."""

    def __init__(self, items: Iterable[object]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[bytes]:
        return map(_line, self._items)


async def _async_lines(items: AsyncIterable[object]) -> AsyncIterator[bytes]:
    async for item in items:
        yield _line(item)


def _line(item: object) -> bytes:
    return item if isinstance(item, bytes) else to_json(item, where="a line of the body") + b"\n"
