"""`mutualTLS` of a document comes through to a gateway that enforces it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from codegen.project import Project
from codegen.test_gateway_target import files as rendered
from codegen.test_gateway_target import tables
from dhatu_gateway.app import Gateway, Table, generated_table, open_edge
from dhatu_gateway.core.types import Platform
from dhatu_gateway.settings import read_settings
from gateway.support import Client, head, serving
from gateway.tls.authorities import Files, Leaf
from gateway.tls.support import known_in

PLATFORM = """\
info: {title: Test API, version: 1.0.0}
header_prefix: X-Dhatu-
versions: {v1: {state: current}}
services:
  things:
    spec: services/things.yaml
    upstream: {env: THINGS_SERVICE_URL, default: "http://127.0.0.1:1"}
roles:
  reader: {description: Reads., scopes: ["things:read"]}
"""
SPEC = """\
paths:
  /api/v1/things:
    get:
      operationId: read
      tags: [things]
      summary: S
      description: D
      security: [{mtls: ["things:read"]}]
      responses: {"200": {description: A}, default: {description: B}}
components:
  securitySchemes:
    mtls: {type: mutualTLS}
"""
CALLERS = [
    {"san": "DNS:reader.internal", "name": "reader", "roles": ["reader"]},
    {"san": "DNS:other.internal", "name": "other", "scopes": []},
]


def table(project: Project) -> Table:
    project.service("things", SPEC)
    (project.root / "spec" / "platform.yaml").write_text(PLATFORM)
    made = rendered(project.api())
    names, whole = tables(made["routes.py"]), generated_table()
    own: Platform = names["PLATFORM"]
    # The gateway's own operations have to be there, with what they ask for.
    return Table(
        platform=replace(own, security_schemes=own.security_schemes + whole.platform.security_schemes),
        routes=names["ROUTES"] + tuple(route for route in whole.routes if route.service == "system"),
        document=whole.document
        | {"paths": whole.document["paths"] | json.loads(made["openapi.json"])["paths"]},
    )


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer once, with who is said to call."""
    fields = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    caller = next(field for field in fields if field.startswith("x-dhatu-principal: ")).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(caller), caller)
    )
    writer.close()


async def ask(client: Client, at: Files, *sans: str) -> tuple[int, bytes]:
    pem = at.clients.issue(Leaf(sans=sans)) if sans else None
    async with client.connect(at.caller(pem)) as wire:
        await wire.write(head("GET", "/api/v1/things"))
        reply = await wire.reply()
    return reply.status, reply.body


async def test_mutual_tls_of_a_document_is_enforced(project: Project, tmp_path: Path) -> None:
    made, at = table(project), Files(tmp_path)
    service = await asyncio.start_server(answer, "127.0.0.1", 0)
    environment = {
        "GATEWAY_DEMO": "1",
        "GATEWAY_DATABASE": str(tmp_path / "keys.sqlite3"),
        "GATEWAY_TLS_CERTIFICATE_FILE": str(at.certificate),
        "GATEWAY_CLIENT_CA_FILE": str(at.client_ca),
        "GATEWAY_CLIENT_CERTIFICATES": "optional",
        "CLIENT_CERTIFICATES_FILE": str(known_in(tmp_path, CALLERS)),
        "THINGS_SERVICE_URL": f"http://127.0.0.1:{service.sockets[0].getsockname()[1]}",
    }
    settings = read_settings(environment, made.platform.services)
    tls = Gateway(settings, made).tls
    async with service, open_edge(settings, made, tls=tls) as edge, serving(edge, tls=tls) as client:
        assert await ask(client, at, "DNS:reader.internal") == (200, b"x-dhatu-principal: cert:reader")
        assert (await ask(client, at, "DNS:other.internal"))[0] == 403
        assert (await ask(client, at, "DNS:unknown.internal"))[0] == 401
        assert (await ask(client, at))[0] == 401
