"""Which limits of a route are held by a call while it is under way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.rate_limiting.algorithms.concurrency import Concurrency
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.rules import Rule
from dhatu_gateway.rate_limiting.storage.memory import MemoryStorage


class Slots:
    """The limits of a route that count the calls under way, by their indices."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.at = tuple(at for at, rule in enumerate(rules) if isinstance(rule.algorithm, Concurrency))
        self._refusing = tuple(at for at, rule in enumerate(rules) if not rule.watched)

    def held(self, decisions: Sequence[Decision | None]) -> list[int]:
        """Those of which a call that was decided so holds slots: none where any limit has refused it."""
        for at in self._refusing:
            decision = decisions[at]
            if decision is not None and decision.wait_us:
                return []
        return [at for at in self.at if (made := decisions[at]) is not None and not made.wait_us]


class LocalHolds:
    """Has the slots that calls hold in memory given back when they are over."""

    def __init__(self, rules: Sequence[Rule], storage: MemoryStorage) -> None:
        self._held = Slots(rules).held
        self._give_back = storage.giver_back(rules)

    def note(
        self, exchange: Exchange, callers: Sequence[str | None], decisions: Sequence[Decision | None]
    ) -> None:
        held = self._held(decisions)
        if held:
            exchange.on_end.append(partial(self._give_back, callers, held))
