"""Where a provider is asked what: OpenID Connect Discovery 1.0, or RFC 8414 where there is no such thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dhatu_gateway.auth.errors import ProviderError
from dhatu_gateway.auth.providers.config import Provider
from dhatu_gateway.auth.providers.kept import Keeping, Kept
from dhatu_gateway.auth.providers.members import is_safe_url

if TYPE_CHECKING:
    from dhatu_gateway.auth.providers.fetch import Fetcher  # holds httpx

KEEPING = Keeping(fresh_s=3_600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the provider says of itself; endpoints that it does not have are None."""

    issuer: str
    jwks_uri: str | None
    introspection_endpoint: str | None
    authorization_endpoint: str | None
    token_endpoint: str | None
    issuer_in_callback: bool
    """`authorization_response_iss_parameter_supported` (RFC 9207)."""
    secret_in_form: bool
    """It takes a client's secret in the form alone, and not as HTTP basic (RFC 6749 section 2.3.1)."""


class Discovery(Kept[Metadata]):
    """The metadata of one provider."""

    def __init__(
        self, provider: Provider, fetcher: Fetcher, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._provider = provider
        self._fetcher = fetcher
        super().__init__(f"the metadata of provider {provider.name}", self._discover, KEEPING, clock)

    async def endpoint(self, name: str, url: str | None) -> str:
        """An endpoint that the metadata must have; raises `ProviderError` where it has none."""
        if url is None:
            self.doubt()
            raise ProviderError(f"provider {self._provider.name} names no {name}")
        return url

    async def _discover(self) -> Metadata:
        for url in metadata_urls(self._provider.issuer):
            answer = await self._fetcher.get(url)
            if answer.status == 200:
                return read_metadata(answer.document, self._provider.issuer)
            if answer.status not in (400, 403, 404):
                raise ProviderError(f"{url} answered {answer.status}")
        raise ProviderError(f"{self._provider.issuer} has no metadata at .well-known/openid-configuration")


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Where the metadata of an issuer may be.

    >>> metadata_urls("https://a.example/b")
    ('https://a.example/b/.well-known/openid-configuration', 'https://a.example/.well-known/oauth-authorization-server/b')
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    )


def read_metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Check what a provider says; raises `ProviderError` where it is not its own, or unsafe."""
    said = document.get("issuer")
    if said != issuer:
        # OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3: exactly, as strings.
        raise ProviderError(f"the metadata of {issuer} is of issuer {said!r}")

    def endpoint(name: str) -> str | None:
        value = document.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not is_safe_url(value, query=True):
            raise ProviderError(f"the metadata of {issuer} has a {name} that no provider may have: {value!r}")
        return value

    return Metadata(
        issuer=issuer,
        jwks_uri=endpoint("jwks_uri"),
        introspection_endpoint=endpoint("introspection_endpoint"),
        authorization_endpoint=endpoint("authorization_endpoint"),
        token_endpoint=endpoint("token_endpoint"),
        issuer_in_callback=document.get("authorization_response_iss_parameter_supported") is True,
        secret_in_form=_wants_form(document.get("token_endpoint_auth_methods_supported")),
    )


def _wants_form(methods: object) -> bool:
    # RFC 8414 section 2: without the list it is client_secret_basic.
    return (
        isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
    )
