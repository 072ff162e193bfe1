"""What proves who calls, and how each security scheme carries it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .._call import ApiSpec, CallOptions, Operation, SchemeSpec
from .._errors import ConfigurationError
from .tokens import RenewedToken

Credential: TypeAlias = str | tuple[str, str]
"""A key or a token; for HTTP basic the user's name and password."""

Proof: TypeAlias = "tuple[SchemeSpec, str]"
"""A scheme, and the text that satisfies it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the client was given."""

    api_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    renewed: RenewedToken | None = field(default=None, repr=False)
    """In place of a token that stays the same."""
    by_scheme: Mapping[str, Credential | RenewedToken] = field(
        default_factory=dict[str, Credential | RenewedToken], repr=False
    )
    """By the keys of the API's security schemes; before all others."""

    @property
    def renewable(self) -> bool:
        return self.renewed is not None or any(
            isinstance(own, RenewedToken) for own in self.by_scheme.values()
        )

    def source_of(self, scheme: SchemeSpec) -> RenewedToken | None:
        """What renews the token that satisfies a scheme; None where nothing does."""
        own = self.by_scheme.get(scheme.key)
        if own is None and scheme.kind == "bearer":
            return self.renewed
        return own if isinstance(own, RenewedToken) else None

    def of(self, scheme: SchemeSpec) -> str | None:
        """The text that satisfies a scheme, empty where none is known yet; None where there is none."""
        if self.source_of(scheme) is not None:
            return ""
        own = self.by_scheme.get(scheme.key)
        match scheme.kind:
            case "api_key":
                return _single(own) or self.api_key or None
            case "bearer":
                token = _single(own) or self.token
                return f"Bearer {token}" if token else None
            case "basic":
                pair = own if isinstance(own, tuple) else self.basic
                return f"Basic {b64encode(':'.join(pair).encode()).decode()}" if pair else None
            case "http":
                return f"{scheme.scheme} {_single(own)}" if own else None
            case "other":
                return ""


def proofs(api: ApiSpec, credentials: Credentials, operation: Operation[Any, Any]) -> list[Proof]:
    """What is sent to satisfy the operation's security, but for a token that is renewed."""
    return [(scheme, text) for scheme, text in _satisfied(api, credentials, operation) if text]


def renewed_token(
    api: ApiSpec, credentials: Credentials, operation: Operation[Any, Any], options: CallOptions
) -> RenewedToken | None:
    """What renews the token of a call; None where it needs none, or brings its own Authorization."""
    if not credentials.renewable:
        return None
    if any(name.lower() == "authorization" for name in options.get("extra_headers", {})):
        return None
    sources = (credentials.source_of(scheme) for scheme, _ in _satisfied(api, credentials, operation))
    return next((source for source in sources if source is not None), None)


def _satisfied(api: ApiSpec, credentials: Credentials, operation: Operation[Any, Any]) -> list[Proof]:
    """The first alternative that the client can satisfy; nothing where it can satisfy none, since the server
    then says better than we could what is missing."""
    schemes = {scheme.key: scheme for scheme in api.schemes}
    for alternative in sorted(operation.security, key=lambda keys: not keys):
        found = [
            (scheme, text)
            for key in alternative
            if (scheme := schemes.get(key)) is not None and (text := credentials.of(scheme)) is not None
        ]
        if len(found) == len(alternative) and _apart(found, credentials):
            return found
    return []


def checked(
    api: ApiSpec, by_scheme: dict[str, Credential | RenewedToken]
) -> dict[str, Credential | RenewedToken]:
    """Credentials by scheme, each of a scheme that there is, in its form.

    Raises `ConfigurationError`, which never shows one.
    """
    schemes = {scheme.key: scheme for scheme in api.schemes}
    for key, given in by_scheme.items():
        scheme = schemes.get(key)
        if scheme is None:
            known = ", ".join(schemes) or "none"
            raise ConfigurationError(f"credentials= names the scheme {key!r}; the API has {known}")
        if isinstance(given, RenewedToken):
            continue
        if isinstance(given, tuple) != (scheme.kind == "basic"):
            form = "a tuple of name and password" if scheme.kind == "basic" else "a str"
            raise ConfigurationError(f"credentials[{key!r}] must be {form}")
        if isinstance(given, tuple):
            checked_pair(*given)
        else:
            checked_secret(given, f"credentials[{key!r}]")
    return by_scheme


def checked_pair(username: str, password: str) -> tuple[str, str]:
    """Name and password, if HTTP basic can tell where one ends (RFC 7617, section 2)."""
    if ":" in username:
        raise ConfigurationError("a user's name must not hold a colon, which ends it in HTTP basic")
    return username, password


def checked_secret(secret: str, name: str) -> str:
    """The secret, if a header can carry it; the error never shows it."""
    if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ConfigurationError(
            f"{name} holds a character that no credential has, such as a line break at its end"
        )
    return secret


def _apart(found: list[Proof], credentials: Credentials) -> bool:
    """Whether all can be sent together: each in a place of its own, and `api_key=` for one of them only."""
    shared = [s for s, _ in found if s.kind == "api_key" and s.key not in credentials.by_scheme]
    places: dict[tuple[str, str], object] = {}
    clash = False
    for scheme, text in found:
        sent = credentials.source_of(scheme) or text
        if sent:
            clash = places.setdefault((scheme.location, scheme.parameter.lower()), sent) != sent or clash
    return len(shared) < 2 and not clash


def _single(given: object) -> str:
    return given if isinstance(given, str) else ""
