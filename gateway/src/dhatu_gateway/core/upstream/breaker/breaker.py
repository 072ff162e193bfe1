"""The circuit breaker: where too much fails, calls are refused until trial calls succeed."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Literal, TypeAlias

from dhatu_gateway.core.upstream.breaker.window import Window
from dhatu_gateway.core.upstream.policy import Breaker as BreakerPolicy

State: TypeAlias = Literal["closed", "open", "half_open"]
REFUSED = -1


class Breaker:
    """Closed, open or half open; it is fed outcomes, on the clock given, and runs nothing itself."""

    __slots__ = (
        "_changed",
        "_epoch",
        "_failed_in_a_row",
        "_reopens_at_s",
        "_succeeded",
        "_trials",
        "_window",
        "name",
        "openings",
        "policy",
        "state",
    )

    def __init__(self, name: str, policy: BreakerPolicy, changed: Callable[[Breaker], None]) -> None:
        """`changed` is told after every change of state that this process has made."""
        self.name = name
        """Of a service, or of an operation."""
        self.state: State = "closed"
        self.openings = 0
        """How often it has opened."""
        self.policy = policy
        self._changed = changed
        self._window = Window(policy.window_s)
        self._failed_in_a_row = 0
        self._reopens_at_s = 0.0
        self._trials = 0
        self._succeeded = 0
        self._epoch = 0  # counts changes of state: an outcome from before the last one says nothing about now

    def admit(self, now_s: float) -> int:
        """A ticket for one attempt, to be settled once; `REFUSED` where calls are refused."""
        if self.state == "closed":
            return self._epoch
        if self.state == "open":
            if now_s < self._reopens_at_s:
                return REFUSED
            self._turn("half_open")
        if self._trials >= self.policy.half_open_calls:
            return REFUSED
        self._trials += 1
        return self._epoch

    def settle(self, ticket: int, failed: bool | None, now_s: float) -> None:
        """Tell how an attempt ended; None where that says nothing, as when the caller left."""
        if ticket != self._epoch:
            return
        if self.state == "closed":
            if failed is not None:
                self._window.count(now_s, failed=failed)
                if failed:
                    self._on_failure(now_s)
                elif self._failed_in_a_row:
                    self._failed_in_a_row = 0
            return
        self._trials -= 1
        if failed:
            self._open(now_s)
        elif failed is not None:
            self._succeeded += 1
            if self._succeeded >= self.policy.half_open_calls:
                self._turn("closed")

    def refuses_for_s(self, now_s: float) -> float:
        """Seconds until an attempt may be admitted; 0 where it would be now."""
        if self.state == "open":
            return max(0.0, self._reopens_at_s - now_s)
        full = self.state == "half_open" and self._trials >= self.policy.half_open_calls
        return self.policy.open_s if full else 0.0

    # What other processes have found out; nobody is told of it again.

    def follow_open(self, for_s: float, now_s: float) -> None:
        """Another process has opened its own for so long."""
        if self.state == "closed":
            self._reopens_at_s = now_s + for_s
            self._set("open")

    def follow_closed(self) -> None:
        """Another process has closed its own after its trials."""
        if self.state != "closed":
            self._set("closed")

    def _on_failure(self, now_s: float) -> None:
        policy, window = self.policy, self._window
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= (policy.consecutive or inf) or (
            window.calls >= policy.min_calls and window.failures >= policy.failure_rate * window.calls
        ):
            self._open(now_s)

    def _open(self, now_s: float) -> None:
        self._reopens_at_s = now_s + self.policy.open_s
        self._turn("open")

    def _turn(self, state: State) -> None:
        self._set(state)
        self._changed(self)

    def _set(self, state: State) -> None:
        self.state = state
        self.openings += state == "open"
        self._epoch += 1
        self._trials = self._succeeded = self._failed_in_a_row = 0
        if state == "closed":
            self._window.clear()
