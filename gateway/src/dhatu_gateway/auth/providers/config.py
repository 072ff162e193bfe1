"""The providers that the operator names in OIDC_PROVIDERS_FILE, read once and checked as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dhatu_gateway.auth.compact import NotStrictError, read_object
from dhatu_gateway.auth.errors import ProviderFileError
from dhatu_gateway.auth.providers.members import Members, is_loopback

MAX_PROVIDERS = 16
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of key pairs alone: a secret that the provider shares with the gateway would sign as well as verify."""
DEFAULT_ALGORITHMS = ("RS256", "ES256", "EdDSA")
TOKEN_TYPES = ("at+jwt", "JWT")

PROVIDER_MEMBERS = frozenset(
    {
        "name",
        "issuer",
        "audiences",
        "algorithms",
        "token_types",
        "allow_private",
        "ca_file",
        "principal",
        "introspection",
        "login",
    }
)
PRINCIPAL_MEMBERS = frozenset({"subject", "scope", "roles", "role_map", "fixed_roles"})
INTROSPECTION_MEMBERS = frozenset({"client_id", "client_secret_file", "endpoint", "cache_s", "any_audience"})
LOGIN_MEMBERS = frozenset(
    {"client_id", "client_secret_file", "scopes", "redirect_uri", "return_urls", "session_s"}
)
SESSION_S = 12 * 3_600.0
MAX_SESSION_S = 30 * 24 * 3_600.0
"""As long as a refresh token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalClaims:
    """How the claims of a token become a caller."""

    subject: str = "sub"
    scope: str = "scope"
    """The claim that holds scopes: text with blanks between, or a list."""
    roles: str = ""
    """The claim that holds roles; dots lead into objects. Empty for none."""
    role_map: tuple[tuple[str, str], ...] = ()
    """From a role of the provider to one of the platform; a role that is not here is dropped."""
    fixed_roles: tuple[str, ...] = ()
    """What everybody has whom the provider vouches for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """How the provider is asked about tokens that say nothing themselves (RFC 7662)."""

    client_id: str
    client_secret: str = field(repr=False)
    endpoint: str | None = None
    """None for the one that discovery gives."""
    cache_s: float = 30.0
    """How long an answer is believed."""
    any_audience: bool = False
    """Whether an answer may leave out whom the token is for; one that names others is refused even so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How people sign in at the provider by way of the gateway."""

    client_id: str
    client_secret: str | None = field(repr=False)
    """None for a public client."""
    scopes: tuple[str, ...]
    redirect_uri: str
    return_urls: tuple[str, ...]
    """Where the gateway may send people back to."""
    session_s: float = SESSION_S
    """How long tokens can be renewed before the provider has to be asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One issuer of tokens, and what its tokens are worth here."""

    name: str
    issuer: str
    audiences: tuple[str, ...]
    """Names of this API at the provider; a token must be for one of them."""
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    token_types: tuple[str, ...] = ("at+jwt",)
    """RFC 9068 section 4 asks for `at+jwt`; `JWT`, or no type at all, is what older providers write."""
    allow_private: bool = False
    """Whether it may be on this machine or a private network."""
    ca_file: Path | None = None
    """Whom its certificate is trusted by; None for the public authorities."""
    principal: PrincipalClaims = field(default_factory=PrincipalClaims)
    introspection: Introspection | None = None
    login: Login | None = None


def read_providers_file(path: Path) -> tuple[Provider, ...]:
    """Read `{"providers": [...]}`; paths in it start at its own folder.

    Raises `ProviderFileError` that names the entry and the member. No secret is repeated.
    """
    try:
        document = Members(read_object(path.read_bytes()), str(path), frozenset({"providers"}))
    except (OSError, NotStrictError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ProviderFileError(f"cannot read {path}: {reason}") from error
    entries = document.entries("providers", MAX_PROVIDERS)
    providers = tuple(
        _provider(entry, path.parent, f"{path}, provider {number}")
        for number, entry in enumerate(entries, start=1)
    )
    _check_unique(path, "name", [provider.name for provider in providers])
    _check_unique(path, "issuer", [provider.issuer for provider in providers])
    introspecting = [provider.name for provider in providers if provider.introspection is not None]
    if len(introspecting) > 1:
        raise ProviderFileError(
            f"{path}: {' and '.join(introspecting)} have introspection; one at most may, since a token "
            "that says nothing does not say whose it is, and must not be shown to others"
        )
    return providers


def _check_unique(path: Path, what: str, values: list[str]) -> None:
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ProviderFileError(f"{path}: two providers have the {what} {twice!r}")


def _provider(entry: object, folder: Path, where: str) -> Provider:
    members = Members(entry, where, PROVIDER_MEMBERS)
    name = members.text("name")
    if NAME.fullmatch(name) is None:
        raise members.wrong("name", f"must be lower-case letters, digits and hyphens, not {name!r}")
    members.where = f"{where} ({name})"
    provider = Provider(
        name=name,
        issuer=members.url("issuer"),
        audiences=members.texts("audiences"),
        algorithms=_some_of(members, "algorithms", DEFAULT_ALGORITHMS, ALGORITHMS),
        token_types=_some_of(members, "token_types", ("at+jwt",), TOKEN_TYPES),
        allow_private=members.flag("allow_private"),
        ca_file=_ca_file(members, folder),
        principal=_principal(members.section("principal", PRINCIPAL_MEMBERS)),
        introspection=_introspection(members.section("introspection", INTROSPECTION_MEMBERS), folder),
        login=_login(members.section("login", LOGIN_MEMBERS), folder),
    )
    if is_loopback(urlsplit(provider.issuer).hostname) and not provider.allow_private:
        raise members.wrong("issuer", "is on this machine, which needs allow_private: true")
    login = provider.login
    if login is not None and login.client_id in provider.audiences and "JWT" in provider.token_types:
        raise members.wrong(
            "audiences", "must not hold the client_id of login: ID tokens would pass for access tokens"
        )
    return provider


def _some_of(
    members: Members, name: str, default: tuple[str, ...], known: tuple[str, ...]
) -> tuple[str, ...]:
    values = members.texts(name, default)
    if not set(values) <= set(known):
        raise members.wrong(name, f"must be some of {', '.join(known)}")
    return values


def _ca_file(members: Members, folder: Path) -> Path | None:
    if not members.has("ca_file"):
        return None
    path = members.file("ca_file", folder)
    if not path.is_file():
        raise members.wrong("ca_file", f"must be a file with certificates in PEM; {path} is none")
    return path


def _principal(members: Members | None) -> PrincipalClaims:
    if members is None:
        return PrincipalClaims()
    claims = PrincipalClaims(
        subject=members.text("subject", "sub"),
        scope=members.text("scope", "scope"),
        roles=members.text("roles") if members.has("roles") else "",
        role_map=members.pairs("role_map"),
        fixed_roles=members.texts("fixed_roles", ()),
    )
    if bool(claims.roles) != bool(claims.role_map):
        raise members.wrong("roles", "and role_map belong together: roles that are not mapped are dropped")
    return claims


def _introspection(members: Members | None, folder: Path) -> Introspection | None:
    if members is None:
        return None
    return Introspection(
        client_id=members.text("client_id"),
        client_secret=members.secret("client_secret_file", folder),
        endpoint=members.url("endpoint", query=True) if members.has("endpoint") else None,
        cache_s=members.seconds("cache_s", 30.0, 3_600.0),
        any_audience=members.flag("any_audience"),
    )


def _login(members: Members | None, folder: Path) -> Login | None:
    if members is None:
        return None
    scopes = members.texts("scopes", ("openid",))
    if "openid" not in scopes:
        raise members.wrong("scopes", "must hold openid, or the provider does not say who signed in")
    has_secret = members.has("client_secret_file")
    return Login(
        client_id=members.text("client_id"),
        client_secret=members.secret("client_secret_file", folder) if has_secret else None,
        scopes=scopes,
        redirect_uri=members.url("redirect_uri"),
        return_urls=members.urls("return_urls"),
        session_s=members.seconds("session_s", SESSION_S, MAX_SESSION_S),
    )
