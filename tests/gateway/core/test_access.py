"""A proof of coverage: who gets through to each operation, as the document says, over real sockets.

The cases are made of the merged document, not of the gateway's table. Every operation is called without a
credential, with everything but each thing that it asks for, and with exactly enough, in each way that it
allows. The same is proved for a table in which every protected operation asks for a role too.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from dhatu_gateway.app import Table, generated_table, open_edge
from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.store.sqlite import SqliteStore
from dhatu_gateway.core.exchange import Principal
from dhatu_gateway.core.types import Credential
from dhatu_gateway.settings import read_settings
from gateway.streaming.support import HANDSHAKE
from gateway.support import Client, serving

METHODS = {"get", "put", "post", "delete", "patch", "query"}
REFUSED = (401, 403)
HOLE = re.compile(r"\{[^{}]*\}")
ROLE = "auditor"
SERVED = b'{"served": true}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to be let in: credentials, and the scopes that each must have."""

    needs: tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An operation, and who may call it."""

    method: str
    path: str
    ways: tuple[Way, ...]
    roles: frozenset[str]
    opens: bool
    """It is a WebSocket."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def cases(document: dict[str, Any]) -> Iterator[Case]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method not in METHODS:
                continue
            yield Case(
                method=method.upper(),
                path=HOLE.sub("7hNq2LxWcB4d", path),
                ways=tuple(
                    Way(needs=tuple((scheme, frozenset(scopes)) for scheme, scopes in needs.items()))
                    for needs in operation["security"]
                ),
                roles=frozenset(operation.get("x-dhatu", {}).get("roles", ())),
                opens="101" in operation["responses"],
            )


def with_roles(table: Table) -> Table:
    """The table, in which whatever is protected asks for a role too."""
    document: dict[str, Any] = json.loads(json.dumps(table.document))
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in METHODS and operation["security"]:
                operation.setdefault("x-dhatu", {})["roles"] = [ROLE]
    routes = tuple(replace(route, roles=(ROLE,)) if route.security else route for route in table.routes)
    return replace(table, document=document, routes=routes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gateway with something that answers behind it, and what makes credentials for it."""

    client: Client
    auth: Auth

    async def call(self, case: Case, headers: dict[str, str]) -> int:
        fields = HANDSHAKE | headers if case.opens else headers
        return (await self.client.request(case.method, case.path, headers=fields)).status

    async def credentials(
        self, way: Way, roles: frozenset[str], *, less: str = "", more: frozenset[str] = frozenset()
    ) -> dict[str, str]:
        """Headers of one way; `less` is a scope that is left out, `more` are scopes that it does not need."""
        headers: dict[str, str] = {}
        for scheme, scopes in way.needs:
            held = (scopes | more) - {less}
            now_s = self.auth.wall_clock()
            if scheme == "apiKey":
                new = NewKey(name="proof", owner="test", scopes=held, roles=roles)
                _, headers["X-API-Key"] = await self.auth.keys.create(new, actor="test", now_s=now_s)
            else:
                assert scheme == "bearer", f"this proof knows no {scheme}"
                principal = Principal(id="user:proof", kind="user", scopes=held, roles=roles)
                pair = await self.auth.tokens.issue(principal, now_s=now_s)
                headers["Authorization"] = f"Bearer {pair.access_token}"
        return headers


async def serve_anything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request on a connection."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            fields = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(SERVED)
            writer.write(b"HTTP/1.1 200 OK\r\n" + fields + SERVED)
    except asyncio.IncompleteReadError:
        writer.close()


@asynccontextmanager
async def gate(directory: Path, table: Table) -> AsyncGenerator[Gate]:
    service = await asyncio.start_server(serve_anything, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{service.sockets[0].getsockname()[1]}"
    environment = {one.url_variable: url for one in table.platform.services if one.url_variable}
    database = directory / "keys.sqlite3"
    environment |= {"GATEWAY_DATABASE": str(database), "GATEWAY_DEMO": "1"}
    settings = read_settings(environment, table.platform.services)
    async with service, open_edge(settings, table) as edge, serving(edge) as client:
        auth = await open_auth(AuthSettings(keys=settings.jwt_keys), SqliteStore(database))
        yield Gate(client=client, auth=auth)
        await auth.close()


async def complaints(gate: Gate, case: Case, every_scope: frozenset[str]) -> AsyncGenerator[str]:
    """Everything that the gateway does otherwise than the document says."""
    anonymous = await gate.call(case, {})
    if not case.ways:
        if anonymous in REFUSED:
            yield f"{case}: anybody may call, but {anonymous} without a credential"
        return
    if anonymous != 401:
        yield f"{case}: {anonymous} without a credential"
    for way in case.ways:
        named = " and ".join(scheme for scheme, _ in way.needs)
        enough = await gate.call(case, await gate.credentials(way, case.roles))
        if enough in REFUSED:
            yield f"{case}: {enough} by {named} with exactly enough"
        for scope in sorted(frozenset().union(*(scopes for _, scopes in way.needs))):
            headers = await gate.credentials(way, case.roles, less=scope, more=every_scope)
            if (status := await gate.call(case, headers)) != 403:
                yield f"{case}: {status} by {named} with everything but {scope}"
        if case.roles:
            headers = await gate.credentials(way, frozenset({"admin", "auditors"}), more=every_scope)
            if (status := await gate.call(case, headers)) != 403:
                yield f"{case}: {status} by {named} with every scope and another role"
        for scheme, _ in way.needs:
            headers = await gate.credentials(way, case.roles)
            header = "X-API-Key" if scheme == "apiKey" else "Authorization"
            spoiled = headers | {header: headers[header][:-1] + ("A" if headers[header][-1] != "A" else "B")}
            if (status := await gate.call(case, spoiled)) != 401:
                yield f"{case}: {status} by {named} with a spoiled {header}"


@pytest.mark.parametrize("table", [generated_table(), with_roles(generated_table())], ids=["spec", "roles"])
async def test_every_operation_lets_in_exactly_whom_the_document_says(table: Table, tmp_path: Path) -> None:
    every_scope = frozenset(scope for scope, _ in table.platform.scopes)
    proved = list(cases(table.document))
    assert len(proved) == len(table.routes)
    assert len([case for case in proved if case.ways]) == len([r for r in table.routes if r.security]) > 10
    async with gate(tmp_path, table) as opened:
        found = [text for case in proved async for text in complaints(opened, case, every_scope)]
    assert found == []


async def test_the_proof_fails_where_the_table_lets_too_many_in(tmp_path: Path) -> None:
    table = generated_table()
    open_door = {"corpus.search": (), "corpus.stats": ((Credential(scheme="bearer", scopes=()),),)}
    routes = tuple(
        replace(route, security=open_door.get(route.operation, route.security)) for route in table.routes
    )
    async with gate(tmp_path, replace(table, routes=routes)) as opened:
        every_scope = frozenset(scope for scope, _ in table.platform.scopes)
        found = [
            text
            for case in cases(table.document)
            if case.path in ("/api/v1/corpus/search", "/api/v1/corpus/stats")
            async for text in complaints(opened, case, every_scope)
        ]
    assert any("search: 400 without a credential" in text or "search: 200 without" in text for text in found)
    assert any("stats: 200 by bearer with everything but corpus:read" in text for text in found)
