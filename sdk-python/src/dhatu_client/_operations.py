"""What generated resources extend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._client import AsyncAPIClient, SyncAPIClient


class AsyncOperations:
    """Some operations of an async client."""

    def __init__(self, client: AsyncAPIClient) -> None:
        self._client = client


class SyncOperations:
    """Some operations of a sync client."""

    def __init__(self, client: SyncAPIClient) -> None:
        self._client = client
