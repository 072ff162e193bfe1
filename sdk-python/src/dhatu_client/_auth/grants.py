"""What can be traded for access tokens, as the caller of a client writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .tokens import Token

ClientAuth: TypeAlias = Literal["basic", "post"]
OnToken: TypeAlias = Callable[[Token], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """A program that acts for itself (RFC 6749, section 4.4)."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    """What to ask for; where there are none, the server decides."""
    token_url: str = ""
    """Where to ask, by https unless it is on this machine; empty where the API's description says it, or
    OpenID Connect discovery does."""
    client_auth: ClientAuth | None = None
    """How the secret travels (RFC 6749, section 2.3.1): basic, unless discovery finds only post."""
    extra: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Further parameters of the request, such as `audience`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A session that began elsewhere (RFC 6749, section 6).

    Where the server rotates refresh tokens, each counts once: give one to a single client, and store what
    `on_token` is called with.
    """

    refresh_token: str = field(repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    """Empty for a public client."""
    scopes: tuple[str, ...] = ()
    token_url: str = ""
    client_auth: ClientAuth | None = None
    extra: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    on_token: OnToken | None = field(default=None, repr=False)
    """Called with each new token before any call uses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordGrant:
    """A user's name and password, where the API trades them for tokens (RFC 6749, section 4.3).

    Renewed by the refresh token where one is given; by name and password again where that is refused.
    """

    username: str
    password: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    token_url: str = ""
    client_auth: ClientAuth | None = None
    extra: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    on_token: OnToken | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class APIKeyGrant:
    """An API key, where the API trades it for tokens, which live shorter and may do less.

    Renewed as those of a password are.
    """

    api_key: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    on_token: OnToken | None = field(default=None, repr=False)


Grant: TypeAlias = ClientCredentials | RefreshToken | PasswordGrant | APIKeyGrant
