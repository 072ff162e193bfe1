"""Whether to try again, and when: pure functions of what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._call import RetryClass
from .._wire import Failure, Outcome

if TYPE_CHECKING:
    from tenacity import RetryCallState

_REPEATABLE_STATUSES = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently to try again."""

    max_retries: int = 2
    """After the first attempt; 0 turns them off."""
    base_s: float = 0.5
    cap_s: float = 8.0
    retry_after_cap_s: float = 60.0
    """A server that asks for a longer wait is not asked again: coming earlier than told would be rude, and
    waiting that long is for the caller to decide."""


def may_repeat(outcome: Outcome, retry: RetryClass, *, body_repeatable: bool) -> bool:
    """Whether another attempt could help and cannot do harm.

    What provably never left may always go again. `never` stops there; `safe` alone repeats a 500, which may
    come from the middle of an action.
    """
    if not body_repeatable:
        return False
    if isinstance(outcome, Failure):
        return outcome.unsent or retry != "never"
    if outcome.status == 500:
        return retry == "safe"
    return retry != "never" and outcome.status in _REPEATABLE_STATUSES


class Backoff:
    """The waits of one call; never shared, since tenacity keeps the number of the attempt in it."""

    def __init__(self, policy: RetryPolicy, random: Callable[[], float]) -> None:
        # Only a call that has failed once comes here: importing tenacity is slow.
        from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

        self._policy = policy
        self._random = random
        self._stop = stop_after_attempt(policy.max_retries + 1)
        self._window = wait_exponential(multiplier=policy.base_s, max=policy.cap_s)
        self._state: RetryCallState = RetryCallState(Retrying(reraise=True), None, (), {})

    def delay_s(self, retry_after_s: float | None) -> float | None:
        """Seconds to wait before the next retry; None where none is left or the server asked for too much.

        Before retry `attempt` (1 = first): `random() * min(cap_s, base_s * 2**(attempt - 1))`, which is full
        jitter, but never less than the server asked for.
        """
        if self._stop(self._state):
            return None
        jittered_s = self._random() * self._window(self._state)
        self._state.prepare_for_next_attempt()
        if retry_after_s is None:
            return jittered_s
        return max(jittered_s, retry_after_s) if retry_after_s <= self._policy.retry_after_cap_s else None


def retry_after_s(headers: Mapping[str, str], wall_s: float) -> float | None:
    """Seconds that the server asks to wait; None where it does not, or what it says is garbled.

    `Retry-After-Ms` is exact and comes first; `Retry-After` holds seconds or a date (RFC 9110, section
    10.2.3). A date is compared with the server's own Date where there is one, so that a wrong clock here does
    no harm.
    """
    exact, text = (headers.get(name, "").strip() for name in ("retry-after-ms", "retry-after"))
    if _is_number(exact):
        return float(exact) / 1000
    if not text:
        return None
    if _is_number(text):
        return float(text)
    until_s = date_s(text)
    if until_s is None:
        return None
    now_s = date_s(headers.get("date", ""))
    return max(0.0, until_s - (wall_s if now_s is None else now_s))


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit()


def date_s(text: str) -> float | None:
    """Seconds since 1970 of an HTTP date; None where it is none."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime  # slow to import, and rarely needed

    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
