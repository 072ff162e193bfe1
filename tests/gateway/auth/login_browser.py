"""A browser that signs in at a provider by way of a running gateway."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trustme
from dhatu_gateway.app import generated_table, open_edge
from dhatu_gateway.auth.login.party import challenge_of
from dhatu_gateway.settings import read_settings
from gateway.auth.login_provider import CLIENT_ID, CLIENT_SECRET, Provider, query_of, running_provider
from gateway.support import Client, Reply, serving

WHOLE = generated_table()
TABLE = replace(WHOLE, routes=tuple(route for route in WHOLE.routes if route.service == "system"))
"""What the gateway answers itself; composing the rest would take most of the tests' time."""
ORIGIN = "http://127.0.0.1:8000"
"""Where browsers find the gateway; loopback, so that cookies need no TLS."""
PAGE = "https://app.example.com/signed-in"
VERIFIER = "the page's own secret, which has 43 letters"
PAGE_QUERY = f"return_to={PAGE}&code_challenge={challenge_of(VERIFIER)}"
SECRET = "a secret of at least thirty-two bytes"
AUTHORITY = trustme.CA().cert_pem.bytes()
"""Reading one certificate takes a hundredth of what reading all public ones does."""
_addresses = itertools.count(1)


@dataclass
class Browser:
    """Keeps cookies; comes from an address of its own with every request, so that no limit is met."""

    client: Client
    provider: Provider
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, target: str) -> Reply:
        headers = {"X-Forwarded-For": f"10.0.{(number := next(_addresses)) // 250}.{number % 250}"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = await self.client.request("GET", target, headers=headers)
        if "set-cookie" in reply.headers:
            name, _, rest = reply.headers["set-cookie"].partition("=")
            value = rest.partition(";")[0]
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return reply

    async def begin(self, query: str = PAGE_QUERY, *, at: str = "corp") -> dict[str, str]:
        """Begin a login; what the gateway asks of the provider."""
        reply = await self.get(f"/api/v1/auth/login/{at}?{query}")
        assert reply.status == 302, reply.body
        assert reply.headers["location"].startswith(f"{self.provider.issuer}/authorize?")
        return query_of(reply.headers["location"])

    async def come_back(self, asked: dict[str, str]) -> Reply:
        """Sign in, and follow the provider's redirect."""
        return await self.get(self.provider.authorize(asked).removeprefix(ORIGIN))

    async def sign_in(self, query: str = PAGE_QUERY) -> dict[str, str]:
        """A whole login of a page; the query that it ends with."""
        reply = await self.come_back(await self.begin(query))
        assert reply.status == 303, reply.body
        assert reply.headers["location"].startswith(f"{PAGE}?")
        return query_of(reply.headers["location"])

    async def post(self, path: str, **body: Any) -> Reply:
        headers = {"Content-Type": "application/json"}
        return await self.client.request("POST", path, json.dumps(body).encode(), headers)

    async def trade(self, code: str, verifier: str = VERIFIER, **more: Any) -> Reply:
        """What a page does with its code."""
        more |= {"grant_type": "login_code", "code": code, "code_verifier": verifier}
        return await self.post("/api/v1/auth/token", **more)

    async def tokens(self) -> dict[str, Any]:
        """Sign in without a page: the answer of the callback."""
        reply = await self.come_back(await self.begin(""))
        assert reply.status == 200, reply.body
        pair: dict[str, Any] = reply.json
        return pair


def providers_file(directory: Path, issuer: str, *, name: str = "corp", **login: Any) -> Path:
    """Describe the provider twice, under two names, as an operator does."""
    (directory / "secret").write_text(CLIENT_SECRET, encoding="utf-8")
    (directory / "ca.pem").write_bytes(AUTHORITY)
    entry: dict[str, Any] = {
        "name": name,
        "issuer": issuer,
        "audiences": ["https://api.example.com"],
        "allow_private": True,
        "ca_file": "ca.pem",
        "principal": {
            "roles": "groups",
            "role_map": {"linguists": "analyst", "editors": "curator"},
            "fixed_roles": ["reader"],
        },
        "login": {
            "client_id": CLIENT_ID,
            "client_secret_file": "secret",
            "redirect_uri": f"{ORIGIN}/api/v1/auth/callback/{name}",
            "return_urls": [PAGE],
        }
        | login,
    }
    other = {
        **entry,
        "name": "other",
        "issuer": f"{issuer}/other",
        "login": entry["login"] | {"redirect_uri": f"{ORIGIN}/api/v1/auth/callback/other"},
    }
    path = directory / "providers.json"
    path.write_text(json.dumps({"providers": [entry, other]}), encoding="utf-8")
    return path


@asynccontextmanager
async def gateway(directory: Path, provider: Provider, **login: Any) -> AsyncGenerator[Browser]:
    """The whole gateway, and a browser that knows nothing yet."""
    environment = {
        "GATEWAY_DATABASE": str(directory / "keys.sqlite3"),
        "GATEWAY_TRUSTED_PROXIES": "127.0.0.1/32",
        "JWT_SECRET_KEY": SECRET,
        "OIDC_PROVIDERS_FILE": str(providers_file(directory, provider.issuer, **login)),
    }
    settings = read_settings(environment, TABLE.platform.services)
    async with open_edge(settings, TABLE) as edge, serving(edge) as client:
        yield Browser(client, provider)


@asynccontextmanager
async def signing_in(directory: Path, **login: Any) -> AsyncGenerator[Browser]:
    """A provider, the whole gateway and a browser."""
    async with running_provider() as provider, gateway(directory, provider, **login) as browser:
        yield browser
