"""Where the answers to idempotency keys are kept."""

from __future__ import annotations

from typing import Protocol

from dhatu_gateway.core.idempotency.records import Found, KeptAnswer


class AnswerStore(Protocol):
    """Shared by all requests of a process, or of all processes; raises `StorageUnavailableError`."""

    async def begin(self, name: str, holder: str, *, hold_s: float) -> Found:
        """Take a key, unless it is taken: `Started` for one of all who ask at the same time.

        Whoever is told `Started` has to `finish` or to `abandon` it; after `hold_s` it is free again.
        """
        ...

    async def finish(self, name: str, holder: str, answer: KeptAnswer, *, keep_s: float) -> None:
        """Keep the answer for `keep_s`, if the key still belongs to `holder`."""
        ...

    async def abandon(self, name: str, holder: str) -> None:
        """Free the key, if it still belongs to `holder`: the next request runs."""
        ...
