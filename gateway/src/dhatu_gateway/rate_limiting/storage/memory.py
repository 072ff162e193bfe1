"""What callers have left, in the memory of one process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeAlias

from dhatu_gateway.rate_limiting.algorithms.concurrency import Concurrency
from dhatu_gateway.rate_limiting.algorithms.interface import Algorithm, State
from dhatu_gateway.rate_limiting.decision import Decision
from dhatu_gateway.rate_limiting.rules import Rule, take

TakeOne: TypeAlias = Callable[[str, int], Decision]
"""Charges a call of a caller to one limit at a time in microseconds."""
TakeAll: TypeAlias = Callable[[Sequence[str | None], int], Sequence[Decision | None]]
"""The same for several limits at once; those whose key is None do not count the call, and decide nothing."""
GiveBack: TypeAlias = Callable[[Sequence[str | None], Sequence[int]], None]
"""Gives back the slots that a call of these callers holds, of the limits with these indices."""

MAX_CALLERS = 65_536
"""Per limit. A caller takes some 300 bytes, and eight more for each call in a log."""


class MemoryStorage:
    """Makes limiters that share nothing with other processes."""

    def __init__(self, *, max_callers: int = MAX_CALLERS) -> None:
        self._max_callers = max_callers
        self._tables: dict[str, Table] = {}

    def limiter_of_one(self, rule: Rule) -> TakeOne:
        """The short way for a route with one limit that is `plain`; made at boot."""
        table, algorithm, cost = self._table(rule), rule.algorithm, rule.cost
        step = algorithm.step

        def take_one(key: str, now_us: int) -> Decision:
            state = table.find(key, now_us, algorithm)
            after, decision = step(state, now_us, cost)
            if not decision.wait_us:
                table.states[key] = after
            return decision

        return take_one

    def limiter(self, rules: Sequence[Rule]) -> TakeAll:
        """All limits of a route; made at boot."""
        tables = [self._table(rule) for rule in rules]

        def take_all(keys: Sequence[str | None], now_us: int) -> Sequence[Decision | None]:
            counted = [
                (rule, table, key)
                for rule, table, key in zip(rules, tables, keys, strict=True)
                if key is not None
            ]
            before = [table.find(key, now_us, rule.algorithm) for rule, table, key in counted]
            _, after, decisions = take([rule for rule, _, _ in counted], before, now_us)
            for (_, table, key), old, state in zip(counted, before, after, strict=True):
                if state is not old:
                    table.states[key] = state
            made = iter(decisions)
            return [None if key is None else next(made) for key in keys]

        return take_all

    def giver_back(self, rules: Sequence[Rule]) -> GiveBack:
        """For the limits of a route that count the calls under way; made at boot."""
        tables = [self._table(rule) for rule in rules]

        def give_back(keys: Sequence[str | None], held: Sequence[int]) -> None:
            for index in held:
                states, rule, key = tables[index].states, rules[index], keys[index]
                if key is None or not isinstance(rule.algorithm, Concurrency):
                    continue
                after = rule.algorithm.give_back(states[key], rule.cost)
                if after == rule.algorithm.fresh:
                    del states[key]
                else:
                    states[key] = after

        return give_back

    def _table(self, rule: Rule) -> Table:
        """Rules that count the same calls share a table."""
        # Who holds a slot cannot be dropped; there are no more of them than calls under way.
        size = sys.maxsize if isinstance(rule.algorithm, Concurrency) else self._max_callers
        return self._tables.setdefault(rule.space, Table(size))


class Table:
    """The states of the callers of one limit; they stay when its numbers change."""

    __slots__ = ("_max_callers", "states")

    def __init__(self, max_callers: int) -> None:
        self._max_callers = max_callers
        self.states: dict[str, State] = {}

    def find(self, key: str, now_us: int, algorithm: Algorithm) -> State:
        """The state of a caller, for whom room is made where it has none."""
        state = self.states.get(key)
        if state is not None:
            return state
        if len(self.states) >= self._max_callers:
            self._make_room(now_us, algorithm)
        return algorithm.fresh

    def _make_room(self, now_us: int, algorithm: Algorithm) -> None:
        """Drop every caller who has all calls back, then the oldest until an eighth of the table is free.

        The sweep is paid for by the eighth of new callers that it makes room for. A caller who is dropped
        early starts anew: it takes more callers than the table holds, within one window, to get there.
        """
        states, is_fresh = self.states, algorithm.is_fresh
        kept = len(states) - max(1, len(states) // 8)
        for key in [key for key, state in states.items() if is_fresh(state, now_us)]:
            del states[key]
        for key in list(islice(states, max(0, len(states) - kept))):
            del states[key]
