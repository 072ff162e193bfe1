"""What a provider says of itself is believed where it is the provider's, and leads only where it may."""

from __future__ import annotations

import pytest
from dhatu_gateway.auth.errors import ProviderError
from dhatu_gateway.auth.providers.discovery import metadata_urls, read_metadata
from gateway.auth.providers.misbehaving import json_response, response
from gateway.auth.providers.support import METADATA, OAUTH_METADATA, Bench, metadata

ISSUER = "https://login.example.com"


async def test_endpoints_are_found(provider: Bench) -> None:
    provider.describe(authorization_response_iss_parameter_supported=True)
    found = await provider.opened.discovery.get()
    origin = provider.server.origin
    assert (found.issuer, found.jwks_uri) == (origin, f"{origin}/keys")
    assert (found.authorization_endpoint, found.token_endpoint) == (f"{origin}/authorize", f"{origin}/token")
    assert (found.introspection_endpoint, found.issuer_in_callback) == (f"{origin}/introspect", True)


async def test_a_provider_without_openid_connect(provider: Bench) -> None:
    provider.server.answers[METADATA] = response(404, b"<html>", "text/html")
    provider.server.answers[OAUTH_METADATA] = json_response(metadata(provider.server.origin))
    assert await provider.verify(provider.issuer.token()) == "oidc:staff:ada"


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://a.example",
            ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"),
        ),
        (
            "https://a.example/",
            ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"),
        ),
        (
            "https://a.example/b/c",
            ("/b/c/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/b/c"),
        ),
    ],
)
def test_where_metadata_are(issuer: str, urls: tuple[str, str]) -> None:
    assert metadata_urls(issuer) == tuple(f"https://a.example{url}" for url in urls)


@pytest.mark.parametrize(
    "issuer", [f"{ISSUER}/", "https://LOGIN.example.com", "https://evil.example", None, 5]
)
def test_the_metadata_of_another_issuer(issuer: object) -> None:
    with pytest.raises(ProviderError, match=f"the metadata of {ISSUER} is of issuer"):
        read_metadata(metadata(ISSUER) | {"issuer": issuer}, ISSUER)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://login.example.com/keys",
        "file:///etc/passwd",
        "https://user@login.example.com/keys",
        "https://login.example.com/keys#a",
        "https://login.example.com\\@evil.example/keys",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "/keys",
        "",
        ["https://login.example.com/keys"],
    ],
)
@pytest.mark.parametrize(
    "name", ["jwks_uri", "introspection_endpoint", "authorization_endpoint", "token_endpoint"]
)
def test_an_endpoint_where_none_may_be(name: str, url: object) -> None:
    with pytest.raises(ProviderError, match=f"has a {name} that no provider may have"):
        read_metadata(metadata(ISSUER) | {name: url}, ISSUER)


async def test_a_provider_without_keys(provider: Bench) -> None:
    provider.describe(jwks_uri=None)
    with pytest.raises(ProviderError, match="provider staff names no jwks_uri"):
        await provider.verify(provider.issuer.token())


@pytest.mark.parametrize("status", [400, 401, 500, 503])
async def test_a_provider_that_is_out(provider: Bench, status: int) -> None:
    provider.server.answers[METADATA] = json_response(metadata(provider.server.origin), status)
    with pytest.raises(ProviderError):
        await provider.verify(provider.issuer.token())
