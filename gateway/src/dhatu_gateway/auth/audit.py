"""What was done to keys and people: read by whoever may, and kept for a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from dhatu_gateway.auth.answers import refusing
from dhatu_gateway.auth.errors import StoreError
from dhatu_gateway.auth.records import AuditEntry
from dhatu_gateway.auth.store.interface import CredentialStore
from dhatu_gateway.generated import models

TRIM_AT_ONCE = 1_000
"""Entries that one change of the store drops, so that nobody waits long behind it."""
LOOK_EVERY_S = 3_600.0
DAY_S = 86_400.0

_logger = logging.getLogger("dhatu.audit")


def add_audit(router: APIRouter, store: CredentialStore) -> None:
    """The handler of the audit log."""

    @router.get("/api/v1/audit")
    async def list_(
        page_size: Annotated[int, Query(ge=1, le=200)] = 50,
        before: Annotated[int | None, Query(ge=1, le=2**52)] = None,
    ) -> models.AuditPage:
        with refusing():
            # One more than the page holds tells whether there is another page.
            found = await store.audit_page(limit=page_size + 1, before=before)
        page = found[:page_size]
        return models.AuditPage(
            entries=[_shown(number, entry) for number, entry in page],
            next_before=page[-1].number if len(found) > page_size else None,
        )


def _shown(number: int, entry: AuditEntry) -> models.AuditEntry:
    return models.AuditEntry(
        number=number,
        at=datetime.fromtimestamp(entry.at_s, UTC),
        actor=entry.actor,
        act=entry.act,
        target=entry.target,
        details=entry.details,
    )


async def trim(store: CredentialStore, *, before_s: float) -> int:
    """Drop every entry that is older; returns how many went. Raises `StoreError`."""
    gone = 0
    while True:
        dropped = await store.trim_audit_log(before_s=before_s, limit=TRIM_AT_ONCE)
        gone += dropped
        if dropped < TRIM_AT_ONCE:
            return gone


async def keep_trimmed(
    store: CredentialStore,
    keep_days: int,
    *,
    wall_clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Drop entries that are older than so many days, again and again, until cancelled."""
    while True:
        try:
            gone = await trim(store, before_s=wall_clock() - keep_days * DAY_S)
        except StoreError as error:
            _logger.warning("old entries of the audit log stay for now: %s", error)
        else:
            if gone:
                _logger.info(
                    "dropped %d entries of the audit log that were older than %d days", gone, keep_days
                )
        await sleep(LOOK_EVERY_S)
