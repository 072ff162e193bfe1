"""The attempts of one call: where each goes, what it carries, and who is told how it ended."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .._policies.breaker import Tickets, operation_failed
from .._watch.watch import CallWatch, Headers
from .._wire import Answer, Failure, Outcome, Send
from .plan import Call, Policies


class Attempt(NamedTuple):
    """One that is under way."""

    number: int
    pick: Any
    tickets: Tickets
    began_s: float
    step: Send


class Attempts:
    """Begins and ends them; knows which endpoints were tried, and how much time is left for all."""

    __slots__ = ("_call", "_deadline_s", "_gone", "_policies", "_tried", "_watch", "number")

    def __init__(self, call: Call, policies: Policies, watch: CallWatch) -> None:
        self._call = call
        self._policies = policies
        self._watch = watch
        self._deadline_s = policies.now_s() + call.timeout_s
        self._tried: tuple[str, ...] = ()
        self._gone: tuple[str, ...] = ()
        """Where nobody was there."""
        self.number = 0
        """Of those that were begun."""

    def left_s(self) -> float:
        """Seconds until the call has to be over."""
        return self._deadline_s - self._policies.now_s()

    def begin(self, headers: Headers) -> Attempt | None:
        """Choose an endpoint and take leave of its breakers; None where they refuse."""
        call, policies = self._call, self._policies
        admission = self._admitted()
        if admission is None:
            return None
        pick, tickets = admission
        self.number += 1
        self._tried += (pick.endpoint.url,)
        traced = self._watch.attempt_started(
            self.number, call.request.method, pick.endpoint.url + call.request.target
        )
        left_s = self.left_s()
        step = Send(
            request=call.request,
            endpoint=pick.endpoint,
            headers=(*headers, *self._unless_given(traced), *self._contract_headers(left_s)),
            connect_s=call.connect_timeout_s,
            time_left_s=left_s if call.attempt_timeout_s is None else min(left_s, call.attempt_timeout_s),
            idle_s=call.idle_s,
            keep_open=call.keep_open,
        )
        return Attempt(self.number, pick, tickets, policies.now_s(), step)

    def _admitted(self) -> tuple[Any, Tickets] | None:
        """An endpoint, and leave to use it; an ejected one sooner than one where nobody was there."""
        if self._gone:
            found = self._chosen({*self._gone})
            if found is not None:
                return found
        return self._chosen(set())

    def _chosen(self, refused: set[str]) -> tuple[Any, Tickets] | None:
        """None of those; what a breaker gave away since it was asked is left out, too."""
        call, breakers = self._call, self._policies.breakers
        key = call.operation.key

        def admits(url: str) -> bool:
            return url not in refused and breakers.refuses_for_s(url, key) == 0

        while True:
            pick = call.endpoints.pick(avoid=self._tried, admits=admits)
            if pick is None:
                return None
            url = pick.endpoint.url
            tickets = breakers.admit(url, key)
            if tickets is not None:
                return pick, tickets
            call.endpoints.settle(pick, None)
            if url in refused:  # who has one endpoint only picks it whatever is said of it
                return None
            refused.add(url)

    def end(self, attempt: Attempt, outcome: Outcome | None) -> None:
        """Tell everybody how it ended; None where it was given up."""
        policies = self._policies
        policies.breakers.settle(attempt.tickets, outcome)
        if _nobody_was_there(outcome):
            self._gone += (attempt.pick.endpoint.url,)
        failed = operation_failed(outcome)
        self._call.endpoints.settle(attempt.pick, None if failed is None else not failed)
        if policies.hedger is not None and isinstance(outcome, Answer) and outcome.status < 300:
            policies.hedger.of(self._call.operation.key).record(policies.now_s() - attempt.began_s)
        self._watch.attempt_finished(attempt.number, outcome)

    def _unless_given(self, traced: Headers) -> Headers:
        """A trace that the caller has sent along by hand is the one that counts."""
        if not traced:
            return ()
        given = {name for name, _ in self._call.request.headers}
        return tuple((name, text) for name, text in traced if name not in given)

    def _contract_headers(self, left_s: float) -> Headers:
        prefix = self._call.header_prefix
        if not prefix:
            return ()
        attempt = (prefix + "attempt", str(self.number))
        if self._call.request.open_ended:
            return (attempt,)
        return attempt, (prefix + "timeout-ms", str(max(1, math.floor(left_s * 1000))))

    def may_go_elsewhere(self, outcome: Outcome) -> bool:
        """Whether there is no reason to wait: nobody was there, and another endpoint has not been tried."""
        return _nobody_was_there(outcome) and any(
            url not in self._tried for url in self._call.endpoints.urls()
        )

    def refused_s(self) -> float:
        """Seconds until a breaker of any endpoint lets an attempt through; 0 where one does now."""
        refuses_for_s, key = self._policies.breakers.refuses_for_s, self._call.operation.key
        return min((refuses_for_s(url, key) for url in self._call.endpoints.urls()), default=0.0)


def _nobody_was_there(outcome: Outcome | None) -> bool:
    return isinstance(outcome, Failure) and outcome.kind in ("connect", "connect_timeout")
