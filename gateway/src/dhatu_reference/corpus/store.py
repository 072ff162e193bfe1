"""The corpus in SQLite, with a full-text index (FTS5)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from threading import Lock
from typing import Final, final

from .documents import Document, DocumentInput, LanguageStats

MEMORY: Final = ":memory:"
_SCHEMA: Final = files("dhatu_reference.corpus").joinpath("schema.sql")
_COLUMNS: Final = "id, title, text, language, source, characters, collected_at"


class CorpusDatabaseError(Exception):
    """A database that cannot be opened."""


@final
class Store:
    """Blocks; may be called from any thread, one call at a time goes to the database."""

    def __init__(
        self, path: str = MEMORY, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._now = now
        self._lock = Lock()
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False)
        except sqlite3.Error as error:
            raise CorpusDatabaseError(f"The database {path} cannot be opened: {error}.") from error
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
        except sqlite3.Error as error:
            self._connection.close()
            raise CorpusDatabaseError(f"The database {path} cannot be prepared: {error}.") from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection, alone; what is written is kept where the block ends without an exception."""
        with self._lock, self._connection:
            yield self._connection

    def stage(self, batch: str, documents: Iterable[DocumentInput]) -> None:
        """Put documents aside until `index_staged` takes them."""
        rows = [(batch, item.id, item.title, item.text, item.language, item.source) for item in documents]
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO staged (batch, id, title, text, language, source) VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def discard_staged(self, batch: str) -> None:
        with self.transaction() as connection:
            connection.execute("DELETE FROM staged WHERE batch = ?", (batch,))

    def index_staged(self, batch: str, *, limit: int) -> tuple[int, int]:
        """Add the next staged documents: how many were new, and how many the corpus held already."""
        with self.transaction() as connection:
            rows = connection.execute(
                "SELECT number, id, title, text, language, source FROM staged"
                " WHERE batch = ? ORDER BY number LIMIT ?",
                (batch, limit),
            ).fetchall()
            added = self._insert(connection, [row[1:] for row in rows])
            if rows:
                connection.execute("DELETE FROM staged WHERE batch = ? AND number <= ?", (batch, rows[-1][0]))
        return added, len(rows) - added

    def add(self, documents: Iterable[DocumentInput]) -> int:
        """Add documents at once; how many were new."""
        rows = [(item.id, item.title, item.text, item.language, item.source) for item in documents]
        with self.transaction() as connection:
            return self._insert(connection, rows)

    def get(self, document_id: str) -> Document | None:
        with self.transaction() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM documents WHERE id = ?", (document_id,)
            ).fetchone()
        if row is None:
            return None
        identity, title, text, language, source, characters, collected_at = row
        return Document(
            id=identity,
            title=title,
            text=text,
            language=language,
            source=source,
            characters=characters,
            collected_at=collected_at,
        )

    def delete(self, document_id: str) -> bool:
        """False where there was no such document."""
        with self.transaction() as connection:
            return connection.execute("DELETE FROM documents WHERE id = ?", (document_id,)).rowcount == 1

    def stats(self) -> tuple[LanguageStats, ...]:
        """By language, the one with the most documents first."""
        with self.transaction() as connection:
            rows = connection.execute(
                "SELECT language, count(*), sum(characters) FROM documents"
                " GROUP BY language ORDER BY count(*) DESC, language"
            ).fetchall()
        return tuple(
            LanguageStats(language=language, documents=documents, characters=characters)
            for language, documents, characters in rows
        )

    def _insert(self, connection: sqlite3.Connection, rows: Sequence[tuple[str, str, str, str, str]]) -> int:
        collected_at = timestamp(self._now())
        added = 0
        for identity, title, text, language, source in rows:
            values = (identity, title, text, language, source, len(text), collected_at)
            cursor = connection.execute(
                f"INSERT INTO documents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                values,
            )
            added += cursor.rowcount
        return added


def timestamp(moment: datetime) -> str:
    """RFC 3339, in milliseconds.

    >>> timestamp(datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    '2026-03-01T09:30:00.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
