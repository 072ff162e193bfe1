"""Signing in at a provider that others have written, a process of its own, and going on with the SDK."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from dhatu_client import PermissionDeniedError, RefreshToken, SyncDhatuAPI
from dhatu_reference.processes import ProcessSpec, free_ports, start_all, stop_all
from samples import ROOT, samples

PAGE = "https://app.example.com/signed-in"
GUIDE = ROOT / "docs" / "gateway-credentials.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A gateway and the provider that it sends people to."""

    gateway: str
    provider: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("login")
    gateway_port, provider_port = free_ports(2)
    place = Place(gateway=f"http://127.0.0.1:{gateway_port}", provider=f"http://127.0.0.1:{provider_port}")
    people = (
        {"sub": "ada", "groups": ["linguists"]},
        {"sub": "eve", "groups": ["plumbers"]},
    )
    provider = ProcessSpec(
        name="provider",
        command=(
            *(sys.executable, "-m", "oidc_provider_mock", "--port", str(provider_port), "--require-nonce"),
            *(word for person in people for word in ("--user-claims", json.dumps(person))),
        ),
        environment=os.environ,
        health_url=f"{place.provider}/.well-known/openid-configuration",
    )
    gateway = ProcessSpec(
        name="gateway",
        command=(sys.executable, "-m", "dhatu_gateway", "serve"),
        environment={
            **os.environ,
            "GATEWAY_PORT": str(gateway_port),
            "GATEWAY_DATABASE": str(folder / "gateway.sqlite3"),
            "JWT_SECRET_KEY": "a secret of at least thirty-two bytes",
            "OIDC_PROVIDERS_FILE": str(describe(folder, place)),
        },
        health_url=f"{place.gateway}/api/v1/health/live",
    )
    processes = start_all([provider, gateway], folder)
    yield place
    stop_all(processes)


def describe(folder: Path, place: Place) -> Path:
    """The file of providers that the guide shows, for this provider and this gateway."""
    [text] = [sample for _, sample in samples(GUIDE, "json") if '"login"' in sample]
    document: dict[str, Any] = json.loads(text)
    [entry] = document["providers"]
    callback = urlsplit(entry["login"]["redirect_uri"]).path
    entry |= {"issuer": place.provider, "allow_private": True, "algorithms": ["RS256"]}
    entry["login"] |= {"redirect_uri": place.gateway + callback}
    (folder / entry["login"]["client_secret_file"]).write_text("between both", encoding="utf-8")
    path = folder / "providers.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20) as opened:
        yield opened


async def sign_in(browser: httpx.AsyncClient, address: str, **form: str) -> httpx.Response:
    """Go to an address of the gateway, fill in the provider's form, and come back to the gateway."""
    form_page = await browser.get(address, follow_redirects=True)
    assert (form_page.status_code, form_page.headers["content-type"][:9]) == (200, "text/html")
    sent = await browser.post(form_page.url, data=form)
    return await browser.get(sent.headers["location"])


async def test_the_guide_signs_a_page_in(place: Place, browser: httpx.AsyncClient) -> None:
    names: dict[str, Any] = {}
    [sample] = [sample for _, sample in samples(GUIDE, "python") if "login_code" in sample]
    exec(sample.replace("http://127.0.0.1:8000", place.gateway), names)

    back = await sign_in(browser, names["address"], sub="ada")
    assert (back.status_code, back.headers["location"].partition("?")[0]) == (303, PAGE)
    pair = names["tokens"](back.headers["location"])
    assert pair.scope == "analysis:use compression:use corpus:read dashboard:read"

    stored = RefreshToken(refresh_token=pair.refresh_token)
    with SyncDhatuAPI(base_url=place.gateway, auth=stored) as client, pytest.raises(PermissionDeniedError):
        client.system.status()  # the SDK has renewed the tokens; an analyst may not ask for this


async def test_a_program_gets_its_tokens_from_the_callback(place: Place, browser: httpx.AsyncClient) -> None:
    back = await sign_in(browser, f"{place.gateway}/api/v1/auth/login/corp", sub="eve")
    assert (back.status_code, back.headers["cache-control"]) == (200, "no-store")
    assert back.json()["scope"] == "corpus:read dashboard:read"
    assert dict(browser.cookies) == {}
    again = await browser.get(back.request.url)
    assert again.status_code == 400


async def test_somebody_says_no(place: Place, browser: httpx.AsyncClient) -> None:
    form_page = await browser.get(f"{place.gateway}/api/v1/auth/login/corp", follow_redirects=True)
    sent = await browser.post(form_page.url, data={"action": "deny"})
    denied = parse_qs(urlsplit(sent.headers["location"]).query)
    # This provider forgets the state, so it is added here as RFC 6749 section 4.1.2.1 has it.
    state = parse_qs(form_page.url.query.decode())["state"]
    assert denied["error"] == ["access_denied"]
    back = await browser.get(
        f"{place.gateway}/api/v1/auth/callback/corp", params={"error": "access_denied", "state": state}
    )
    assert (back.status_code, back.json()["detail"]) == (403, "The provider did not sign you in.")
