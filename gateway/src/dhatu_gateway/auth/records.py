"""What the store keeps. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

Act: TypeAlias = Literal[
    "key.create", "key.rotate", "key.revoke", "user.create", "user.revoke", "gateway.reload"
]
OPERATOR = "operator"
"""Who uses the command line, or sends signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a service or a script; the key itself is not kept."""

    id: str
    name: str
    owner: str
    """Id of the principal that created it."""
    scopes: frozenset[str]
    roles: frozenset[str]
    digest: bytes
    """Keyed hash of the whole key."""
    created_at_s: float
    expires_at_s: float | None
    """None where it does not end by itself."""

    def ending(self, until_s: float) -> ApiKey:
        """The same key, which ends then at the latest."""
        return self if self.ends_by(until_s) else replace(self, expires_at_s=until_s)

    def ends_by(self, moment_s: float) -> bool:
        """True where it ends by itself by then."""
        return self.expires_at_s is not None and self.expires_at_s <= moment_s


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who signs in with a password."""

    name: str
    password: str
    """As `passwords.derive` wrote it."""
    scopes: frozenset[str]
    roles: frozenset[str]
    created_at_s: float
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalUser:
    """A person who signed in at a provider, as the provider described them the last time."""

    id: str
    """Id of the principal: `oidc:corp:248289761001`."""
    scopes: frozenset[str]
    roles: frozenset[str]
    signed_in_at_s: float
    valid_until_s: float
    """Then the provider has to be asked again, since it does not tell when somebody leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A token that renews an access token once; all tokens that grew from one sign-in are a family."""

    id: str
    digest: bytes
    family: str
    subject: str
    """Id of the principal: `user:ada`, `key:4f1c`."""
    scopes: frozenset[str]
    created_at_s: float
    expires_at_s: float
    used_at_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One administrative act, kept together with what it changed in the store."""

    at_s: float
    actor: str
    """Id of the principal that did it; `operator` for the command line and for signals."""
    act: Act
    target: str
    """Id of what it was done to: `key:4f1c`, `user:ada`, `oidc:corp:248289761001`, `table:8c1f`."""
    details: str = ""


class NumberedEntry(NamedTuple):
    """An entry and its place in the log: numbers start at 1, rise, and are never used again."""

    number: int
    entry: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page of keys begins: after this key, in the order of creation."""

    created_at_s: float
    id: str
