"""The compression service."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, TypeAlias, final

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dhatu_reference.service import (
    FieldError,
    ServiceProblem,
    create_service,
    media_type,
    problem_response,
    read_model,
    refused,
)

from .decoders import (
    RECOGNISED_BYTES,
    CorruptDataError,
    Decoder,
    LimitedDecoder,
    OutputTooLargeError,
    decompress,
    new_decoder,
    recognise,
)
from .duplex import first_bytes, transformed
from .encoders import ALGORITHMS, Algorithm, Encoder, compress, new_encoder, own_level
from .measure import Measurement, ratio

Choice: TypeAlias = Literal["auto", "zstd", "brotli", "gzip", "lzma"]
ChoiceQuery: TypeAlias = Annotated[Choice, Query()]
LevelQuery: TypeAlias = Annotated[int | None, Query(ge=1, le=9)]

MAX_BODY_BYTES: Final = 64 << 20
_ALGORITHM_HEADER: Final = "X-Dhatu-Algorithm"
_JSON: Final = "application/json"
_BYTES: Final = "application/octet-stream"


class TextInput(BaseModel):
    """Text to work on."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=16_777_216)]


class CompressedInput(BaseModel):
    """Compressed text in base64."""

    model_config = ConfigDict(extra="forbid")

    data: Annotated[str, Field(max_length=33_554_432)]


def create_app() -> FastAPI:
    """The service as an ASGI app."""
    app = create_service("Compression")
    app.add_exception_handler(CorruptDataError, _on_corrupt_data)
    app.add_exception_handler(OutputTooLargeError, _on_output_too_large)
    app.add_api_route("/api/v1/compress", _compress, methods=["POST"], response_model=None)
    app.add_api_route("/api/v1/decompress", _decompress, methods=["POST"], response_model=None)
    app.add_api_route("/api/v1/analyze", _analyze, methods=["POST"], response_model=None)
    return app


async def _compress(request: Request, algorithm: ChoiceQuery = "auto", level: LevelQuery = None) -> Response:
    match media_type(request):
        case "application/json":
            body = await read_model(request, TextInput, max_bytes=MAX_BODY_BYTES)
            return await _compress_text(body.text, algorithm, level)
        case "application/octet-stream":
            chosen: Algorithm = "zstd" if algorithm == "auto" else algorithm
            encoder = new_encoder(chosen, own_level(chosen, level))
            return await transformed(request.stream(), _Encoding(encoder), {_ALGORITHM_HEADER: chosen})
        case _:
            raise _unsupported()


async def _compress_text(text: str, choice: Choice, level: int | None) -> Response:
    original = text.encode()
    tried = ALGORITHMS if choice == "auto" else (choice,)
    results = await asyncio.gather(
        *(
            asyncio.to_thread(compress, algorithm, own_level(algorithm, level), original)
            for algorithm in tried
        )
    )
    algorithm, compressed = min(zip(tried, results, strict=True), key=lambda pair: len(pair[1]))
    content = {
        "algorithm": algorithm,
        "data": b64encode(compressed).decode("ascii"),
        "original_bytes": len(original),
        "compressed_bytes": len(compressed),
        "ratio": ratio(len(original), len(compressed)),
    }
    return await _json(content, {_ALGORITHM_HEADER: algorithm})


async def _decompress(request: Request, algorithm: ChoiceQuery = "auto") -> Response:
    match media_type(request):
        case "application/json":
            body = await read_model(request, CompressedInput, max_bytes=MAX_BODY_BYTES)
            return await _decompress_text(body.data, algorithm)
        case "application/octet-stream":
            head, source = await first_bytes(request, RECOGNISED_BYTES)
            chosen = recognise(head) if algorithm == "auto" else algorithm
            decoding = _Decoding(LimitedDecoder(new_decoder(chosen)))
            return await transformed(source, decoding, {_ALGORITHM_HEADER: chosen})
        case _:
            raise _unsupported()


async def _decompress_text(data: str, choice: Choice) -> Response:
    try:
        compressed = a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise refused(
            [FieldError(location="body", name="/data", detail=f"is not base64: {error}")]
        ) from error
    algorithm = recognise(compressed) if choice == "auto" else choice
    original = await asyncio.to_thread(decompress, algorithm, compressed)
    try:
        text = original.decode()
    except UnicodeDecodeError as error:
        detail = "The data decompresses to bytes that are not UTF-8; send them as application/octet-stream."
        raise ServiceProblem(400, detail) from error
    content = {
        "algorithm": algorithm,
        "text": text,
        "original_bytes": len(original),
        "compressed_bytes": len(compressed),
    }
    return await _json(content, {_ALGORITHM_HEADER: algorithm})


async def _analyze(request: Request) -> Response:
    measurement = Measurement()
    match media_type(request):
        case "application/json":
            body = await read_model(request, TextInput, max_bytes=MAX_BODY_BYTES)
            await measurement.add(body.text.encode())
        case "application/octet-stream":
            async for data in request.stream():
                await measurement.add(data)
        case _:
            raise _unsupported()
    return await _json(asdict(await measurement.finish()))


async def _json(content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    # A decompressed text may have 256 MiB: too much to escape on the event loop.
    return await asyncio.to_thread(JSONResponse, content, headers=headers)


async def _on_corrupt_data(request: Request, error: Exception) -> Response:
    return problem_response(request, ServiceProblem(400, str(error)))


async def _on_output_too_large(request: Request, error: Exception) -> Response:
    return problem_response(request, ServiceProblem(413, str(error)))


def _unsupported() -> ServiceProblem:
    return ServiceProblem(415, f"Send {_JSON} or {_BYTES}.")


@final
class _Encoding:
    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._encoder.encode(data)

    def finish(self) -> Iterator[bytes]:
        yield self._encoder.finish()


@final
class _Decoding:
    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def feed(self, data: bytes) -> Iterator[bytes]:
        return self._decoder.decode(data)

    def finish(self) -> Iterator[bytes]:
        self._decoder.finish()
        return iter(())
