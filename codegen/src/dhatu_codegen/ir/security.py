"""Who may call: schemes, and the requirements that name them (OR of AND)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .source import SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyScheme:
    """A key in a header, the query or a cookie."""

    key: str
    """The scheme's key under `components/securitySchemes`."""
    location: Literal["header", "query", "cookie"]
    parameter: str
    description: str
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpScheme:
    """The Authorization header (RFC 9110, section 11): bearer, basic and others."""

    key: str
    scheme: str
    """Lower case."""
    bearer_format: str
    description: str
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthFlow:
    """One flow of an OAuth2 scheme (RFC 6749)."""

    kind: Literal["implicit", "password", "client_credentials", "authorization_code", "device_authorization"]
    authorization_url: str
    token_url: str
    refresh_url: str
    scopes: tuple[tuple[str, str], ...]
    """(scope, what it allows)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Scheme:
    """OAuth2 with one or more flows."""

    key: str
    flows: tuple[OAuthFlow, ...]
    description: str
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdScheme:
    """OpenID Connect by discovery."""

    key: str
    discovery_url: str
    description: str
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualTlsScheme:
    """A client certificate."""

    key: str
    description: str
    source: SourceRef


SecurityScheme: TypeAlias = ApiKeyScheme | HttpScheme | OAuth2Scheme | OpenIdScheme | MutualTlsScheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A scheme that must be satisfied, with every scope listed."""

    scheme: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Credentials that are needed together; none at all means that anybody may call."""

    credentials: tuple[Credential, ...]
