"""The tables of the SQLite store, version by version; a released version is never changed again."""

from __future__ import annotations

import sqlite3

from dhatu_gateway.auth.errors import StoreError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE api_keys (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            owner TEXT NOT NULL,
            scopes TEXT NOT NULL,
            roles TEXT NOT NULL,
            digest BLOB NOT NULL,
            created_at_s REAL NOT NULL,
            expires_at_s REAL,
            revoked INTEGER NOT NULL DEFAULT 0
        )
        """,
        "CREATE INDEX api_keys_by_age ON api_keys (created_at_s, id) WHERE revoked = 0",
        """
        CREATE TABLE users (
            name TEXT PRIMARY KEY,
            password TEXT NOT NULL,
            scopes TEXT NOT NULL,
            roles TEXT NOT NULL,
            created_at_s REAL NOT NULL,
            disabled INTEGER NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE TABLE refresh_tokens (
            id TEXT PRIMARY KEY,
            digest BLOB NOT NULL,
            family TEXT NOT NULL,
            subject TEXT NOT NULL,
            scopes TEXT NOT NULL,
            created_at_s REAL NOT NULL,
            expires_at_s REAL NOT NULL,
            used_at_s REAL
        )
        """,
        "CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at_s)",
        "CREATE TABLE revocations (id TEXT PRIMARY KEY, until_s REAL NOT NULL)",
        "CREATE INDEX revocations_by_end ON revocations (until_s)",
        "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    ),
    (
        """
        CREATE TABLE audit_log (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at_s REAL NOT NULL,
            actor TEXT NOT NULL,
            act TEXT NOT NULL,
            target TEXT NOT NULL,
            details TEXT NOT NULL
        )
        """,
    ),
    (
        """
        CREATE TABLE external_users (
            id TEXT PRIMARY KEY,
            scopes TEXT NOT NULL,
            roles TEXT NOT NULL,
            signed_in_at_s REAL NOT NULL,
            valid_until_s REAL NOT NULL
        )
        """,
        "CREATE INDEX external_users_by_end ON external_users (valid_until_s)",
        "CREATE TABLE spent (id TEXT PRIMARY KEY, until_s REAL NOT NULL)",
        "CREATE INDEX spent_by_end ON spent (until_s)",
    ),
)


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring the file to the newest version in one transaction; several processes may try at once.

    `PRAGMA user_version` counts the migrations that the file has seen.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StoreError(
                f"{path} was written by a newer gateway (schema {version}; this knows {len(MIGRATIONS)}): "
                "upgrade this gateway or point GATEWAY_DATABASE at another file"
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
