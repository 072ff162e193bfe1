"""All providers of the gateway: which one a token is from, and what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dhatu_gateway.auth.compact import NotStrictError, read_parts
from dhatu_gateway.auth.errors import InvalidCredentialError, ProviderError, ProviderFileError
from dhatu_gateway.auth.identity import Identity
from dhatu_gateway.auth.jwt import INVALID, numeric_date
from dhatu_gateway.auth.providers.addresses import Resolve, resolve
from dhatu_gateway.auth.providers.config import Provider
from dhatu_gateway.auth.providers.discovery import Discovery
from dhatu_gateway.auth.providers.introspection import Introspector
from dhatu_gateway.auth.providers.kept import Fetches
from dhatu_gateway.auth.providers.keys import ProviderKeys
from dhatu_gateway.auth.providers.principals import Principals
from dhatu_gateway.auth.providers.tokens import LEEWAY_S, ProviderTokens, TokenRules, access_rules
from dhatu_gateway.auth.rbac import Roles

if TYPE_CHECKING:
    from dhatu_gateway.auth.providers.fetch import Fetcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What providers are asked with."""

    clock: Callable[[], float] = time.monotonic
    resolve: Resolve = resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProvider:
    """One provider, and everything that asks it."""

    provider: Provider
    fetcher: Fetcher
    discovery: Discovery
    keys: ProviderKeys
    tokens: ProviderTokens
    principals: Principals
    introspector: Introspector | None
    rules: TokenRules
    """Of its access tokens."""

    @property
    def fetches(self) -> Mapping[str, Fetches]:
        """How often it was asked, by what for."""
        asked = {"metadata": self.discovery.fetches, "keys": self.keys.fetches}
        return asked | ({"introspection": self.introspector.fetches} if self.introspector is not None else {})

    async def close(self) -> None:
        """Stop asking it."""
        await asyncio.gather(self.discovery.close(), self.keys.close())
        if self.introspector is not None:
            await self.introspector.close()
        await self.fetcher.close()

    async def verify(self, token: bytes, *, now_s: float) -> Identity:
        """Whom an access token of this provider proves; `now_s` is wall time."""
        claims = await self.tokens.claims(token, self.rules, now_s=now_s)
        identity = self.principals.identity(claims, token)
        return replace(identity, expires_at_s=numeric_date(claims["exp"]) + LEEWAY_S)

    async def ping(self) -> None:
        """Raise `ProviderError` where it does not answer, even if the keys that it last had are used."""
        if self.introspector is not None and not await self._names_keys():
            if self.introspector.is_out:
                raise ProviderError(f"provider {self.provider.name} explains no tokens")
            await self.introspector.endpoint()
            return
        await self.keys.get()
        failure = self.keys.failure
        if failure is not None:
            raise failure

    async def _names_keys(self) -> bool:
        """Whether it has keys: some have none, and are asked about all of their tokens."""
        try:
            return (await self.discovery.get()).jwks_uri is not None
        except ProviderError:
            introspection = self.provider.introspection
            if introspection is None or introspection.endpoint is None:
                raise
            return self.keys.fetches.ok > 0


class ExternalTokens:
    """Verifies tokens by the provider that they say they are from; others are not asked about."""

    def __init__(self, providers: Iterable[OpenProvider]) -> None:
        self.providers = tuple(providers)
        self._by_issuer = {opened.provider.issuer: opened for opened in self.providers}
        introspectors = [opened.introspector for opened in self.providers if opened.introspector is not None]
        self._introspector = introspectors[0] if introspectors else None

    async def verify(self, token: bytes, issuer: object, *, now_s: float) -> Identity:
        """Whom a token proves; `issuer` is what it says, None where it is no JSON Web Token.

        Raises `InvalidCredentialError`, and `ProviderError` where the provider cannot be asked.
        """
        if issuer is None and self._introspector is not None:
            return await self._introspector.verify(token, now_s=now_s)
        opened = self._by_issuer.get(issuer) if isinstance(issuer, str) else None
        if opened is None:
            raise InvalidCredentialError(INVALID)
        return await opened.verify(token, now_s=now_s)

    def fetches(self) -> dict[tuple[str, str, str], int]:
        """How often providers were asked, by name, what for, and outcome."""
        return {
            (opened.provider.name, what, outcome): count
            for opened in self.providers
            for what, fetches in opened.fetches.items()
            for outcome, count in (("ok", fetches.ok), ("failed", fetches.failed))
        }

    async def close(self) -> None:
        """Stop asking."""
        for opened in self.providers:
            await opened.close()


def claimed_issuer(token: bytes) -> object:
    """What a token says of its issuer, which nobody has verified; None where it is no JSON Web Token."""
    try:
        _, claims = read_parts(token)
    except NotStrictError:
        return None
    return claims.get("iss", "")


def open_providers(
    providers: Iterable[Provider], roles: Roles, surroundings: Surroundings | None = None
) -> ExternalTokens | None:
    """Make what verifies the tokens of these providers, without asking them yet; None where there are none.

    Raises `ProviderFileError` where a provider maps to a role that platform.yaml does not describe, or where
    its authority cannot be read.
    """
    opened = [_open(provider, roles, surroundings or Surroundings()) for provider in providers]
    return ExternalTokens(opened) if opened else None


def _open(provider: Provider, roles: Roles, surroundings: Surroundings) -> OpenProvider:
    from dhatu_gateway.auth.providers.fetch import Fetcher  # holds httpx: 5 MB, which only those pay who ask

    names = provider.principal
    try:
        roles.check((*names.fixed_roles, *(role for _, role in names.role_map)))
    except ValueError as error:
        raise ProviderFileError(f"provider {provider.name}: {error}") from error
    try:
        fetcher = Fetcher(
            allow_private=provider.allow_private,
            ca_file=provider.ca_file,
            resolve=surroundings.resolve,
            clock=surroundings.clock,
        )
    except OSError as error:
        raise ProviderFileError(
            f"provider {provider.name}: {provider.ca_file} holds no certificates"
        ) from error
    clock = surroundings.clock
    discovery = Discovery(provider, fetcher, clock=clock)
    keys = ProviderKeys(provider, discovery, fetcher, clock=clock)
    principals = Principals(provider, roles)
    introspector = (
        Introspector(provider, provider.introspection, discovery, fetcher, principals, clock=clock)
        if provider.introspection is not None
        else None
    )
    return OpenProvider(
        provider=provider,
        fetcher=fetcher,
        discovery=discovery,
        keys=keys,
        tokens=ProviderTokens(provider, keys),
        principals=principals,
        introspector=introspector,
        rules=access_rules(provider),
    )
