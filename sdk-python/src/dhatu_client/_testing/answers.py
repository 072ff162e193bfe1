"""Canned answers: checked when they are made, against what the operation answers, and served on each call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, TypeAlias

import httpx

from .._answers.decode import adapter, find_response
from .._call import OMIT, ApiSpec, Operation, ResponseSpec
from .._encoding.values import to_json, to_plain
from .._media import essence

FailureName: TypeAlias = Literal["connect", "connect_timeout", "timeout", "lost"]

_FAILURES: dict[str, type[httpx.TransportError]] = {
    "connect": httpx.ConnectError,
    "connect_timeout": httpx.ConnectTimeout,
    "timeout": httpx.ReadTimeout,
    "lost": httpx.ReadError,
}
_SERIES = ("sse", "jsonl")


class CannedAnswerError(ValueError):
    """A canned answer that the operation would never give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """One answer, or the failure that comes instead of one."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    chunks: tuple[bytes | Exception, ...] = ()
    """An exception among them breaks the answer off there."""
    failure: Exception | None = None

    def response(self, request: httpx.Request) -> httpx.Response:
        """What the client receives. Raises the failure."""
        if self.failure is not None:
            raise self.failure
        return httpx.Response(self.status, headers=self.headers, stream=_Chunks(self.chunks), request=request)


class _Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body for clients of either colour."""

    def __init__(self, chunks: tuple[bytes | Exception, ...]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a test says that an operation answers."""

    value: object = OMIT
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str = ""
    stream: Iterable[object] | None = None
    strict: bool = True
    """Whether values and kinds have to be those of the description, as of today's server."""


def canned(api: ApiSpec, operation: Operation[Any, Any], reply: Reply) -> Canned:
    """The answer that was meant. Raises `CannedAnswerError` where the operation has none like it."""
    status = reply.status or _first_success(operation)
    if status >= 400:
        return _refusal(operation, status, reply)
    spec = _response(operation, status, reply)
    chunks = _series(api, operation, spec, reply) if reply.stream is not None else None
    if chunks is None:
        chunks = _whole(api, operation, spec, reply)
    media_type = reply.media_type or spec.media_type
    named = {"content-type": media_type} if media_type else {}
    return Canned(status=status, headers={**named, **reply.headers}, chunks=chunks)


def failure(name: FailureName | Exception) -> Canned:
    """What comes instead of an answer. Raises `CannedAnswerError` for a name that is none."""
    if isinstance(name, Exception):
        return Canned(failure=name)
    if name not in _FAILURES:
        raise CannedAnswerError(
            f"{name!r} is no failure; there are {', '.join(_FAILURES)}, and any exception"
        )
    return Canned(failure=_FAILURES[name](f"{name}, as the test asked"))


def _first_success(operation: Operation[Any, Any]) -> int:
    listed = [int(spec.status) for spec in operation.responses if spec.status.isdigit()]
    return min((status for status in listed if 200 <= status < 300), default=200)


def _refusal(operation: Operation[Any, Any], status: int, reply: Reply) -> Canned:
    """A status that says no: in whatever body was given, else as a problem (RFC 9457)."""
    if isinstance(reply.value, bytes | str):
        body = reply.value.encode() if isinstance(reply.value, str) else reply.value
        media_type = reply.media_type or "text/plain; charset=utf-8"
    else:
        phrase = HTTPStatus(status).phrase if status in {*HTTPStatus} else str(status)
        members = to_plain({} if reply.value is OMIT else reply.value)
        problem = {"type": "about:blank", "title": phrase, "status": status}
        body = json.dumps(problem | members if isinstance(members, dict) else members).encode()
        media_type = reply.media_type or "application/problem+json"
    return Canned(status=status, headers={"content-type": media_type, **reply.headers}, chunks=(body,))


def _response(operation: Operation[Any, Any], status: int, reply: Reply) -> ResponseSpec:
    """The response of the operation that the reply is one of."""
    if reply.media_type:
        found = find_response(operation, status, reply.media_type)
        candidates = [found] if found is not None else []
    else:
        here = [spec for spec in operation.responses if _speaks_for(spec, status)]
        candidates = [spec for spec in here if _suits(spec, reply)]
        if isinstance(reply.value, bytes):  # of a JSON answer it is the text itself, perhaps a broken one
            candidates.sort(key=lambda spec: spec.kind != "binary")
    if not candidates:
        what = "a stream" if reply.stream is not None else _named(reply.value)
        where = f" in {reply.media_type}" if reply.media_type else ""
        raise CannedAnswerError(
            f"{operation.key} never answers {status}{where} with {what}; it answers {_offered(operation)}"
        )
    return candidates[0]


def _speaks_for(spec: ResponseSpec, status: int) -> bool:
    return spec.status in (str(status), "default") or spec.status.upper() == f"{status // 100}XX"


def _suits(spec: ResponseSpec, reply: Reply) -> bool:
    if reply.stream is not None:
        return spec.kind in (*_SERIES, "binary")
    if isinstance(reply.value, bytes):
        return spec.kind != "empty"
    if isinstance(reply.value, str):
        return spec.kind in ("text", "json")
    if reply.value is OMIT:
        return spec.kind == "empty"
    return spec.kind == "json" or (reply.value is None and spec.kind == "empty")


def _whole(
    api: ApiSpec, operation: Operation[Any, Any], spec: ResponseSpec, reply: Reply
) -> tuple[bytes, ...]:
    value = reply.value
    if spec.kind == "empty":
        return ()
    if isinstance(value, bytes):
        return (value,)
    if spec.kind == "text":
        return (str(value).encode(),)
    return (_Described(api, operation, spec, reply.strict).json(value),)


def _series(
    api: ApiSpec, operation: Operation[Any, Any], spec: ResponseSpec, reply: Reply
) -> tuple[bytes | Exception, ...]:
    """One chunk for each item, as the media type writes it."""
    assert reply.stream is not None
    described = _Described(api, operation, spec, reply.strict)
    chunks: list[bytes | Exception] = []
    for item in reply.stream:
        if isinstance(item, Exception):
            chunks.append(item if isinstance(item, httpx.TransportError) else httpx.ReadError(str(item)))
        elif spec.kind == "binary" or isinstance(item, bytes):
            chunks.append(item if isinstance(item, bytes) else str(item).encode())
        elif spec.kind == "sse" and spec.type == "str" and isinstance(item, str):
            chunks.append(_event(item.encode()))
        else:
            line = described.json(item)
            chunks.append(_event(line) if spec.kind == "sse" else line + b"\n")
    return tuple(chunks)


def _event(data: bytes) -> bytes:
    lines = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n"))
    return lines + b"\n"


class _Described(NamedTuple):
    """What a response holds."""

    api: ApiSpec
    operation: Operation[Any, Any]
    spec: ResponseSpec
    strict: bool

    def json(self, value: object) -> bytes:
        """The value as JSON, if it is what the response holds. Raises `CannedAnswerError`."""
        key, kind = self.operation.key, self.spec.type
        body = to_json(value, where=f"the canned answer of {key}")
        if not kind:
            return body
        import pydantic

        from .._models import read_json

        try:
            read_json(adapter(self.api.models, kind), body, strict=self.strict)
        except pydantic.ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            faults = "; ".join(f"/{'/'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in found)
            raise CannedAnswerError(f"{key} answers with {kind}, which this is not: {faults}") from None
        return body


def _offered(operation: Operation[Any, Any]) -> str:
    offered = [
        " ".join(filter(None, (spec.status, essence(spec.media_type), spec.type or spec.kind)))
        for spec in operation.responses
    ]
    return "; ".join(offered) or "anything at all"


def _named(value: object) -> str:
    if value is OMIT:
        return "nothing"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
