"""Limits while the server that keeps them is out."""

from __future__ import annotations

from collections.abc import Sequence

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.leases import Callers
from dhatu_gateway.rate_limiting.rules import Rule, shared_out
from dhatu_gateway.rate_limiting.slots import LocalHolds
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage
from dhatu_gateway.shared.link import StorageUnavailableError


class Alone:
    """What becomes of calls meanwhile."""

    def __init__(self, rules: tuple[Rule, ...], share: float) -> None:
        """`share` is the part of each limit that this process allows."""
        self._closes = [rule.policy.on_store_failure == "closed" and not rule.watched for rule in rules]
        self._counts = [rule.policy.on_store_failure == "local" for rule in rules]
        storage, parts = MemoryStorage(), [shared_out(rule, share) for rule in rules]
        self._take = storage.limiter(parts)
        self._holds = LocalHolds(parts, storage)

    def take(
        self, callers: Callers, now_us: int, error: StorageUnavailableError
    ) -> Sequence[Decision | None]:
        """Raises `ProblemError` where a limit of the call is `closed`."""
        if any(closes and key is not None for closes, key in zip(self._closes, callers, strict=True)):
            detail = "Limits cannot be checked at the moment; try again."
            raise ProblemError("unavailable", detail, headers=[(b"retry-after", b"1")]) from error
        here = [key if counts else None for key, counts in zip(callers, self._counts, strict=True)]
        return self._take(here, now_us)

    def hold(
        self, exchange: Exchange, callers: Callers, now_us: int, error: StorageUnavailableError
    ) -> Sequence[Decision | None]:
        """The same for a call that holds slots until it is over."""
        decisions = self.take(callers, now_us, error)
        self._holds.note(exchange, callers, decisions)
        return decisions
