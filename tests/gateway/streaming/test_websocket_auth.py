"""The whole gateway before a WebSocket: who may open one is asked as for every other call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dhatu_gateway.app import open_edge
from dhatu_gateway.core.types import Credential, WebSocket
from gateway.core.test_app import TABLE, key_in, settings_in
from gateway.streaming.support import socket_service
from gateway.support import make_route, serving
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidStatus

ROUTE = make_route(
    path="/api/v1/rooms/lobby",
    service="compression",
    security=((Credential(scheme="apiKey", scopes=("compression:use",)),),),
    websocket=WebSocket(idle_s=30.0),
)


async def test_a_socket_is_opened_by_a_key_that_its_service_never_sees(tmp_path: Path) -> None:
    async def greeting(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen = socket.request.headers
        await socket.send(f"{seen['X-Dhatu-Principal']} {seen.get('X-API-Key')} {seen.get('Authorization')}")

    table = replace(TABLE, routes=(*TABLE.routes, ROUTE))
    async with socket_service(greeting) as service:
        settings = settings_in(tmp_path, COMPRESSION_SERVICE_URL=f"http://{service.authority}")
        async with open_edge(settings, table) as edge, serving(edge) as client:
            url = f"ws://127.0.0.1:{client.port}{ROUTE.path}"
            for headers in ({}, {"X-API-Key": "nobody"}):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(url, additional_headers=headers, proxy=None)
                assert refused.value.response.status_code == 401
            key = await key_in(tmp_path)
            async with connect(url, additional_headers={"X-API-Key": key}, proxy=None) as socket:
                principal, *secrets = str(await socket.recv()).split()
            metrics = await client.request("GET", "/api/v1/metrics", headers={"X-API-Key": key})
            assert (
                b'operation="GET /api/v1/rooms/lobby",service="compression",status="101"} 1.0' in metrics.body
            )
            assert principal.startswith("key:")
            assert secrets == ["None", "None"]
