"""Bodies of multipart/form-data (RFC 7578), held against the schema while they stream to the service.

Fields are kept until the end and validated together; files pass, whatever their size. The last piece of a
body goes on only when all of it has been found good: a service never has a whole body that is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema_rs import Validator

from dhatu_gateway.core.exchange import Exchange, Message
from dhatu_gateway.core.problem import FieldError, ProblemError
from dhatu_gateway.core.types import MediaType
from dhatu_gateway.core.validation.forms import properties_of
from dhatu_gateway.core.validation.json_body import parse_json
from dhatu_gateway.core.validation.media_types import ContentType, parse_content_type, parse_parameters
from dhatu_gateway.core.validation.refusals import Watch, pointer_token, refusal
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.validation.values import Shape, shape_of

MAX_PARTS = 256
MAX_FIELDS_BYTES = 1_048_576
"""Of all parts that are not files together."""

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_UNENCODED = frozenset({b"7bit", b"8bit", b"binary"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One property of the schema."""

    kind: Literal["text", "json", "file"]
    shape: Shape
    media_types: frozenset[str]
    """That the part may have; empty for any."""


class Multipart:
    """One described body of multipart/form-data."""

    def __init__(self, media: MediaType, schemas: Schemas) -> None:
        self.validator: Validator = schemas.validator(media.schema)
        written = {part.name: part.content_type for part in media.parts}
        self.fields: Mapping[str, _Field] = {
            name: _field(written.get(name, ""), schemas.at(pointer), schemas)
            for name, pointer in properties_of(media.schema, schemas).items()
        }

    def watch(
        self, exchange: Exchange, content_type: ContentType, errors: list[FieldError], watch: Watch | None
    ) -> None:
        """Let the exchange receive its body through the check.

        Receiving raises `ProblemError` for all that is wrong, `errors` among it, unless `watch` takes it.
        """
        boundary = content_type.parameters.get("boundary", "")
        if not _BOUNDARY.fullmatch(boundary):
            error = ProblemError("unsupported-media-type", "multipart/form-data needs a boundary.")
            if watch is None:
                raise error
            watch(exchange, error)
            return
        reading: _Reading | None = _Reading(self, boundary.encode("ascii"), errors if watch is None else [])
        receive = exchange.receive
        held: bytes | None = None

        async def receive_checked() -> Message:
            nonlocal held, reading
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                data: bytes = message.get("body", b"")
                more = message.get("more_body", False)
                if reading is not None:
                    try:
                        reading.feed(data)
                        if not more:
                            reading.end()
                    except ProblemError as error:
                        if watch is None:
                            raise
                        watch(exchange, error)
                        reading = None
                if not more:
                    return {"type": "http.request", "body": (held or b"") + data, "more_body": False}
                if held is not None:
                    before, held = held, data
                    return {"type": "http.request", "body": before, "more_body": True}
                held = data

        exchange.receive = receive_checked


class _Reading:
    """One body on its way; the parser calls the `_on_` methods."""

    def __init__(self, described: Multipart, boundary: bytes, errors: list[FieldError]) -> None:
        from python_multipart.multipart import MultipartParser

        self._described = described
        self._errors = errors
        self._values: dict[str, list[Any]] = {}
        self._unread: set[str] = set()
        """Names whose values say nothing: of files, and of what could not be read."""
        self._parts = 0
        self._fields_bytes = 0
        self._terminator = b"\r\n--" + boundary + b"--"
        self._tail = b"\r\n"
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_begin": self._on_header_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
            },
        )

    def feed(self, data: bytes) -> None:
        from python_multipart.exceptions import MultipartParseError

        if not data:
            return
        rest = data
        if not self._ended:
            seen = self._tail + data
            at = seen.find(self._terminator)
            self._ended = at >= 0
            rest = seen[at + len(self._terminator) :] if self._ended else b""
            self._tail = seen[1 - len(self._terminator) :]
        if rest.strip(b"\r\n"):
            raise _whole("has bytes after its last boundary")
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise _whole("is not multipart/form-data with this boundary") from error

    def end(self) -> None:
        """Hold all fields against the schema; raises `ProblemError` with all that is wrong."""
        if not self._ended:
            raise _whole("breaks off before its last boundary")
        described = self._described
        value: dict[str, Any] = {}
        for name, values in self._values.items():
            field = described.fields.get(name)
            is_list = field is not None and field.shape.kind == "array" and field.kind != "json"
            if len(values) > 1 and field is not None and not is_list:
                self._wrong(name, "is sent more than once")
            value[name] = values if is_list or len(values) > 1 else values[0]
        spoilt = {error.name for error in self._errors}
        if not described.validator.is_valid(value):
            found = body_errors(
                error
                for error in described.validator.iter_errors(value)
                if not (error.instance_path and error.instance_path[0] in self._unread)
            )
            self._errors += [error for error in found if error.name not in spoilt]
        if self._errors:
            raise refusal(self._errors)

    # -- called by the parser

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _whole(f"has more than {MAX_PARTS} parts")
        self._headers: dict[bytes, bytes] = {}
        self._data = bytearray()

    def _on_header_begin(self) -> None:
        self._header = (bytearray(), bytearray())

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        name = bytes(self._header[0]).lower()
        if name in self._headers:
            raise _whole("has a part with a header field twice")
        self._headers[name] = bytes(self._header[1]).strip(b" \t")

    def _on_headers_finished(self) -> None:
        self._name = _name_of(self._headers.get(b"content-disposition", b""))
        if self._headers.get(b"content-transfer-encoding", b"binary").lower() not in _UNENCODED:
            raise _whole("has a part with a Content-Transfer-Encoding; send its bytes as they are")
        self._field = self._described.fields.get(self._name)
        self._kept = self._field is not None and self._field.kind != "file"
        written = self._headers.get(b"content-type")
        if self._field is not None and written is not None:
            self._check_type(self._field, written)

    def _check_type(self, field: _Field, written: bytes) -> None:
        try:
            content_type = parse_content_type(written)
        except ProblemError:
            self._wrong(self._name, "has a Content-Type that is none")
            return
        if field.media_types and not (
            {content_type.name, content_type.name.partition("/")[0] + "/*"} & field.media_types
        ):
            self._wrong(self._name, f"must be {' or '.join(sorted(field.media_types))}")
        if self._kept and content_type.parameters.get("charset", "utf-8").lower() not in (
            "utf-8",
            "us-ascii",
        ):
            self._wrong(self._name, "must be in UTF-8")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._kept:
            self._fields_bytes += end - start
            if self._fields_bytes > MAX_FIELDS_BYTES:
                raise ProblemError(
                    "content-too-large",
                    f"The parts that are not files may have {MAX_FIELDS_BYTES} bytes together.",
                )
            self._data.extend(data[start:end])

    def _on_part_end(self) -> None:
        name, field = self._name, self._field
        values = self._values.setdefault(name, [])
        if field is None or field.kind == "file":
            self._unread.add(name)
            values.append("")
            return
        try:
            if field.kind == "json":
                values.append(parse_json(bytes(self._data)))
            else:
                values.append(field.shape.scalar(self._data.decode("utf-8")))
        except ProblemError as error:
            for each in error.problem.errors:
                self._wrong(name, each.detail, each.name)
            self._unread.add(name)
            values.append(None)
        except UnicodeDecodeError:
            self._wrong(name, "is not UTF-8")
            self._unread.add(name)
            values.append(None)

    def _wrong(self, name: str, detail: str, inner: str = "") -> None:
        pointer = f"/{pointer_token(name[:100])}{inner}"
        self._errors.append(FieldError(location="body", name=pointer, detail=detail))


def _field(content_type: str, schema: Any, schemas: Schemas) -> _Field:
    names = frozenset(name.strip().lower() for name in content_type.split(",") if name.strip())
    kind: Literal["text", "json", "file"] = "file"
    if names and all(name == "application/json" or name.endswith("+json") for name in names):
        kind = "json"
    elif names and all(name.startswith("text/") for name in names):
        kind = "text"
    # What OpenAPI implies where nobody said anything is no demand: browsers send what they think a file is.
    implied = names <= {"application/octet-stream", "text/plain"}
    return _Field(kind=kind, shape=shape_of(schema, schemas), media_types=frozenset() if implied else names)


def _name_of(field: bytes) -> str:
    parameters = parse_parameters(field, "form-data")
    if parameters is None or "name" not in parameters or any("*" in name for name in parameters):
        raise _whole("has a part without a proper Content-Disposition: form-data with a name")
    try:
        return parameters["name"].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _whole("has a part whose name is not UTF-8") from error


def _whole(detail: str) -> ProblemError:
    return refusal([FieldError(location="body", name="", detail=detail)])
