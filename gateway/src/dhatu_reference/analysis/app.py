"""The analysis service."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Final, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ValidationError

from dhatu_reference.service import (
    FieldError,
    ServiceProblem,
    create_service,
    field_errors,
    limited,
    media_type,
    refused,
)

from .detect import detect
from .insights import by_score, insights, summary
from .models import (
    Insight,
    InsightFound,
    InsightQuery,
    InsightReport,
    InsightsDone,
    PatternQuery,
    PictureFormat,
    PictureQuery,
)
from .picture import Picture, draw
from .texts import Texts

Model = TypeVar("Model", bound=BaseModel)

_MAX_BODY_BYTES: Final = 4 * 1024 * 1024
_MEDIA_TYPES: Final[dict[PictureFormat, str]] = {"svg": "image/svg+xml", "png": "image/png"}
_UNION_BRANCH: Final = re.compile(r"^(/patterns/\d+)/(?:repeat|ngram|dhatu)(?=/|$)")


def create_app() -> FastAPI:
    """The service as an ASGI app."""
    app = create_service("Analysis")
    for path, endpoint in (
        ("/api/v1/patterns/detect", detect_patterns),
        ("/api/v1/patterns/visualize", visualize_patterns),
        ("/api/v1/insights/generate", generate_insights),
    ):
        app.add_api_route(path, endpoint, methods=["POST"], response_model=None)
    return app


async def detect_patterns(request: Request) -> Response:
    """Finds patterns; in a thread, since a long text takes about a second."""
    query = await _read(request, PatternQuery)
    report = await asyncio.to_thread(detect, Texts(documents=query.text), query)
    return _json(report)


async def visualize_patterns(request: Request) -> Response:
    """Draws patterns."""
    query = await _read(request, PictureQuery)
    if query.text is None and query.patterns is None:
        raise refused(
            [FieldError(location="body", name="/text", detail="is required where patterns is absent")]
        )
    content = await asyncio.to_thread(_picture, query)
    return Response(content, media_type=_MEDIA_TYPES[query.format])


async def generate_insights(request: Request) -> Response:
    """Reports what is remarkable, at once or as events."""
    query = await _read(request, InsightQuery)
    texts = Texts(documents=query.text)
    found = insights(texts, query.kinds)
    if _wants_events(request):
        return StreamingResponse(
            _events(texts, found), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )
    return _json(await asyncio.to_thread(_report, texts, found))


def _picture(query: PictureQuery) -> bytes:
    texts = Texts(documents=query.text or ())
    patterns = query.patterns
    if patterns is None:
        patterns = detect(texts, PatternQuery(text=texts.documents, limit=query.limit)).patterns
    shown = [
        pattern
        for kind in ("repeat", "ngram", "dhatu")
        for pattern in [pattern for pattern in patterns if pattern.kind == kind][: query.limit]
    ]
    picture = Picture(
        patterns=shown,
        document_sizes=[len(document) for document in texts.documents],
        title=query.title or "Patterns",
        format=query.format,
    )
    return draw(picture)


def _report(texts: Texts, found: Iterator[Insight]) -> InsightReport:
    ranked = by_score(found)
    return InsightReport(
        summary=summary(texts, ranked),
        insights=ranked,
        documents=len(texts.documents),
        characters=texts.characters,
        tokens=len(texts.tokens),
    )


async def _events(texts: Texts, found: Iterator[Insight]) -> AsyncIterator[bytes]:
    sent: list[Insight] = []
    while (insight := await asyncio.to_thread(next, found, None)) is not None:
        sent.append(insight)
        yield _event(InsightFound(insight=insight))
    yield _event(
        InsightsDone(
            summary=summary(texts, sent),
            insights=len(sent),
            documents=len(texts.documents),
            characters=texts.characters,
            tokens=len(texts.tokens),
        )
    )


def _event(item: InsightFound | InsightsDone) -> bytes:
    return f"event: {item.event}\ndata: {item.model_dump_json()}\n\n".encode()


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


def _wants_events(request: Request) -> bool:
    """Whether Accept ranks text/event-stream above application/json (RFC 9110, section 12.5.1)."""
    accept = request.headers.get("accept", "*/*")
    return _quality(accept, "text/event-stream") > _quality(accept, "application/json")


def _quality(accept: str, offered: str) -> float:
    best = (-1, 0.0)  # how precisely a range names the offered type, and its quality
    ranges = {offered: 2, offered.partition("/")[0] + "/*": 1, "*/*": 0}
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name in ranges:
            weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
            best = max(
                best, (ranges[name], float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0)
            )
    return best[1]


async def _read(request: Request, model: type[Model]) -> Model:
    if media_type(request) != "application/json":
        raise ServiceProblem(415, "Send application/json.")
    body = await limited(request, max_bytes=_MAX_BODY_BYTES).body()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise refused([_without_branch(item) for item in field_errors(error)]) from error


def _without_branch(error: FieldError) -> FieldError:
    """pydantic puts the chosen branch of a union into the path; what was sent has no such member."""
    return FieldError(
        location=error["location"], name=_UNION_BRANCH.sub(r"\1", error["name"]), detail=error["detail"]
    )
