"""Records as rows of the SQLite store: each reading beside its writing."""

from __future__ import annotations

import sqlite3
from typing import Any

from dhatu_gateway.auth.records import ApiKey, AuditEntry, ExternalUser, NumberedEntry, RefreshToken, User

Row = tuple[Any, ...]  # columns differ in type; the functions below know them by position

KEY_COLUMNS = "id, name, owner, scopes, roles, digest, created_at_s, expires_at_s"
FIND_KEY = f"""
SELECT {KEY_COLUMNS} FROM api_keys WHERE id = ? AND revoked = 0
UNION ALL
SELECT '', 'nobody''s key', 'user:nobody', 'corpus:read corpus:write', '', zeroblob(32), 1800000000.5, NULL
LIMIT 1
"""
"""Answers a row for a key that does not exist too, so that reading it takes as long."""
USER_COLUMNS = "name, password, scopes, roles, created_at_s, disabled"
REFRESH_COLUMNS = "id, digest, family, subject, scopes, created_at_s, expires_at_s, used_at_s"
EXTERNAL_COLUMNS = "id, scopes, roles, signed_in_at_s, valid_until_s"


def insert_key(connection: sqlite3.Connection, key: ApiKey) -> None:
    connection.execute(
        f"INSERT INTO api_keys ({KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key.id,
            key.name,
            key.owner,
            joined(key.scopes),
            joined(key.roles),
            key.digest,
            key.created_at_s,
            key.expires_at_s,
        ),
    )


def note(connection: sqlite3.Connection, entry: AuditEntry) -> None:
    connection.execute(
        "INSERT INTO audit_log (at_s, actor, act, target, details) VALUES (?, ?, ?, ?, ?)",
        (entry.at_s, entry.actor, entry.act, entry.target, entry.details),
    )


def numbered(row: Row) -> NumberedEntry:
    number, at_s, actor, act, target, details = row
    return NumberedEntry(number, AuditEntry(at_s=at_s, actor=actor, act=act, target=target, details=details))


def joined(names: frozenset[str]) -> str:
    return " ".join(sorted(names))


def key_of(row: Row) -> ApiKey:
    return ApiKey(
        id=row[0],
        name=row[1],
        owner=row[2],
        scopes=frozenset(row[3].split()),
        roles=frozenset(row[4].split()),
        digest=bytes(row[5]),
        created_at_s=row[6],
        expires_at_s=row[7],
    )


def user_of(row: Row) -> User:
    return User(
        name=row[0],
        password=row[1],
        scopes=frozenset(row[2].split()),
        roles=frozenset(row[3].split()),
        created_at_s=row[4],
        disabled=bool(row[5]),
    )


def refresh_token_of(row: Row) -> RefreshToken:
    return RefreshToken(
        id=row[0],
        digest=bytes(row[1]),
        family=row[2],
        subject=row[3],
        scopes=frozenset(row[4].split()),
        created_at_s=row[5],
        expires_at_s=row[6],
        used_at_s=row[7],
    )


def external_user_of(row: Row) -> ExternalUser:
    return ExternalUser(
        id=row[0],
        scopes=frozenset(row[1].split()),
        roles=frozenset(row[2].split()),
        signed_in_at_s=row[3],
        valid_until_s=row[4],
    )
