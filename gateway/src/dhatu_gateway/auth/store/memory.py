"""Credentials in memory: for tests, and for a gateway that may forget everything when it stops."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dhatu_gateway.auth.records import (
    ApiKey,
    AuditEntry,
    ExternalUser,
    NumberedEntry,
    Position,
    RefreshToken,
    User,
)


class MemoryStore:
    """A `CredentialStore` for one process."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._users: dict[str, User] = {}
        self._external_users: dict[str, ExternalUser] = {}
        self._refresh_tokens: dict[str, RefreshToken] = {}
        self._revoked: dict[str, float] = {}
        self._spent: dict[str, float] = {}
        self._secrets: dict[str, bytes] = {}
        self._log: list[AuditEntry] = []
        self._dropped = 0

    async def add_key(self, key: ApiKey, entry: AuditEntry) -> None:
        self._keys[key.id] = key
        self._log.append(entry)

    async def find_key(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    async def list_keys(self, *, after: Position | None, limit: int) -> Sequence[ApiKey]:
        ordered = sorted(self._keys.values(), key=lambda key: (key.created_at_s, key.id))
        if after is not None:
            start = (after.created_at_s, after.id)
            ordered = [key for key in ordered if (key.created_at_s, key.id) > start]
        return ordered[:limit]

    async def revoke_key(self, key_id: str, entry: AuditEntry) -> bool:
        if self._keys.pop(key_id, None) is None:
            return False
        self._log.append(entry)
        return True

    async def replace_key(self, old: ApiKey, new: ApiKey, entry: AuditEntry, *, until_s: float) -> bool:
        if self._keys.get(old.id) != old:
            return False
        self._keys |= {old.id: old.ending(until_s), new.id: new}
        self._log.append(entry)
        return True

    async def add_user(self, user: User, entry: AuditEntry) -> bool:
        if user.name in self._users:
            return False
        self._users[user.name] = user
        self._log.append(entry)
        return True

    async def find_user(self, name: str) -> User | None:
        return self._users.get(name)

    async def keep_external_user(self, user: ExternalUser) -> None:
        kept = self._external_users
        for id_ in [id_ for id_, other in kept.items() if other.valid_until_s <= user.signed_in_at_s]:
            del kept[id_]
        kept[user.id] = user

    async def find_external_user(self, user_id: str) -> ExternalUser | None:
        return self._external_users.get(user_id)

    async def add_refresh_token(self, token: RefreshToken) -> None:
        ended = [id_ for id_, kept in self._refresh_tokens.items() if kept.expires_at_s <= token.created_at_s]
        for id_ in ended:
            del self._refresh_tokens[id_]
        self._refresh_tokens[token.id] = token

    async def find_refresh_token(self, token_id: str) -> RefreshToken | None:
        return self._refresh_tokens.get(token_id)

    async def spend_refresh_token(self, token_id: str, *, now_s: float) -> bool:
        token = self._refresh_tokens.get(token_id)
        if token is None or token.used_at_s is not None:
            return False
        self._refresh_tokens[token_id] = replace(token, used_at_s=now_s)
        return True

    async def spend(self, id_: str, *, now_s: float, until_s: float) -> bool:
        self._spent = {spent: until for spent, until in self._spent.items() if until > now_s}
        if id_ in self._spent:
            return False
        self._spent[id_] = until_s
        return True

    async def revoke(
        self, ids: Iterable[str], *, now_s: float, until_s: float, entry: AuditEntry | None = None
    ) -> None:
        self._revoked = {id_: until for id_, until in self._revoked.items() if until > now_s}
        for id_ in ids:
            self._revoked[id_] = max(until_s, self._revoked.get(id_, until_s))
        if entry is not None:
            self._log.append(entry)

    async def is_revoked(self, ids: Sequence[str]) -> bool:
        return any(id_ in self._revoked for id_ in ids)

    async def note(self, entry: AuditEntry) -> None:
        self._log.append(entry)

    async def audit_page(self, *, limit: int, before: int | None = None) -> Sequence[NumberedEntry]:
        end = len(self._log) if before is None else max(0, before - 1 - self._dropped)
        first = self._dropped + 1
        page = list(enumerate(self._log, first))[:end][-limit:]
        return [NumberedEntry(number, entry) for number, entry in reversed(page)]

    async def trim_audit_log(self, *, before_s: float, limit: int) -> int:
        old = list(itertools.takewhile(lambda entry: entry.at_s < before_s, self._log[:limit]))
        del self._log[: len(old)]
        self._dropped += len(old)
        return len(old)

    async def secret(self, name: str) -> bytes:
        return self._secrets.setdefault(name, secrets.token_bytes(32))

    async def ping(self) -> None:
        return None

    async def close(self) -> None:
        return None
