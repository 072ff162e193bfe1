"""Ranked search, page by page."""

from __future__ import annotations

import json
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from typing import Final, cast

from .query import match_expression
from .store import Store

_RANK: Final = "bm25(documents_index, 3.0, 1.0)"  # a hit in the title weighs three times one in the text
_SNIPPET: Final = "snippet(documents_index, 1, char(2), char(3), ' … ', 24)"
_MAX_INTEGER: Final = 2**63 - 1


class CursorError(Exception):
    """A cursor that this search did not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What to look for, and which page of it."""

    q: str
    language: str = ""
    """Canonical; empty for all languages."""
    limit: int = 20
    cursor: str = ""
    """Empty for the first page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A document that a search found."""

    id: str
    title: str
    language: str
    source: str
    score: float
    snippet: str
    """HTML, each hit in a `mark` element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Hits, the best first."""

    total: int
    hits: tuple[SearchHit, ...]
    next_cursor: str
    """Empty on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Position:
    """Where a page ended."""

    horizon: int
    """The newest document when the first page was asked for."""
    seen: int
    """How many documents came on this page and those before it."""
    last: int
    """Number of the last one."""
    total: int


def search(store: Store, request: SearchRequest) -> SearchPage:
    """One page of what matches; raises `CursorError`."""
    position = _decode(request) if request.cursor else None
    expression = match_expression(request.q)
    if not expression:
        return SearchPage(total=0, hits=(), next_cursor="")
    with store.transaction() as connection:
        horizon = position.horizon if position else _newest(connection)
        ranking = _ranking(connection, expression, request.language, horizon)
        start = _start(ranking, position) if position else 0
        page = ranking[start : start + request.limit]
        hits = _hits(connection, expression, page)
    end = start + len(page)
    next_cursor = ""
    if end < len(ranking):
        reached = _Position(horizon=horizon, seen=end, last=page[-1][0], total=len(ranking))
        next_cursor = _encode(request, reached)
    return SearchPage(total=len(ranking), hits=hits, next_cursor=next_cursor)


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(number), 0) FROM documents").fetchone()[0])


def _ranking(
    connection: sqlite3.Connection, expression: str, language: str, horizon: int
) -> list[tuple[int, float]]:
    """Number and score of every match, the best first; scores are negative, as FTS5 gives them."""
    rows = connection.execute(
        f"SELECT documents.number, {_RANK} AS score"
        " FROM documents_index JOIN documents ON documents.number = documents_index.rowid"
        " WHERE documents_index MATCH :expression AND documents.number <= :horizon"
        " AND (:language = '' OR documents.language = :language OR documents.language LIKE :language || '-%')"
        " ORDER BY score, documents.number",
        {"expression": expression, "horizon": horizon, "language": language},
    )
    return rows.fetchall()


def _start(ranking: list[tuple[int, float]], position: _Position) -> int:
    """Where the next page begins: behind the last document seen.

    Where that one was deleted meanwhile, as many steps back as documents were deleted: some may then come
    twice, but none is left out, and a reader that deletes what it reads gets each exactly once.
    """
    for index, (number, _) in enumerate(ranking):
        if number == position.last:
            return index + 1
    deleted = position.total - len(ranking)
    return min(max(position.seen - deleted, 0), len(ranking))


def _hits(
    connection: sqlite3.Connection, expression: str, page: list[tuple[int, float]]
) -> tuple[SearchHit, ...]:
    placeholders = ", ".join("?" * len(page))
    rows = connection.execute(
        f"SELECT number, id, documents.title, language, source, {_SNIPPET}"
        " FROM documents_index JOIN documents ON documents.number = documents_index.rowid"
        f" WHERE documents_index MATCH ? AND documents_index.rowid IN ({placeholders})",
        (expression, *(number for number, _ in page)),
    ).fetchall()
    by_number = {row[0]: row[1:] for row in rows}
    return tuple(_hit(by_number[number], score) for number, score in page)


def _hit(row: tuple[str, str, str, str, str], score: float) -> SearchHit:
    identity, title, language, source, snippet = row
    marked = escape(snippet, quote=False).replace("\x02", "<mark>").replace("\x03", "</mark>")
    return SearchHit(
        id=identity, title=title, language=language, source=source, score=round(-score, 6), snippet=marked
    )


def _fingerprint(request: SearchRequest) -> str:
    return blake2b(json.dumps([request.q, request.language]).encode(), digest_size=6).hexdigest()


def _encode(request: SearchRequest, position: _Position) -> str:
    fields = [position.horizon, position.seen, position.last, position.total, _fingerprint(request)]
    return urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(request: SearchRequest) -> _Position:
    padded = request.cursor + "=" * (-len(request.cursor) % 4)
    try:
        fields: object = json.loads(urlsafe_b64decode(padded.encode()))
    except (Base64Error, ValueError, RecursionError) as error:
        raise CursorError("is not a next_cursor of this operation") from error
    if not isinstance(fields, list) or len(cast("list[object]", fields)) != 5:
        raise CursorError("is not a next_cursor of this operation")
    *numbers, fingerprint = cast("list[object]", fields)
    if fingerprint != _fingerprint(request):
        raise CursorError("belongs to another search; send the q and language that it came from")
    horizon, seen, last, total = (_natural(number) for number in numbers)
    return _Position(horizon=horizon, seen=seen, last=last, total=total)


def _natural(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_INTEGER:
        raise CursorError("is not a next_cursor of this operation")
    return value
