"""A gateway that meets its clients with TLS and knows some of them by their certificates."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dhatu_gateway.auth.api_keys import NewKey
from dhatu_gateway.auth.certificates import open_client_certificates
from dhatu_gateway.auth.key_ring import KeySource
from dhatu_gateway.auth.setup import Auth, AuthSettings, open_auth
from dhatu_gateway.auth.stage import build_authenticate, build_authorize
from dhatu_gateway.auth.store.memory import MemoryStore
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.server.tls import ClientCertificates
from dhatu_gateway.core.types import Credential, Route, SecurityScheme
from gateway.auth.support import API_KEY, BEARER, ROLES, SECRET
from gateway.support import Bench, Client, compose, make_route, serving
from gateway.tls.authorities import Files

MTLS = SecurityScheme(key="mtls", kind="mutual_tls", location="header", parameter="")
SCHEMES = (BEARER, API_KEY, MTLS)
INDEXER = "URI:spiffe://example.org/indexer"
READER = "DNS:reader.internal"
KNOWN = [
    {"san": INDEXER, "name": "indexer", "roles": ["editor"]},
    {"san": READER, "name": "reader", "scopes": ["corpus:read"]},
]


def mtls(*scopes: str) -> Credential:
    return Credential(scheme="mtls", scopes=scopes)


READ = make_route(path="/read", security=((mtls("corpus:read"),),))
WRITE = make_route(path="/write", security=((mtls("corpus:write"),),))
EDIT = make_route(path="/edit", security=((mtls(),),), roles=("editor",))
EITHER = make_route(
    path="/either", security=((Credential(scheme="apiKey", scopes=("corpus:read",)),), (mtls("corpus:read"),))
)
BOTH = make_route(path="/both", security=((mtls(), Credential(scheme="apiKey", scopes=())),))
OPEN = make_route(path="/open")
ROUTES = (READ, WRITE, EDIT, EITHER, BOTH, OPEN)


@dataclass
class Ahead:
    """Clocks that go on as far as a test says."""

    ahead_s: float = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s

    def wall(self) -> float:
        return time.time() + self.ahead_s


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The gateway that is knocked at."""

    client: Client
    bench: Bench
    auth: Auth
    files: Files
    clock: Ahead

    async def status(self, path: str, pem: bytes | None, **headers: str) -> int:
        return (await self.ask(path, pem, **headers))[0]

    async def ask(self, path: str, pem: bytes | None, **headers: str) -> tuple[int, Any]:
        """Ask once, on a connection of its own."""
        fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        async with self.client.connect(self.files.caller(pem)) as wire:
            await wire.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
            reply = await wire.reply()
        return reply.status, reply.json

    async def key(self, *scopes: str) -> str:
        new = NewKey(name="test", owner="test", scopes=frozenset(scopes), roles=frozenset())
        return (await self.auth.keys.create(new, actor="test", now_s=self.auth.wall_clock()))[1]


def known_in(folder: Path, entries: list[dict[str, Any]] | None = None) -> Path:
    """Write whom certificates stand for."""
    path = folder / "known.json"
    path.write_text(json.dumps({"certificates": KNOWN if entries is None else entries}))
    return path


@contextlib.asynccontextmanager
async def gate(
    files: Files,
    mode: ClientCertificates = "optional",
    *,
    routes: tuple[Route, ...] = ROUTES,
    crl: Path | None = None,
) -> AsyncGenerator[Gate]:
    """Serve some operations that ask for a certificate."""
    clock = Ahead()
    settings = AuthSettings(keys=(KeySource(text=SECRET),), roles=ROLES)
    auth = await open_auth(settings, MemoryStore(), wall_clock=clock.wall)
    certificates = open_client_certificates(
        known_in(files.folder), auth.roles, wall_clock=clock.wall, clock=clock.monotonic
    )
    policies = Policies(
        authenticate=lambda route: build_authenticate(route, SCHEMES, auth.authenticator, certificates),
        authorize=build_authorize,
        rate_limit=lambda route: None,
    )
    bench = compose(*routes, policies=policies, clock=clock.monotonic)
    async with serving(bench.edge, tls=files.tls(mode, crl).context(clock.monotonic)) as client:
        yield Gate(client=client, bench=bench, auth=auth, files=files, clock=clock)
