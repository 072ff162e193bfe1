"""The corpus service."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any, Final, TypeAlias, final

from fastapi import FastAPI, Header, Path, Query, Request, WebSocket
from fastapi.responses import JSONResponse, Response, StreamingResponse

from dhatu_reference.service import FieldError, ServiceProblem, create_service, refused

from .documents import LANGUAGE_PATTERN, canonical_language
from .intake import receive
from .jobs import Event, Job, Jobs
from .live import answer_newest
from .search import CursorError, SearchPage, SearchRequest, search
from .seed import seed
from .store import MEMORY, Store

_PREFIX: Final = "/api/v1/corpus"
_PREFIX_2: Final = "/api/v2/corpus"
_KEEP_ALIVE_S: Final = 15.0
_SSE_HEADERS: Final = {"Cache-Control": "no-store"}

Id: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Q: TypeAlias = Annotated[str, Query(min_length=1, max_length=512)]
Language: TypeAlias = Annotated[str | None, Query(max_length=35, pattern=LANGUAGE_PATTERN)]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=100)]
Cursor: TypeAlias = Annotated[str | None, Query(min_length=1, max_length=256)]
LastEventId: TypeAlias = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=2**53 - 1)]


def create_app(database: str | None = None) -> FastAPI:
    """The service as an ASGI app, over the SQLite file `database` or the one that CORPUS_DATABASE names.

    With neither, the corpus is kept in memory. Raises `CorpusDatabaseError` where it cannot be opened.
    """
    store = Store(database or os.environ.get("CORPUS_DATABASE") or MEMORY)
    seed(store)
    jobs = Jobs(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        yield
        await jobs.close()
        store.close()

    app = create_service("Corpus", lifespan=lifespan)
    endpoints = _Endpoints(store, jobs)
    for method, path, endpoint in (
        ("POST", "/collect", endpoints.collect),
        ("GET", "/collect/{job_id}", endpoints.get_job),
        ("GET", "/collect/{job_id}/events", endpoints.job_events),
        ("GET", "/search", endpoints.search),
        ("GET", "/stats", endpoints.stats),
        ("GET", "/documents/{id}", endpoints.get_document),
        ("DELETE", "/documents/{id}", endpoints.delete_document),
    ):
        app.add_api_route(_PREFIX + path, endpoint, methods=[method], response_model=None)
    app.add_api_websocket_route(f"{_PREFIX}/search/live", endpoints.search_live)
    app.add_api_route(
        f"{_PREFIX_2}/documents/{{id}}", endpoints.read_document, methods=["GET"], response_model=None
    )
    return app


@final
class _Endpoints:
    def __init__(self, store: Store, jobs: Jobs) -> None:
        self._store = store
        self._jobs = jobs

    async def collect(self, request: Request) -> Response:
        batch, documents_total = await receive(request, self._store)
        job = self._jobs.start(batch, documents_total)
        return JSONResponse(_job_content(job), 202, headers={"Location": f"{_PREFIX}/collect/{job.id}"})

    async def get_job(self, job_id: Id) -> Response:
        return JSONResponse(_job_content(self._job(job_id)))

    async def job_events(self, job_id: Id, last_event_id: LastEventId = None) -> Response:
        job = self._job(job_id)
        events = job.events(last_event_id or 0, keep_alive_s=_KEEP_ALIVE_S)
        return StreamingResponse(
            _server_sent(job, events), media_type="text/event-stream", headers=_SSE_HEADERS
        )

    async def search(
        self, q: Q, language: Language = None, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        request = SearchRequest(
            q=q, language=canonical_language(language or ""), limit=limit, cursor=cursor or ""
        )
        try:
            page = await asyncio.to_thread(search, self._store, request)
        except CursorError as error:
            raise refused([FieldError(location="query", name="cursor", detail=str(error))]) from error
        content = {
            "total": page.total,
            "documents": _documents(page),
            "next_cursor": page.next_cursor or None,
        }
        return JSONResponse(content)

    async def search_live(self, socket: WebSocket, language: Language = None, limit: Limit = 10) -> None:
        canonical = canonical_language(language or "")

        async def find(q: str) -> dict[str, Any]:
            request = SearchRequest(q=q, language=canonical, limit=limit)
            page = await asyncio.to_thread(search, self._store, request)
            return {"total": page.total, "documents": _documents(page)}

        await answer_newest(socket, find)

    async def stats(self) -> Response:
        languages = await asyncio.to_thread(self._store.stats)
        return JSONResponse(
            {
                "documents": sum(language.documents for language in languages),
                "characters": sum(language.characters for language in languages),
                "languages": [asdict(language) for language in languages],
            }
        )

    async def get_document(self, id: Id) -> Response:
        return JSONResponse(await self._document(id))

    async def read_document(self, id: Id) -> Response:
        document = await self._document(id)
        lines = document.pop("text").splitlines()
        document["lines"] = [{"number": number, "text": line} for number, line in enumerate(lines, 1)]
        return JSONResponse(document)

    async def delete_document(self, id: Id) -> Response:
        if not await asyncio.to_thread(self._store.delete, id):
            raise _no_document(id)
        return Response(status_code=204)

    async def _document(self, id: str) -> dict[str, Any]:
        document = await asyncio.to_thread(self._store.get, id)
        if document is None:
            raise _no_document(id)
        return _without_empty(asdict(document), "source")

    def _job(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise ServiceProblem(404, f"No job has the id {job_id}.")
        return job


def _documents(page: SearchPage) -> list[dict[str, Any]]:
    return [_without_empty(asdict(hit), "source") for hit in page.hits]


def _no_document(document_id: str) -> ServiceProblem:
    return ServiceProblem(404, f"No document has the id {document_id}.")


def _job_content(job: Job) -> dict[str, Any]:
    last = job.last
    content: dict[str, Any] = {
        "id": job.id,
        "state": last.state,
        "documents_total": job.documents_total,
        "documents_added": last.documents_added,
        "documents_unchanged": last.documents_unchanged,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "error": last.error,
    }
    return _without_empty(content, "finished_at", "error")


async def _server_sent(job: Job, events: AsyncIterator[Event | None]) -> AsyncIterator[str]:
    """Events as WHATWG's HTML standard, section 9.2, writes them; a comment keeps a quiet connection open."""
    async for event in events:
        if event is None:
            yield ": still working\n\n"
            continue
        content = asdict(event) | {"job_id": job.id, "documents_total": job.documents_total}
        data = json.dumps(_without_empty(content, "error"))
        yield f"id: {event.sequence}\nevent: {'finished' if event.final else 'progress'}\ndata: {data}\n\n"


def _without_empty(content: dict[str, Any], *names: str) -> dict[str, Any]:
    """The content without those of the named members that are empty."""
    return {name: value for name, value in content.items() if name not in names or value}
