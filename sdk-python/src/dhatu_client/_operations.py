"""What generated resources extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from ._client import AsyncAPIClient, SyncAPIClient
    from ._modes import Mode


class AsyncOperations:
    """Some operations of an async client."""

    def __init__(self, client: AsyncAPIClient) -> None:
        self._client = client

    def _in_mode(self, mode: Mode) -> Self:
        """The same operations, their answers in another form."""
        return type(self)(self._client.in_mode(mode))


class SyncOperations:
    """Some operations of a sync client."""

    def __init__(self, client: SyncAPIClient) -> None:
        self._client = client

    def _in_mode(self, mode: Mode) -> Self:
        """The same operations, their answers in another form."""
        return type(self)(self._client.in_mode(mode))
