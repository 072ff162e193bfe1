"""The end of a route whose service does not exist yet; everything before it is as it will be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.forward import Terminal
from dhatu_gateway.core.mocks.values import NoValueError, small_value
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Route
from dhatu_gateway.core.validation.schemas import Schemas

_PREFERENCE = re.compile(r"(example|code)\s*=\s*\"?([^\s\",;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mock:
    """One answer that the specification shows."""

    status: int
    media_type: str
    """Empty where there is no content."""
    example: str
    """Its name; empty where it was made of the schema."""
    body: bytes

    @property
    def head(self) -> list[Header]:
        if not self.media_type:
            return [] if self.status == 204 else [(b"content-length", b"0")]
        return [
            (b"content-type", self.media_type.encode("latin-1")),
            (b"content-length", b"%d" % len(self.body)),
        ]


def build_mock(route: Route, schemas: Schemas, header_prefix: str) -> Terminal:
    """Answer a route with what its specification shows.

    The first example of the first success, unless the caller asks for another: `Prefer: code=404`,
    `Prefer: example=empty`, and by `Accept` where there are several media types. Raises `ValueError` at boot
    where there is no example, and no value can be made of the schema.
    """
    if route.websocket is not None:
        return _build_silence(route)
    mocks = tuple(_mocks(route, schemas.answers))
    usual = [mock for mock in mocks if 200 <= mock.status < 300]
    if not usual:
        raise ValueError(f"{route.operation} cannot be mocked: its specification shows no answer of success")
    mark: Header = (f"{header_prefix}Mock".lower().encode("ascii"), b"true")

    async def answer(exchange: Exchange) -> None:
        mock = _choose(mocks, usual, exchange)
        exchange.status = mock.status
        headers = [*mock.head, mark, *exchange.response_headers]
        await exchange.send({"type": "http.response.start", "status": mock.status, "headers": headers})
        await exchange.send({"type": "http.response.body", "body": mock.body, "more_body": False})

    return answer


def _build_silence(route: Route) -> Terminal:
    """Open no WebSocket: a specification shows none of its messages."""
    detail = f"{route.operation} is a WebSocket, for which nothing can stand in."

    async def refuse(exchange: Exchange) -> None:
        raise ProblemError("upstream-unavailable", detail)

    return refuse


def _choose(mocks: Sequence[Mock], usual: Sequence[Mock], exchange: Exchange) -> Mock:
    found = usual
    field = exchange.fields.get(b"prefer")
    asked = {} if field is None else dict(_PREFERENCE.findall(field.decode("latin-1")))
    asked = {name.lower(): value for name, value in asked.items()}
    if "code" in asked:
        found = [mock for mock in mocks if str(mock.status) == asked["code"]]
    if "example" in asked:
        named = found if "code" in asked else mocks
        found = [mock for mock in named if mock.example == asked["example"]]
    if not found:
        shown = ", ".join(dict.fromkeys(f"{mock.status} {mock.example}".strip() for mock in mocks))
        raise ProblemError(
            "invalid-request", f"Prefer asks for an answer that is not shown; there are: {shown}."
        )
    accept = exchange.fields.get(b"accept")
    if accept is not None and len(found) > 1:
        wanted = accept.decode("latin-1").lower()
        return next((mock for mock in found if mock.media_type and mock.media_type in wanted), found[0])
    return found[0]


def _mocks(route: Route, schemas: Schemas) -> Iterator[Mock]:
    pointer = f"/paths/{route.path.replace('~', '~0').replace('/', '~1')}/{route.method.lower()}/responses"
    for code, written in cast(dict[str, Any], schemas.at(pointer)).items():
        status = _status(code)
        if status is None:
            continue
        content = cast(dict[str, Any], schemas.resolve(written).get("content") or {})
        if not content:
            yield Mock(status=status, media_type="", example="", body=b"")
        for media_type, media in content.items():
            for example, value in _examples(route, cast(dict[str, Any], media), schemas, code):
                body = _encoded(value, media_type)
                yield Mock(status=status, media_type=media_type.lower(), example=example, body=body)


def _status(code: str) -> int | None:
    """The status of a code; 4XX stands for 400, and `default` for nothing that is known."""
    if code.isdigit():
        return int(code)
    return int(code[0]) * 100 if code[:1].isdigit() else None


def _examples(route: Route, media: dict[str, Any], schemas: Schemas, code: str) -> Iterator[tuple[str, Any]]:
    named = cast(dict[str, Any], media.get("examples") or {})
    for name, written in named.items():
        example = schemas.resolve(written)
        if "value" in example:
            yield name, example["value"]
    if not named and "example" in media:
        yield "", media["example"]
    elif not named and "schema" in media:
        yield "", _made(route, media["schema"], schemas, code)
    elif not named:
        yield "", ""


def _made(route: Route, schema: Any, schemas: Schemas, code: str) -> Any:
    try:
        value = small_value(schema, schemas)
        if schemas.check(schema, value):
            return value
        reason = f"{orjson.dumps(value).decode()} was made of it, which it does not allow"
    except NoValueError as error:
        reason = str(error)
    raise ValueError(
        f"{route.operation} cannot be mocked: no value of the schema of its answer {code} is found "
        f"({reason}); give the answer an example"
    )


def _encoded(value: Any, media_type: str) -> bytes:
    base = media_type.partition(";")[0].strip().lower()
    if base.endswith(("/json", "+json")) or not isinstance(value, str):
        return orjson.dumps(value)
    return value.encode()
