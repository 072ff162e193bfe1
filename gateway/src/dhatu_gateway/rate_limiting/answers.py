"""What answers say about limits: `RateLimit`, `RateLimit-Policy`, and why a call was refused.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: lists of structured fields (RFC 9651), one
item for each limit that counts the call, under the same names in both. A limit of calls at once has a policy
without a window, and no state: with this answer the call is over, and so is what could be said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from dhatu_gateway.core.exchange import Exchange, Header
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import RateLimit
from dhatu_gateway.rate_limiting.decision import Decision, whole_seconds
from dhatu_gateway.rate_limiting.rules import Rule

MAX_PREPARED_HEADERS = 4096


class OneAnswer:
    """Writes the headers of a route with a single limit, most of them from a table, and refuses."""

    def __init__(self, limit: RateLimit) -> None:
        self._policy: Header = (b"ratelimit-policy", _policy(limit))
        self._prepared: dict[tuple[int, int], Header] = {}
        self._limit = limit

    def __call__(self, exchange: Exchange, decision: Decision) -> None:
        wait_us, left, reset_us = decision
        said = left, whole_seconds(reset_us)
        header = self._prepared.get(said)
        if header is None:
            header = (b"ratelimit", _state(self._limit, *said))
            if len(self._prepared) < MAX_PREPARED_HEADERS:
                self._prepared[said] = header
        exchange.response_headers.append(self._policy)
        exchange.response_headers.append(header)
        if wait_us:
            raise _too_many(self._limit, wait_us)


class Answers:
    """Writes the headers of every limit that counts the call, and refuses where one of them does."""

    def __init__(self, operation: str, rules: Sequence[Rule], watch: Callable[[str, str], None]) -> None:
        self._operation = operation
        self._rules = [(rule.policy, rule.watched, _policy(rule.policy)) for rule in rules]
        # How many calls could begin at this moment says nothing about the time after this answer.
        self._told = [rule.policy.algorithm != "concurrency" for rule in rules]
        self._watch = watch

    def __call__(self, exchange: Exchange, decisions: Sequence[Decision | None]) -> None:
        policies: list[bytes] = []
        states: list[bytes] = []
        refusing, wait_us = None, 0
        for (limit, watched, policy), told, decision in zip(self._rules, self._told, decisions, strict=True):
            if decision is None:
                continue
            if watched:
                # Callers are not told of what does not concern them yet.
                if decision.wait_us:
                    self._watch(self._operation, limit.name)
                continue
            policies.append(policy)
            if told:
                states.append(_state(limit, decision.remaining, whole_seconds(decision.reset_us)))
            if decision.wait_us > wait_us:
                refusing, wait_us = limit, decision.wait_us
        if policies:
            exchange.response_headers.append((b"ratelimit-policy", b", ".join(policies)))
        if states:
            exchange.response_headers.append((b"ratelimit", b", ".join(states)))
        if refusing is not None:
            raise _too_many(refusing, wait_us)


def _policy(limit: RateLimit) -> bytes:
    if limit.algorithm == "concurrency":
        return b'"%b";q=%d;qu="concurrent-requests"' % (limit.name.encode("ascii"), limit.limit)
    return b'"%b";q=%d;w=%d' % (limit.name.encode("ascii"), limit.limit, ceil(limit.window_s))


def _state(limit: RateLimit, left: int, reset_s: int) -> bytes:
    return b'"%b";r=%d;t=%d' % (limit.name.encode("ascii"), left, reset_s)


def _too_many(limit: RateLimit, wait_us: int) -> ProblemError:
    wait_s = whole_seconds(wait_us)
    named = "" if limit.name == "default" else f" ({limit.name})"
    if limit.algorithm == "concurrency":
        span, when = "at once", "when one of them is over"
    else:
        span, when = f"per {limit.per or f'{limit.window_s:g} s'}", f"in {wait_s} s"
    return ProblemError(
        "too-many-requests",
        f"{limit.limit} calls {span} are allowed{named}; try again {when}.",
        headers=[(b"retry-after", b"%d" % wait_s)],
    )
