"""Answers that are a series of items: server-sent events and JSON Lines."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T", covariant=True)


class EventStream(Generic[T]):
    """Items that are still arriving."""


class SyncEventStream(Generic[T]):
    """Items that are still arriving."""
