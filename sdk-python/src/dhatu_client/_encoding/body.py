"""Which body to send, and how: JSON, form, multipart, JSON Lines, text or bytes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from .._call import OMIT, Arguments, BodySpec, CallOptions, Operation
from .._errors import ArgumentError
from .._media import essence, matches, parameter_of
from .content import Body, BytesBody, StreamBody, body_of
from .parts import form, guessed_type, multipart
from .values import to_json, to_plain


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
    options: CallOptions,
    new_token: Callable[[], str],
) -> EncodedBody | None:
    """The body that the arguments ask for; None where there is none.

    A Content-Type among the extra headers chooses among bodies that take the same arguments.
    Raises `ArgumentError` where they ask for none that the operation takes.
    """
    extra = options.get("extra_body")
    wanted = _wanted_type(operation, arguments)
    spec = _choose(operation, arguments, options)
    if spec is None:
        return None
    if extra and not spec.fields:
        raise ArgumentError(
            f"extra_body adds members to an object, but the body is whole ({spec.media_type})"
        )
    media_type = _media_type(spec, arguments, wanted)
    match spec.kind:
        case "json":
            value = _members(spec, arguments) | dict(extra or {}) if spec.fields else arguments[spec.argument]
            return _encoded(media_type, BytesBody(to_json(value, where="the body")))
        case "form" | "multipart" if not spec.fields and isinstance(arguments[spec.argument], str | bytes):
            return _encoded(media_type, body_of(arguments[spec.argument]))
        case "form":
            written = form(spec.fields, _members(spec, arguments) | dict(extra or {}))
            return _encoded(media_type, BytesBody(written.encode("ascii")))
        case "multipart":
            boundary = new_token()
            content_type = f"{media_type}; boundary={boundary}"
            body = multipart(spec.fields, _members(spec, arguments) | dict(extra or {}), boundary)
            return EncodedBody(media_type=media_type, content_type=content_type, body=body)
        case "jsonl":
            return _encoded(media_type, _json_lines(arguments[spec.argument]))
        case "text" | "binary" | "sse":
            content = arguments[spec.argument]
            if isinstance(content, str):
                return _text(spec, media_type, content)
            return _encoded(media_type, body_of(content))


def _text(spec: BodySpec, media_type: str, text: str) -> EncodedBody:
    """Text in the charset that the media type names; in UTF-8, and said so, where it names none."""
    charset = parameter_of(media_type, "charset")
    if charset.lower() in ("", "utf-8", "utf8"):
        said = "" if charset or spec.kind != "text" else "; charset=utf-8"
        return EncodedBody(media_type=media_type, content_type=media_type + said, body=body_of(text))
    try:
        return _encoded(media_type, BytesBody(text.encode(charset)))
    except (LookupError, UnicodeEncodeError) as error:
        raise ArgumentError(f"{spec.argument} cannot be written in {charset}; pass bytes") from error


def _encoded(media_type: str, body: Body) -> EncodedBody:
    return EncodedBody(media_type=media_type, content_type=media_type, body=body)


def _choose(operation: Operation[Any, Any], arguments: Arguments, options: CallOptions) -> BodySpec | None:
    """The first body that takes every body argument that was given, of the preferred media type if any is."""
    taken_by = _taken_by(operation)
    given = {name for _, names in taken_by for name in names if arguments.get(name, OMIT) is not OMIT}
    if given:
        wanted, preferred = _wanted_type(operation, arguments), essence(_preferred_type(options))
        fitting = [spec for spec, names in taken_by if given <= names]
        fitting = [spec for spec in fitting if spec.fields or not wanted or matches(spec.media_type, wanted)]
        fitting.sort(key=lambda spec: not matches(spec.media_type, preferred))
        if fitting:
            return fitting[0]
        raise ArgumentError(
            f"{operation.key}: {' and '.join(sorted(given))} cannot be sent"
            f"{' together' if len(given) > 1 else ''}{f' as {wanted}' if wanted else ''}; "
            f"give {_alternatives(operation)}"
        )
    objects = [spec for spec in operation.bodies if spec.fields]
    if objects and ("extra_body" in options or operation.body_required):
        return objects[0]
    if operation.body_required and operation.bodies:
        raise ArgumentError(f"{operation.key}: a body is needed; give {_alternatives(operation)}")
    return None


@lru_cache(maxsize=1024)
def _taken_by(operation: Operation[Any, Any]) -> tuple[tuple[BodySpec, frozenset[str]], ...]:
    """The arguments that each body takes."""
    return tuple((spec, _argument_names(spec)) for spec in operation.bodies)


def _preferred_type(options: CallOptions) -> str:
    headers = options.get("extra_headers", {})
    return next((text for name, text in headers.items() if name.lower() == "content-type"), "")


def _wanted_type(operation: Operation[Any, Any], arguments: Arguments) -> str:
    """The media type that the caller chose, where the operation leaves a choice."""
    chosen = arguments.get("content_type", OMIT)
    if not isinstance(chosen, str):
        return ""
    claimed = {name for _, names in _taken_by(operation) for name in names}
    claimed |= {parameter.argument for parameter in operation.parameters}
    return "" if "content_type" in claimed else chosen


def _argument_names(spec: BodySpec) -> frozenset[str]:
    names = [field.argument for field in spec.fields] + ([spec.argument] if spec.argument else [])
    return frozenset(names)


def _alternatives(operation: Operation[Any, Any]) -> str:
    return ", or ".join(
        f"{', '.join(field.argument for field in spec.fields) or spec.argument} ({spec.media_type})"
        for spec in operation.bodies
    )


def _media_type(spec: BodySpec, arguments: Arguments, wanted: str) -> str:
    """The media type to send: a range such as `image/*` becomes what was asked for, or what the file's name
    says, or, where anything goes, plain bytes."""
    if "*" in spec.media_type and spec.kind == "json":
        return "application/json"
    if "*" not in spec.media_type or wanted:
        return wanted if "*" in spec.media_type else spec.media_type
    guessed = guessed_type(arguments[spec.argument]) or "application/octet-stream"
    if not matches(spec.media_type, guessed):
        raise ArgumentError(
            f"say which of {spec.media_type} the {spec.argument} is: content_type= is missing"
        )
    return guessed


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
