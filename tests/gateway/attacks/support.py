"""A gateway that notes what gets past its server, and the requests of an attacker."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from dhatu_gateway.core.exchange import Receive, Scope, Send
from dhatu_gateway.core.server.limits import ServerLimits
from dhatu_gateway.core.types import Body, MediaType
from gateway.support import Bench, Client, compose, make_route, serving, validate

ANY = Body(required=False, media_types=(MediaType(media_type="*/*", schema="", kind="stream", parts=()),))
GET = make_route()
POST = make_route("POST", body=ANY, validate=validate("off"))
SMUGGLED = b"GET /api/v1/things?smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is attacked."""

    client: Client
    bench: Bench
    seen: list[Scope]
    """Every request that has become one."""

    @property
    def smuggled(self) -> bool:
        """Whether what was hidden in another request has become one of its own."""
        return any(scope["query_string"] == b"smuggled" for scope in self.seen)


@contextlib.asynccontextmanager
async def attacked(limits: ServerLimits | None = None) -> AsyncGenerator[Target]:
    """Serve two operations on a real socket."""
    bench, seen = compose(GET, POST), list[Scope]()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await bench.edge(scope, receive, send)

    async with serving(application, limits) as client:
        yield Target(client=client, bench=bench, seen=seen)


def post(*fields: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """Write a POST with exactly these fields beside Host."""
    lines = b"".join(b"%b\r\n" % field for field in (b"Host: a", *fields))
    return b"POST /api/v1/things HTTP/%b\r\n%b\r\n%b" % (version, lines, body)
