"""API keys: `dhk_<id>_<secret>_<checksum>`.

The secret holds 32 base-62 characters, 190 bits, so a fast keyed hash keeps it as safe as a slow one would.
The hash's key belongs to the store and not to the token signature: changing JWT_SECRET_KEY must not end every
API key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dhatu_gateway.auth.base62 import checksum, random_text
from dhatu_gateway.auth.errors import InvalidCredentialError
from dhatu_gateway.auth.identity import Identity, key_id
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.auth.records import Act, ApiKey, AuditEntry, Position
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.core.exchange import Principal

ID_LENGTH = 12
SECRET_LENGTH = 32
FORM = re.compile(rb"dhk_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}", re.ASCII)

MALFORMED = "The API key is malformed; copy it again, it looks like dhk_<id>_<secret>_<checksum>."
INVALID = "The API key is unknown, revoked or expired."
NAME = re.compile(r"[a-z][a-z0-9_-]*(:[a-z][a-z0-9-]*)?", re.ASCII)
"""A scope or a role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """The key to create."""

    name: str
    owner: str
    scopes: frozenset[str]
    roles: frozenset[str] = frozenset()
    expires_in_s: float | None = None


class ApiKeys:
    """Creates, verifies, rotates and lists API keys."""

    def __init__(self, store: CredentialStore, hash_key: bytes, roles: Roles | None = None) -> None:
        self._store = store
        self._roles = roles or Roles()
        self._hash_key = hash_key
        self._no_digest = self._digest(b"")

    async def create(self, new: NewKey, *, actor: str, now_s: float) -> tuple[ApiKey, str]:
        """Make a key; the second value is the key itself, which nobody can find out later.

        Raises `ValueError` where a scope or role is not a name.
        """
        check_names(new.scopes | new.roles)
        record, whole = self._make(new, now_s=now_s)
        await self._store.add_key(record, _entry(record, "key.create", actor))
        return record, whole

    async def rotate(
        self, id_: str, *, overlap_s: float, actor: str, now_s: float
    ) -> tuple[ApiKey, str] | None:
        """Make a key that allows the same; the old one ends after `overlap_s`, 0 for at once.

        The new key lives as long as the old one was to live. None where there is no such key, or it has ended
        or been changed meanwhile.
        """
        old = await self._store.find_key(id_)
        if old is None or old.ends_by(now_s):
            return None
        life_s = None if old.expires_at_s is None else old.expires_at_s - old.created_at_s
        new = NewKey(name=old.name, owner=old.owner, scopes=old.scopes, roles=old.roles, expires_in_s=life_s)
        record, whole = self._make(new, now_s=now_s)
        entry = replace(_entry(record, "key.rotate", actor), details=f"from {key_id(id_)}")
        until_s = now_s + overlap_s
        return (record, whole) if await self._store.replace_key(old, record, entry, until_s=until_s) else None

    def _make(self, new: NewKey, *, now_s: float) -> tuple[ApiKey, str]:
        id_ = random_text(ID_LENGTH)
        body = f"dhk_{id_}_{random_text(SECRET_LENGTH)}"
        whole = f"{body}_{checksum(body)}"
        record = ApiKey(
            id=id_,
            name=new.name,
            owner=new.owner,
            scopes=new.scopes,
            roles=new.roles,
            digest=self._digest(whole.encode()),
            created_at_s=now_s,
            expires_at_s=None if new.expires_in_s is None else now_s + new.expires_in_s,
        )
        return record, whole

    async def verify(self, value: bytes, *, now_s: float) -> Identity:
        """Find out whose key this is; raises `InvalidCredentialError` for one that is not valid now."""
        form = FORM.fullmatch(value)
        if form is None or checksum(value[:-7].decode("ascii")).encode() != value[-6:]:
            raise InvalidCredentialError(MALFORMED)
        record = await self._store.find_key(form[1].decode("ascii"))
        # An unknown key costs what a wrong one costs: one lookup, one hash, one comparison.
        expected = record.digest if record is not None else self._no_digest
        if not hmac.compare_digest(self._digest(value), expected) or record is None:
            raise InvalidCredentialError(INVALID)
        if record.ends_by(now_s):
            raise InvalidCredentialError(INVALID)
        return Identity(
            principal=self._roles.expand(principal_of(record)),
            expires_at_s=record.expires_at_s,
            revocation_ids=(key_id(record.id),),
        )

    async def list(self, *, after: Position | None, limit: int) -> Sequence[ApiKey]:
        """Keys that have not been revoked, the oldest first."""
        return await self._store.list_keys(after=after, limit=limit)

    def _digest(self, value: bytes) -> bytes:
        return hmac.digest(self._hash_key, value, hashlib.sha256)


def principal_of(record: ApiKey) -> Principal:
    """The caller that a key stands for, before its roles are expanded."""
    return Principal(id=key_id(record.id), kind="api_key", scopes=record.scopes, roles=record.roles)


def _entry(record: ApiKey, act: Act, actor: str) -> AuditEntry:
    granted = " ".join((*sorted(record.scopes), *sorted(record.roles)))
    return AuditEntry(
        at_s=record.created_at_s, actor=actor, act=act, target=key_id(record.id), details=f"grants {granted}"
    )


def check_names(names: frozenset[str]) -> None:
    """Refuse what cannot be a scope or role, such as a name with a space in it, by `ValueError`."""
    for name in sorted(names):
        if NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is neither a scope such as corpus:read nor a role such as analyst")
