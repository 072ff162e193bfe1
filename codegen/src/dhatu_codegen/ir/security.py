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
class TokenGrant:
    """One way to obtain the tokens of a scheme: as in RFC 6749, but for what is said otherwise."""

    scheme: str
    kind: str
    """client_credentials, password, refresh_token or api_key: the value of `grant_type`."""
    address: str
    """Whole; or from the root of the API's server, after a slash; or from the server's address itself."""
    json: bool = False
    """Whether the request travels as JSON instead of as a form."""
    says_kind: bool = True
    """Whether the request holds `grant_type`."""
    lists_scopes: bool = False
    """Whether scopes travel as a list instead of separated by spaces."""
    names: tuple[tuple[str, str], ...] = ()
    """(name in RFC 6749, name in request and answer) where they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A scheme that must be satisfied, with every scope listed."""

    scheme: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What somebody may be at this platform, with everything that it inherits."""

    name: str
    description: str
    holds: tuple[str, ...]
    """Every role that it stands for, itself included, sorted."""
    scopes: tuple[str, ...]
    """Every scope that it grants, sorted."""
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Credentials that are needed together; none at all means that anybody may call."""

    credentials: tuple[Credential, ...]
