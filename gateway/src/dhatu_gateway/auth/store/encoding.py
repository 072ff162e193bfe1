"""Records as JSON, for stores that keep text."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import orjson

from dhatu_gateway.auth.records import ApiKey, AuditEntry, ExternalUser, RefreshToken, User


def written(record: ApiKey | User | ExternalUser | RefreshToken | AuditEntry) -> bytes:
    """The same bytes for the same record."""
    members = {field.name: getattr(record, field.name) for field in fields(record)}
    return orjson.dumps(members, default=_plain, option=orjson.OPT_SORT_KEYS)


def read_key(text: bytes) -> ApiKey:
    return ApiKey(**_members(text))


def read_user(text: bytes) -> User:
    return User(**_members(text))


def read_external_user(text: bytes) -> ExternalUser:
    return ExternalUser(**_members(text))


def read_refresh_token(text: bytes, *, used_at_s: float | None) -> RefreshToken:
    return replace(RefreshToken(**_members(text)), used_at_s=used_at_s)


def read_entry(text: bytes) -> AuditEntry:
    return AuditEntry(**_members(text))


def _plain(value: object) -> object:
    match value:
        case frozenset():
            return sorted(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of names
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"no record holds a {type(value).__name__}")


def _members(text: bytes) -> dict[str, Any]:
    members: dict[str, Any] = orjson.loads(text)
    for name in ("scopes", "roles"):
        if name in members:
            members[name] = frozenset(members[name])
    if "digest" in members:
        members["digest"] = bytes.fromhex(members["digest"])
    return members
