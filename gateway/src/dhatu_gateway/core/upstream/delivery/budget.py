"""The retry budget of a service: what repeating may add to its load, so that an outage is not made worse."""

from __future__ import annotations

from typing import Final

from dhatu_gateway.core.upstream.policy import RetryBudget as BudgetPolicy

_SLICES: Final = 10


class RetryBudget:
    """At most `max(min_retries, ratio * calls)` repeats in any `window_s`: Envoy's budget, over a window.

    Repeats are the gateway's own retries and hedges, and those attempts of SDKs that repeat what the service
    has failed at: an attempt after the first counts as a repeat for each failure that went out before it. Any
    other one, such as after a refusal by a limit, is new to the service.
    """

    __slots__ = (
        "_calls",
        "_failures",
        "_policy",
        "_repeats",
        "_slice",
        "_slice_s",
        "_sums",
        "made",
        "refused",
    )

    def __init__(self, policy: BudgetPolicy) -> None:
        self._policy = policy
        self._slice_s = policy.window_s / _SLICES
        self._slice = 0
        self._calls = [0] * _SLICES
        self._repeats = [0] * _SLICES
        self._failures = [0] * _SLICES
        self._sums = [0, 0, 0]
        """Calls, repeats, and failures whose repeat has not come, in the window."""
        self.made = 0
        """Repeats since the start."""
        self.refused = 0
        """Repeats that were wanted, since the start, and had no leave."""

    def call(self, now_s: float) -> None:
        """A call arrives."""
        number = int(now_s / self._slice_s)
        if number != self._slice:
            self._turn_to(number)
        self._calls[number % _SLICES] += 1
        self._sums[0] += 1

    def repeat(self, now_s: float) -> bool:
        """An attempt of an SDK arrives that is not its first; False where it must not go on."""
        number = int(now_s / self._slice_s)
        if number != self._slice:
            self._turn_to(number)
        if self._sums[2] <= 0:
            self.call(now_s)
            return True
        if not self._take():
            return False
        self._drop_failure()
        return True

    def withdraw(self, now_s: float) -> bool:
        """Take leave for one attempt more; False where there is none."""
        number = int(now_s / self._slice_s)
        if number != self._slice:
            self._turn_to(number)
        return self._take()

    def failed(self, now_s: float) -> None:
        """A caller has been told that the service failed, and may repeat its call."""
        number = int(now_s / self._slice_s)
        if number != self._slice:
            self._turn_to(number)
        self._failures[number % _SLICES] += 1
        self._sums[2] += 1

    def _take(self) -> bool:
        calls, repeats, _ = self._sums
        if repeats + 1 > max(self._policy.min_retries, self._policy.ratio * calls):
            self.refused += 1
            return False
        self.made += 1
        self._repeats[self._slice % _SLICES] += 1
        self._sums[1] += 1
        return True

    def _drop_failure(self) -> None:
        """The oldest failure has been repeated."""
        for late in range(_SLICES - 1, -1, -1):
            at = (self._slice - late) % _SLICES
            if self._failures[at]:
                self._failures[at] -= 1
                self._sums[2] -= 1
                return

    def _turn_to(self, number: int) -> None:
        """Forget what is older than the window; a clock that jumps forgets everything."""
        passed = number - self._slice
        self._slice = number
        for late in range(min(passed, _SLICES) if passed > 0 else _SLICES):
            at = (number - late) % _SLICES
            for index, counts in enumerate((self._calls, self._repeats, self._failures)):
                self._sums[index] -= counts[at]
                counts[at] = 0
