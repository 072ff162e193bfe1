"""The dashboard service."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias, final

import httpx
from fastapi import FastAPI, Query
from fastapi.responses import Response
from pydantic import BaseModel

from dhatu_reference.service import create_service

from .models import GroupBy
from .probes import Probes
from .reports import Now, overview, topology, usage
from .settings import DashboardSettings, settings_from

_PREFIX: Final = "/api/v1/dashboard"

Service: TypeAlias = Annotated[str | None, Query(min_length=1, max_length=100, pattern="^[a-z][a-z0-9_-]*$")]


def create_app(
    settings: DashboardSettings | None = None,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Now = lambda: datetime.now(UTC),
) -> FastAPI:
    """The service as an ASGI app; the environment says where the platform is unless `settings` do.

    `transport` and `now` stand in for the network and the clock. Raises `DashboardSettingsError`.
    """
    resolved = settings or settings_from(os.environ)
    # trust_env: the platform's own parts are never behind the proxy that the environment may name
    client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=None)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        async with client:
            yield

    app = create_service("Dashboard", lifespan=lifespan)
    endpoints = _Endpoints(Probes(client, resolved), now)
    for path, endpoint in (
        ("/overview", endpoints.overview),
        ("/usage", endpoints.usage),
        ("/topology", endpoints.topology),
    ):
        app.add_api_route(_PREFIX + path, endpoint, methods=["GET"], response_model=None)
    return app


@final
class _Endpoints:
    def __init__(self, probes: Probes, now: Now) -> None:
        self._probes = probes
        self._now = now

    async def overview(self) -> Response:
        return _json(await overview(self._probes, self._now))

    async def usage(self, group_by: GroupBy = "operation", service: Service = None) -> Response:
        return _json(await usage(self._probes, self._now, group_by=group_by, service=service))

    async def topology(self) -> Response:
        return _json(await topology(self._probes, self._now))


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")
