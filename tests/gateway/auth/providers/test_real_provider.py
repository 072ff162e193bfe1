"""Against a provider that others wrote, as a process of its own: oidc-provider-mock."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from dhatu_gateway.auth.compact import read_parts
from dhatu_gateway.auth.errors import InvalidCredentialError, ProviderError
from dhatu_gateway.auth.providers.config import Introspection, Provider
from dhatu_gateway.auth.providers.external import OpenProvider, Surroundings, open_providers
from dhatu_gateway.auth.providers.tokens import id_token_rules
from dhatu_gateway.auth.rbac import Roles
from dhatu_reference.processes import free_ports
from gateway.auth.providers.support import until
from gateway.auth.support import Clock

CALLBACK = "https://app.example.com/callback"


@dataclass
class Tokens:
    id_token: bytes
    access_token: bytes
    issued_at_s: float


@contextlib.asynccontextmanager
async def running(port: int) -> AsyncGenerator[str]:
    """The provider's process, until the end of the block; yields its issuer."""
    process = subprocess.Popen(  # noqa: ASYNC220  # returns at once
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
            for _ in iter(lambda: process.poll() is None, False):
                with contextlib.suppress(httpx.TransportError):
                    await client.get(f"http://127.0.0.1:{port}/jwks")
                    break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def sign_in(issuer: str, user: str) -> Tokens:
    """What a browser and an application do."""
    asked = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid email"}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{issuer}/oauth2/authorize", params=asked, data={"sub": user})
        [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        answer = await client.post(f"{issuer}/oauth2/token", data=form, auth=("app", "any"))
    tokens = answer.json()
    id_token = tokens["id_token"].encode()
    return Tokens(id_token, tokens["access_token"].encode(), read_parts(id_token)[1]["iat"])


async def test_a_provider_that_others_wrote() -> None:
    """Its life: it comes, it goes, and comes back with other keys, while the gateway stays."""
    [port] = free_ports(1)
    clock = Clock()
    provider = Provider(
        name="mock",
        issuer=f"http://127.0.0.1:{port}",
        audiences=("app",),
        token_types=("JWT",),
        allow_private=True,
        introspection=Introspection(client_id="gateway", client_secret="any"),
    )
    external = open_providers([provider], Roles(), Surroundings(clock=clock))
    assert external is not None
    [opened] = external.providers
    with pytest.raises(ProviderError):
        await opened.ping()  # it is not there yet
    clock.now_s += 5
    async with running(port) as issuer:
        tokens = await sign_in(issuer, "ada")
        assert await caller(opened, tokens) == "ada"
        # Of the same issuer, for the same audience, with a good signature: but it is no access token.
        with pytest.raises(InvalidCredentialError):
            await external.verify(tokens.id_token, issuer, now_s=tokens.issued_at_s)
        # This provider explains its access tokens to nobody.
        with pytest.raises(ProviderError, match="provider mock names no introspection_endpoint"):
            await external.verify(tokens.access_token, None, now_s=tokens.issued_at_s)
    clock.now_s += 3_600
    assert await caller(opened, tokens) == "ada"
    assert opened.keys.failure is not None
    async with running(port) as issuer:
        clock.now_s += 600
        assert await caller(opened, tokens) == "ada"  # whether it is back is found out beside the requests
        await until(lambda: opened.keys.failure is None)
        assert await caller(opened, await sign_in(issuer, "grace")) == "grace"
        with pytest.raises(InvalidCredentialError):
            await caller(opened, tokens)
    await external.close()


async def caller(opened: OpenProvider, tokens: Tokens) -> str:
    claims = await opened.tokens.claims(tokens.id_token, id_token_rules("app"), now_s=tokens.issued_at_s)
    return str(claims["sub"])
