"""Credentials in one SQLite file, shared by the workers of one machine.

Reads run on the event loop: they are point lookups of some 20 us, a write-ahead log never makes a reader
wait, and verified credentials are cached, so that they are rare. Writes wait for the disk and for other
processes, so they run in a thread.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from dhatu_gateway.auth.errors import StoreError
from dhatu_gateway.auth.records import (
    ApiKey,
    AuditEntry,
    ExternalUser,
    NumberedEntry,
    Position,
    RefreshToken,
    User,
)
from dhatu_gateway.auth.store.migrations import migrate
from dhatu_gateway.auth.store.rows import (
    EXTERNAL_COLUMNS,
    FIND_KEY,
    KEY_COLUMNS,
    REFRESH_COLUMNS,
    USER_COLUMNS,
    Row,
    external_user_of,
    insert_key,
    joined,
    key_of,
    note,
    numbered,
    refresh_token_of,
    user_of,
)

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
BUSY_PAUSE_S = 0.01


class SqliteStore:
    """A `CredentialStore` in a file; made in the event loop's thread and used there."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the file and bring its tables up to date; raises `StoreError` where it cannot."""
        self._path = str(path)
        try:
            _create(self._path)
            self._writer = _connect(self._path)
            migrate(self._writer, self._path)
            self._reader = _connect(self._path)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot open the credential store {self._path}: {error}") from error
        # One thread: the writer connection is used by one call at a time.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="credential-store")

    def _read(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the credential store {self._path}: {error}") from error

    async def _write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, change)

    def _commit(self, change: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                result = change(self._writer)
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"cannot write the credential store {self._path}: {error}") from error
        return result

    async def add_key(self, key: ApiKey, entry: AuditEntry) -> None:
        def change(connection: sqlite3.Connection) -> None:
            insert_key(connection, key)
            note(connection, entry)

        await self._write(change)

    async def find_key(self, key_id: str) -> ApiKey | None:
        key = key_of(self._read(FIND_KEY, (key_id,))[0])
        return key if key.id == key_id else None

    async def list_keys(self, *, after: Position | None, limit: int) -> Sequence[ApiKey]:
        start = (after.created_at_s, after.id) if after else (-1.0, "")
        rows = self._read(
            f"SELECT {KEY_COLUMNS} FROM api_keys WHERE revoked = 0 AND (created_at_s, id) > (?, ?) "
            "ORDER BY created_at_s, id LIMIT ?",
            (*start, limit),
        )
        return [key_of(row) for row in rows]

    async def revoke_key(self, key_id: str, entry: AuditEntry) -> bool:
        sql = "UPDATE api_keys SET revoked = 1 WHERE id = ? AND revoked = 0"

        def change(connection: sqlite3.Connection) -> bool:
            done = connection.execute(sql, (key_id,)).rowcount == 1
            if done:
                note(connection, entry)
            return done

        return await self._write(change)

    async def replace_key(self, old: ApiKey, new: ApiKey, entry: AuditEntry, *, until_s: float) -> bool:
        ends = "UPDATE api_keys SET expires_at_s = ? WHERE id = ?"

        def change(connection: sqlite3.Connection) -> bool:
            if key_of(connection.execute(FIND_KEY, (old.id,)).fetchone()) != old:
                return False
            connection.execute(ends, (old.ending(until_s).expires_at_s, old.id))
            insert_key(connection, new)
            note(connection, entry)
            return True

        return await self._write(change)

    async def add_user(self, user: User, entry: AuditEntry) -> bool:
        values = (
            user.name,
            user.password,
            joined(user.scopes),
            joined(user.roles),
            user.created_at_s,
            int(user.disabled),
        )
        sql = f"INSERT INTO users ({USER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

        def change(connection: sqlite3.Connection) -> bool:
            done = connection.execute(sql, values).rowcount == 1
            if done:
                note(connection, entry)
            return done

        return await self._write(change)

    async def find_user(self, name: str) -> User | None:
        rows = self._read(f"SELECT {USER_COLUMNS} FROM users WHERE name = ?", (name,))
        return user_of(rows[0]) if rows else None

    async def keep_external_user(self, user: ExternalUser) -> None:
        values = (user.id, joined(user.scopes), joined(user.roles), user.signed_in_at_s, user.valid_until_s)
        sql = f"INSERT OR REPLACE INTO external_users ({EXTERNAL_COLUMNS}) VALUES (?, ?, ?, ?, ?)"

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM external_users WHERE valid_until_s <= ?", (user.signed_in_at_s,))
            connection.execute(sql, values)

        await self._write(change)

    async def find_external_user(self, user_id: str) -> ExternalUser | None:
        rows = self._read(f"SELECT {EXTERNAL_COLUMNS} FROM external_users WHERE id = ?", (user_id,))
        return external_user_of(rows[0]) if rows else None

    async def add_refresh_token(self, token: RefreshToken) -> None:
        values = (
            token.id,
            token.digest,
            token.family,
            token.subject,
            joined(token.scopes),
            token.created_at_s,
            token.expires_at_s,
            token.used_at_s,
        )

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM refresh_tokens WHERE expires_at_s <= ?", (token.created_at_s,))
            connection.execute(
                f"INSERT INTO refresh_tokens ({REFRESH_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values
            )

        await self._write(change)

    async def find_refresh_token(self, token_id: str) -> RefreshToken | None:
        rows = self._read(f"SELECT {REFRESH_COLUMNS} FROM refresh_tokens WHERE id = ?", (token_id,))
        return refresh_token_of(rows[0]) if rows else None

    async def spend_refresh_token(self, token_id: str, *, now_s: float) -> bool:
        sql = "UPDATE refresh_tokens SET used_at_s = ? WHERE id = ? AND used_at_s IS NULL"
        return await self._write(lambda connection: connection.execute(sql, (now_s, token_id)).rowcount == 1)

    async def spend(self, id_: str, *, now_s: float, until_s: float) -> bool:
        sql = "INSERT INTO spent (id, until_s) VALUES (?, ?) ON CONFLICT DO NOTHING"

        def change(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM spent WHERE until_s <= ?", (now_s,))
            return connection.execute(sql, (id_, until_s)).rowcount == 1

        return await self._write(change)

    async def revoke(
        self, ids: Iterable[str], *, now_s: float, until_s: float, entry: AuditEntry | None = None
    ) -> None:
        rows = [(id_, until_s) for id_ in ids]

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM revocations WHERE until_s <= ?", (now_s,))
            connection.executemany(
                "INSERT INTO revocations (id, until_s) VALUES (?, ?) "
                "ON CONFLICT (id) DO UPDATE SET until_s = max(until_s, excluded.until_s)",
                rows,
            )
            if entry is not None:
                note(connection, entry)

        await self._write(change)

    async def is_revoked(self, ids: Sequence[str]) -> bool:
        marks = ", ".join("?" * len(ids))
        return bool(self._read(f"SELECT 1 FROM revocations WHERE id IN ({marks}) LIMIT 1", ids))

    async def note(self, entry: AuditEntry) -> None:
        await self._write(lambda connection: note(connection, entry))

    async def audit_page(self, *, limit: int, before: int | None = None) -> Sequence[NumberedEntry]:
        sql = (
            "SELECT number, at_s, actor, act, target, details FROM audit_log"
            " WHERE number < ? ORDER BY number DESC LIMIT ?"
        )
        return [numbered(row) for row in self._read(sql, (before or 2**62, limit))]

    async def trim_audit_log(self, *, before_s: float, limit: int) -> int:
        sql = (
            "DELETE FROM audit_log WHERE number IN"
            " (SELECT number FROM audit_log WHERE at_s < ? ORDER BY number LIMIT ?)"
        )
        cursor = await self._write(lambda connection: connection.execute(sql, (before_s, limit)))
        return cursor.rowcount

    async def secret(self, name: str) -> bytes:
        new = secrets.token_bytes(32)
        sql = "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
        await self._write(lambda connection: connection.execute(sql, (name, new)))
        ((value,),) = self._read("SELECT value FROM secrets WHERE name = ?", (name,))
        return bytes(value)

    async def ping(self) -> None:
        self._read("SELECT 1 FROM revocations LIMIT 1", ())

    async def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._reader.close()
        self._writer.close()


def _create(path: str) -> None:
    """Make the file, if there is none; only the gateway's own account may read it, whatever the umask says.

    One that exists is not opened: to close it would end the locks that SQLite holds for other stores of this
    process (fcntl(2)), and another process would take the log away under their hands.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _connect(path: str) -> sqlite3.Connection:
    # check_same_thread: the writer is handed to its thread, never shared. isolation_level None: transactions
    # are explicit.
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    _use_write_ahead_log(connection)
    # FULL: a revocation that was answered must outlive a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    # The only statement that SQLite does not wait for a lock with: workers that start together on a new file
    # meet here.
    give_up_at_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at_s:
                raise
            time.sleep(BUSY_PAUSE_S)
