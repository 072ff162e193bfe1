"""Receiving documents: as JSON, as JSON Lines, or as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import PurePath
from secrets import token_hex
from typing import Final, final

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from dhatu_reference.service import (
    FieldError,
    ServiceProblem,
    field_errors,
    limited,
    media_type,
    read_model,
    refused,
)

from .documents import UNDETERMINED, CollectRequest, DocumentInput
from .store import Store

MAX_BODY_BYTES: Final = 32 << 20
_MAX_LINE_BYTES: Final = 8 << 20
_STAGED_AT_ONCE: Final = 200
_READ_BYTES: Final = 64 << 10
_JSONL: Final = "application/jsonl"
_FORM_FIELDS: Final = frozenset({"file", "language", "title"})


async def receive(request: Request, store: Store) -> tuple[str, int]:
    """Stage the documents of a request: under which batch, and how many; all of them, or `ServiceProblem`."""
    staging = _Staging(store)
    try:
        match media_type(request):
            case "application/json":
                body = await read_model(request, CollectRequest, max_bytes=MAX_BODY_BYTES)
                await staging.add(body.documents)
            case "application/jsonl":
                await _receive_lines(limited(request, max_bytes=MAX_BODY_BYTES).stream(), staging)
            case "multipart/form-data":
                await _receive_upload(limited(request, max_bytes=MAX_BODY_BYTES), staging)
            case _:
                raise ServiceProblem(415, "Send application/json, application/jsonl or multipart/form-data.")
        if not staging.documents:
            raise ServiceProblem(400, "The body holds no document; send at least one.")
    except BaseException:
        await staging.discard()
        raise
    return staging.batch, staging.documents


@final
class _Staging:
    """Counts what is put aside for one job."""

    def __init__(self, store: Store) -> None:
        self.batch = token_hex(8)
        self.documents = 0
        self._store = store

    async def add(self, documents: list[DocumentInput]) -> None:
        await asyncio.to_thread(self._store.stage, self.batch, documents)
        self.documents += len(documents)

    async def discard(self) -> None:
        await asyncio.shield(asyncio.to_thread(self._store.discard_staged, self.batch))


async def _receive_lines(chunks: AsyncIterator[bytes], staging: _Staging) -> None:
    documents: list[DocumentInput] = []
    splitter = _LineSplitter()
    async for chunk in chunks:
        for number, line in splitter.feed(chunk):
            documents.append(_parse_line(number, line))
            if len(documents) == _STAGED_AT_ONCE:
                await staging.add(documents)
                documents = []
    documents.extend(_parse_line(number, line) for number, line in splitter.finish())
    await staging.add(documents)


@final
class _LineSplitter:
    """Lines with their numbers, from 1; empty ones are counted and left out."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        head, *lines = chunk.split(b"\n")
        self._rest += head
        for line in lines:
            yield from self._line()
            self._rest = bytearray(line)
        self._check()

    def finish(self) -> Iterator[tuple[int, bytes]]:
        yield from self._line()

    def _line(self) -> Iterator[tuple[int, bytes]]:
        self._number += 1
        self._check(self._number)
        line = bytes(self._rest).strip()
        if self._number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line:
            yield self._number, line
        self._rest.clear()

    def _check(self, number: int = 0) -> None:
        if len(self._rest) > _MAX_LINE_BYTES:
            raise ServiceProblem(
                400, f"Line {number or self._number + 1} has more than {_MAX_LINE_BYTES} bytes."
            )


def _parse_line(number: int, line: bytes) -> DocumentInput:
    try:
        return DocumentInput.model_validate_json(line)
    except ValidationError as error:
        errors = field_errors(error)
        for item in errors:
            item["detail"] = f"line {number}: {item['detail']}"
        raise ServiceProblem(400, f"Line {number} was refused; see errors.", errors=errors) from error


async def _receive_upload(request: Request, staging: _Staging) -> None:
    async with request.form(max_files=1, max_fields=len(_FORM_FIELDS)) as form:
        fields = dict(form.multi_items())
        if unknown := sorted(fields.keys() - _FORM_FIELDS):
            raise refused(
                [FieldError(location="body", name=f"/{name}", detail="is not known here") for name in unknown]
            )
        file = fields.get("file")
        if file is None:
            raise refused([FieldError(location="body", name="/file", detail="is required")])
        if isinstance(file, UploadFile) and _holds_lines(file):
            await _receive_lines(_chunks(file), staging)
        else:
            await staging.add([await _text_document(file, fields)])


def _holds_lines(file: UploadFile) -> bool:
    content_type = (file.content_type or "").partition(";")[0].strip().lower()
    return content_type == _JSONL or (file.filename or "").lower().endswith(".jsonl")


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_READ_BYTES):
        yield chunk


async def _text_document(file: UploadFile | str, fields: dict[str, UploadFile | str]) -> DocumentInput:
    name = ""
    if isinstance(file, UploadFile):
        name = PurePath(file.filename or "").stem
        try:
            text = (await file.read()).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            detail = f"is not UTF-8: {error.reason} at byte {error.start}"
            raise refused([FieldError(location="body", name="/file", detail=detail)]) from error
    else:
        text = file
    values = {
        "text": text,
        "title": fields.get("title", name or "Untitled"),
        "language": fields.get("language", UNDETERMINED),
    }
    try:
        return DocumentInput.model_validate(values)
    except ValidationError as error:
        errors = field_errors(error)
        for item in errors:
            if item["name"] == "/text":
                item["name"] = "/file"
        raise refused(errors) from error
