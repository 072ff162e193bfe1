"""What every credential store can do; one shared test suite holds the implementations to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from dhatu_gateway.auth.records import (
    ApiKey,
    AuditEntry,
    ExternalUser,
    NumberedEntry,
    Position,
    RefreshToken,
    User,
)


class CredentialStore(Protocol):
    """Keeps credentials, never in a form that could be used to sign in. Failures raise `StoreError`.

    An administrative act comes with its entry in the audit log: both are kept, or neither.
    """

    async def add_key(self, key: ApiKey, entry: AuditEntry) -> None:
        """Keep a new key; its id has not been used before."""
        ...

    async def find_key(self, key_id: str) -> ApiKey | None:
        """The key, unless it has been revoked; it may have expired.

        Takes as long for one that does not exist, so that nobody finds out by the clock which ids do.
        """
        ...

    async def list_keys(self, *, after: Position | None, limit: int) -> Sequence[ApiKey]:
        """At most `limit` keys that have not been revoked, the oldest first, ties by id."""
        ...

    async def revoke_key(self, key_id: str, entry: AuditEntry) -> bool:
        """End a key for good; False where there is no such key."""
        ...

    async def replace_key(self, old: ApiKey, new: ApiKey, entry: AuditEntry, *, until_s: float) -> bool:
        """Keep a new key, and let the old one end by then; False where the old one is not as given."""
        ...

    async def add_user(self, user: User, entry: AuditEntry) -> bool:
        """Keep a new user; False where the name is taken."""
        ...

    async def find_user(self, name: str) -> User | None: ...

    async def keep_external_user(self, user: ExternalUser) -> None:
        """Keep what a provider says of somebody, instead of what it said before.

        Forgets those who ended before the sign-in.
        """
        ...

    async def find_external_user(self, user_id: str) -> ExternalUser | None:
        """Who signed in at a provider; it may have ended."""
        ...

    async def add_refresh_token(self, token: RefreshToken) -> None:
        """Keep a new refresh token, and forget those that ended before it was made."""
        ...

    async def find_refresh_token(self, token_id: str) -> RefreshToken | None: ...

    async def spend_refresh_token(self, token_id: str, *, now_s: float) -> bool:
        """Mark a token as used; False where it already was, so that only one of several callers wins."""
        ...

    async def spend(self, id_: str, *, now_s: float, until_s: float) -> bool:
        """Note that what may be used once has been used; False where it was before.

        Forgets what ended by now, so `until_s` is when it could not be used in any case.
        """
        ...

    async def revoke(
        self, ids: Iterable[str], *, now_s: float, until_s: float, entry: AuditEntry | None = None
    ) -> None:
        """Refuse tokens that carry one of these ids until they would end anyway; forget what ended by now.

        `entry` where it is an administrative act of its own.
        """
        ...

    async def is_revoked(self, ids: Sequence[str]) -> bool:
        """True where one of the ids has been revoked."""
        ...

    async def note(self, entry: AuditEntry) -> None:
        """Keep the entry of an act that changes nothing here."""
        ...

    async def audit_page(self, *, limit: int, before: int | None = None) -> Sequence[NumberedEntry]:
        """Entries of the audit log, the newest first; those older than the one with that number."""
        ...

    async def trim_audit_log(self, *, before_s: float, limit: int) -> int:
        """Drop at most `limit` entries that are older, the oldest first; returns how many went."""
        ...

    async def secret(self, name: str) -> bytes:
        """32 random bytes that belong to this store, made when first asked for and the same ever after."""
        ...

    async def ping(self) -> None:
        """Prove that the store answers."""
        ...

    async def close(self) -> None: ...
