"""Slowing down before the server has to refuse: what its RateLimit headers leave is counted here.

Read are `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) and, from the drafts
before them, `RateLimit-Remaining` and `RateLimit-Reset`. Limits are kept apart by operation, as gateways keep
them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple


class Reading(NamedTuple):
    """What the headers of one answer say."""

    remaining: int
    reset_s: float
    """Seconds until everything is available again."""
    quota: int
    """Calls in a window; 0 where no policy was named."""
    window_s: float


class Pacer:
    """How long the calls of each operation have to wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits: dict[str, _Limit] = {}

    def reserve(self, operation: str, now_s: float) -> float:
        """Take the next place in the queue; returns the seconds to wait for it, 0 where it is free."""
        limit = self._limits.get(operation)
        if limit is None:
            return 0.0
        with self._lock:
            return limit.reserve(now_s)

    def release(
        self, operation: str, now_s: float, headers: Mapping[str, str] | None, held_s: float = 0.0
    ) -> None:
        """Give the place back; `headers` are those of the answer, `held_s` is what a 429 asked to wait."""
        reading = read_headers(headers) if headers is not None else None
        limit = self._limits.get(operation)
        if limit is None and reading is None and not held_s:
            return
        with self._lock:
            limit = self._limits.setdefault(operation, limit or _Limit())
            limit.under_way = max(0, limit.under_way - 1)
            if reading is not None:
                limit.update(reading, now_s)
            if held_s:
                limit.hold(held_s, now_s)


class _Limit:
    """One limit as the server last described it, and the calls made since.

    Whether a bucket refills by and by or a window starts anew is not in the headers. But in a bucket that is
    being emptied the time until it is full grows, and in a window it shrinks; and a refusal from a bucket
    asks to wait for less than that. Until one of these was seen, the caller waits for the whole of it, which
    is right for both.
    """

    __slots__ = ("at_s", "calls", "gradual", "held_until_s", "latest", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self.held_until_s = 0.0
        self.latest: Reading | None = None
        self.at_s = 0.0
        self.calls = 0.0
        """That may be made now; below 0 where callers wait already."""
        self.gradual = False

    def update(self, reading: Reading, now_s: float) -> None:
        before = self.latest
        if before is not None and reading.quota and reading.remaining < before.remaining:
            self.gradual = self.gradual or reading.reset_s > before.reset_s
        # Those under way may not be counted by the server yet. To count them twice costs a moment's wait.
        self.calls = float(reading.remaining - self.under_way)
        self.latest, self.at_s = reading, now_s

    def hold(self, held_s: float, now_s: float) -> None:
        self.held_until_s = max(self.held_until_s, now_s + held_s)
        latest = self.latest
        # While calls remain it was another limit that refused, such as one of calls at once.
        if latest is not None and latest.quota and not latest.remaining and held_s < latest.reset_s:
            self.gradual = True

    def reserve(self, now_s: float) -> float:
        self.under_way += 1
        held_s = max(0.0, self.held_until_s - now_s)
        latest = self.latest
        if latest is None:
            return held_s
        self._refill(latest, now_s)
        self.calls -= 1
        if self.calls >= 0:
            return held_s
        return max(held_s, self._queue_s(latest, now_s))

    def _refill(self, latest: Reading, now_s: float) -> None:
        passed_s = now_s - self.at_s
        if self.gradual:
            rate = latest.quota / latest.window_s
            full = latest.remaining + latest.reset_s * rate
            self.calls = min(self.calls + passed_s * rate, full)
            self.at_s = now_s
        elif passed_s >= latest.reset_s:
            # A new window: what is queued comes off it first.
            self.calls = max(latest.quota, 1) + min(self.calls, 0.0)
            self.latest = latest._replace(reset_s=max(latest.window_s, latest.reset_s))
            self.at_s = now_s

    def _queue_s(self, latest: Reading, now_s: float) -> float:
        """For the last in the queue, -`calls` places behind the next free one."""
        if self.gradual:
            return -self.calls * latest.window_s / latest.quota
        windows = int((-self.calls - 1) // latest.quota) if latest.quota else 0
        return latest.reset_s - (now_s - self.at_s) + windows * latest.window_s


def read_headers(headers: Mapping[str, str]) -> Reading | None:
    """The limit with the fewest calls left; None where the headers name none that can be understood.

    >>> read_headers({"ratelimit": '"default";r=3;t=7', "ratelimit-policy": '"default";q=60;w=60'})
    Reading(remaining=3, reset_s=7.0, quota=60, window_s=60.0)
    >>> read_headers({"ratelimit-remaining": "0", "ratelimit-reset": "30"})
    Reading(remaining=0, reset_s=30.0, quota=0, window_s=30.0)
    """
    states = _items(headers.get("ratelimit", ""))
    policies = _items(headers.get("ratelimit-policy", "")) if states else {}
    readings: list[Reading] = []
    for name, state in states.items():
        if "r" in state:
            policy = policies.get(name, {})
            reset_s = state.get("t", policy.get("w", 0))
            window_s = policy.get("w", reset_s) or 1
            readings.append(Reading(state["r"], float(reset_s), policy.get("q", 0), float(window_s)))
    if not states:
        remaining, reset = (headers.get(f"ratelimit-{name}", "") for name in ("remaining", "reset"))
        if _is_count(remaining) and _is_count(reset):
            readings.append(Reading(int(remaining), float(reset), 0, float(reset) or 1.0))
    return min(readings, default=None)


def _items(text: str) -> dict[str, dict[str, int]]:
    """The items of a structured list (RFC 9651) and those of their parameters that are counts."""
    items: dict[str, dict[str, int]] = {}
    for item in text.split(","):
        name, *parameters = item.split(";")
        pairs = (parameter.strip().partition("=") for parameter in parameters)
        counts = {key: int(value) for key, _, value in pairs if _is_count(value)}
        if name.strip():
            items[name.strip()] = counts
    return items


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15
