"""The life of one call, without I/O: attempts and waits, decided here and carried out by a driver."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from ._breaker import Breakers, Tickets, operation_failed
from ._budget import RetryBudget
from ._call import Operation
from ._endpoints import Endpoints
from ._errors import BreakerOpenError, DeadlineExceededError, DhatuError, error_class
from ._failures import failure_error
from ._hedge import Hedger
from ._pacing import Pacer
from ._problem import read_problem
from ._retry import Backoff, RetryPolicy, may_repeat, retry_after_s
from ._watch import CallWatch, Headers, WatchCall
from ._wire import Answer, Failure, Fetch, Outcome, Race, Raced, Request, Send, Sleep, Source, TransportFailed

Step: TypeAlias = Send | Race | Sleep | Fetch
Flow: TypeAlias = Generator[Step, Any, Answer]
"""Yields what to do and is sent what came of it: an `Outcome`, a `Raced`, None after a `Sleep`, what was
fetched, which may also be raised in it. Returns a success."""


class TokenSource(Source, Protocol):
    """Tokens that run out and are renewed."""

    def ready(self, now_s: float) -> str | None:
        """A token that needs no renewal now; None where one has to be fetched."""
        ...

    def refused(self, token: str) -> None:
        """The server did not take it; the next fetch renews it, unless somebody has."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, encoded."""

    operation: Operation[Any, Any]
    request: Request
    endpoints: Endpoints
    timeout_s: float
    """For everything: attempts, waits, and the answer unless it is streamed."""
    attempt_timeout_s: float | None
    """For each attempt; None: all the time that is left."""
    connect_timeout_s: float
    retry: RetryPolicy
    header_prefix: str
    keep_open: Callable[[int, str], bool]
    idle_s: float = 60.0
    """For each further event or piece of an answer that is kept open."""
    resume: bool = True
    """Whether an answer that breaks off may be asked for again."""
    strict: bool = False
    """Whether an answer may hold only what is described; nothing that the flow looks at."""
    tokens: TokenSource | None = None
    """What to authorise it with, where that has to be renewed; everything else is in the request."""

    def with_headers(self, headers: Headers) -> Call:
        """The same with further headers, which replace those of the same name."""
        merged = dict(self.request.headers) | dict(headers)
        return replace(self, request=replace(self.request, headers=tuple(merged.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What the calls of a client share; time and chance are given, never taken."""

    budget: RetryBudget
    breakers: Breakers
    pacer: Pacer | None
    hedger: Hedger | None
    watch: WatchCall
    now_s: Callable[[], float]
    """Monotonic."""
    wall_s: Callable[[], float]
    """Seconds since 1970, for Retry-After dates alone."""
    random: Callable[[], float]
    """From 0 to 1, exclusive."""


def call_flow(call: Call, policies: Policies) -> Flow:
    """Attempt, wait and attempt again, until an answer is a success.

    Raises the error of the last attempt; closing the flow early, as cancellation does, counts for nothing.
    """
    return _Life(call, policies).run()


_CLOCK_S: Final = 0.001
"""By how much timers may be early."""


class _Attempt(NamedTuple):
    """One that is under way."""

    number: int
    pick: Any
    tickets: Tickets
    began_s: float
    step: Send


class _Life:
    """What a call knows of itself while it lasts."""

    __slots__ = (
        "_attempts",
        "_backoff",
        "_call",
        "_deadline_s",
        "_error",
        "_policies",
        "_renewed",
        "_tried",
        "_watch",
    )

    def __init__(self, call: Call, policies: Policies) -> None:
        self._call = call
        self._policies = policies
        self._deadline_s = policies.now_s() + call.timeout_s
        self._watch: CallWatch = policies.watch(call.operation.key, call.operation.path)
        self._attempts = 0
        self._tried: tuple[str, ...] = ()
        self._error: DhatuError | None = None
        self._backoff: Backoff | None = None
        self._renewed = False

    def run(self) -> Flow:
        self._policies.budget.deposit()
        raised: BaseException | None = None
        try:
            while True:
                elsewhere = True
                try:
                    outcome = yield from self._authorised()
                except TransportFailed as failed:  # what had to be fetched first could not be
                    outcome, elsewhere = failed.failure, False
                if isinstance(outcome, Answer) and outcome.status < 300:
                    return outcome if self._attempts == 1 else replace(outcome, attempts=self._attempts)
                yield Sleep(delay_s=self._delay_s(outcome, elsewhere=elsewhere))
        except BaseException as error:
            raised = error
            raise
        finally:
            self._watch.finished(self._attempts, raised)

    # One attempt, and what comes before it: a token, a place in the queue, an endpoint.

    def _authorised(self) -> Generator[Step, Any, Outcome]:
        """An attempt with a token where one is needed, and another with a new one where it is refused."""
        tokens = self._call.tokens
        if tokens is None:
            return (yield from self._paced(()))
        token = yield from self._token(tokens)
        outcome = yield from self._paced((("authorization", f"Bearer {token}"),))
        if isinstance(outcome, Answer) and outcome.status == 401 and not self._renewed:
            self._renewed = True
            tokens.refused(token)
            if not self._repeatable():
                return outcome
            token = yield from self._token(tokens)
            outcome = yield from self._paced((("authorization", f"Bearer {token}"),))
        return outcome

    def _token(self, tokens: TokenSource) -> Generator[Step, Any, str]:
        token = tokens.ready(self._policies.now_s())
        if token is None:
            token = yield Fetch(source=tokens, time_left_s=self._left_s())
        return str(token)

    def _paced(self, headers: Headers) -> Generator[Step, Any, Outcome]:
        """An attempt as soon as the rate limit leaves room for it."""
        pacer, key = self._policies.pacer, self._call.operation.key
        if pacer is None:
            return (yield from self._placed(headers))
        answer: Answer | None = None
        wait_s = pacer.reserve(key, self._policies.now_s())
        try:
            if wait_s > 0:
                if wait_s >= self._left_s():
                    raise self._error or DeadlineExceededError(
                        f"not sent, since the rate limit leaves no room for another {wait_s:.1f} s, "
                        f"which is more than is left of {self._call.timeout_s:g} s",
                        operation=key,
                        attempts=self._attempts,
                    )
                self._watch.paced(wait_s)
                yield Sleep(delay_s=wait_s)
            outcome = yield from self._placed(headers)
            answer = outcome if isinstance(outcome, Answer) else None
        finally:
            held_s = self._asked_s(answer) if answer and answer.status == 429 else None
            pacer.release(key, self._policies.now_s(), answer.headers if answer else None, held_s or 0.0)
        return outcome

    def _placed(self, headers: Headers) -> Generator[Step, Any, Outcome]:
        """An attempt at one of the endpoints, or at two where the first is slow."""
        source = self._call.endpoints.source(self._policies.now_s())
        if source is not None:
            yield Fetch(source=source, time_left_s=self._left_s())
        attempt = self._begin(headers)
        if attempt is None:
            raise self._error or BreakerOpenError(self._call.operation.key, retry_after_s=self._refused_s())
        after_s = self._hedge_after_s()
        if after_s is not None:
            return (yield from self._raced(attempt, after_s, headers))
        outcome: Outcome | None = None
        try:
            outcome = yield attempt.step
        finally:
            self._end(attempt, outcome)
        assert outcome is not None, "a driver answers Send with an outcome"
        return outcome

    def _raced(self, first: _Attempt, after_s: float, headers: Headers) -> Generator[Step, Any, Outcome]:
        second: _Attempt | None = None

        def hedge() -> Send | None:
            nonlocal second
            if self._repeatable() and self._policies.budget.withdraw():
                second = self._begin(headers)
            if second is None:
                return None
            self._watch.hedged(second.number, after_s)
            return second.step

        raced = Raced(None, None)
        try:
            raced = yield Race(first=first.step, after_s=after_s, second=hedge, decisive=_decisive)
        finally:
            self._end(first, raced.first)
            if second is not None:
                self._end(second, raced.second)
        ended: list[Outcome] = [outcome for outcome in (raced.first, raced.second) if outcome is not None]
        return next((outcome for outcome in ended if _decisive(outcome)), ended[-1])

    def _begin(self, headers: Headers) -> _Attempt | None:
        """Choose an endpoint and take leave of its breakers; None where they refuse."""
        call, policies = self._call, self._policies
        admission = self._admitted()
        if admission is None:
            return None
        pick, tickets = admission
        self._attempts += 1
        self._tried += (pick.endpoint.url,)
        traced = self._watch.attempt_started(
            self._attempts, call.request.method, pick.endpoint.url + call.request.target
        )
        left_s = self._left_s()
        step = Send(
            request=call.request,
            endpoint=pick.endpoint,
            headers=(*headers, *self._unless_given(traced), *self._contract_headers(left_s)),
            connect_s=call.connect_timeout_s,
            time_left_s=left_s if call.attempt_timeout_s is None else min(left_s, call.attempt_timeout_s),
            idle_s=call.idle_s,
            keep_open=call.keep_open,
        )
        return _Attempt(self._attempts, pick, tickets, policies.now_s(), step)

    def _admitted(self) -> tuple[Any, Tickets] | None:
        """An endpoint, and leave to use it; what a breaker gave away since it was asked is left out."""
        call, breakers = self._call, self._policies.breakers
        key = call.operation.key
        refused: set[str] = set()

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

    def _end(self, attempt: _Attempt, outcome: Outcome | None) -> None:
        """Tell everybody how it ended; None where it was given up."""
        policies = self._policies
        policies.breakers.settle(attempt.tickets, outcome)
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
        attempt = (prefix + "attempt", str(self._attempts))
        if self._call.request.open_ended:
            return (attempt,)
        return attempt, (prefix + "timeout-ms", str(max(1, math.floor(left_s * 1000))))

    # After an attempt that did not succeed.

    def _delay_s(self, outcome: Outcome, *, elsewhere: bool) -> float:
        """Seconds to wait before the next attempt, perhaps none where it may go `elsewhere`.

        Raises the error of this one where there is to be none.
        """
        policies = self._policies
        asked_s = self._asked_s(outcome) if isinstance(outcome, Answer) else None
        error = self._error = self._error_of(outcome, asked_s)
        if not may_repeat(outcome, self._call.operation.retry, body_repeatable=self._repeatable()):
            raise error
        self._backoff = self._backoff or Backoff(self._call.retry, policies.random)
        delay_s = self._backoff.delay_s(asked_s)
        elsewhere = elsewhere and self._may_go_elsewhere(outcome)
        if delay_s and elsewhere:
            delay_s = 0.0
        if delay_s is None or delay_s >= self._left_s() or delay_s < self._refused_s():
            raise error
        # Where nobody was there, nothing was asked of anybody: to ask another one adds nothing to the load.
        if not elsewhere and not policies.budget.withdraw():
            raise error
        self._watch.retry_scheduled(self._attempts + 1, delay_s)
        return delay_s

    def _error_of(self, outcome: Outcome, asked_s: float | None) -> DhatuError:
        call = self._call
        if isinstance(outcome, Failure):
            overdue = outcome.kind == "timeout" and (
                call.attempt_timeout_s is None or self._left_s() < _CLOCK_S
            )
            limit_s = call.timeout_s if overdue or call.attempt_timeout_s is None else call.attempt_timeout_s
            return failure_error(outcome, call.operation.key, limit_s, self._attempts, overdue=overdue)
        return error_class(outcome.status)(
            operation=call.operation.key,
            status=outcome.status,
            problem=read_problem(outcome.status, outcome.content),
            request_id=outcome.request_id,
            retry_after_s=asked_s,
            attempts=self._attempts,
            headers=outcome.headers,
        )

    # Small questions.

    def _left_s(self) -> float:
        return self._deadline_s - self._policies.now_s()

    def _asked_s(self, answer: Answer) -> float | None:
        return retry_after_s(answer.headers, self._policies.wall_s())

    def _repeatable(self) -> bool:
        body = self._call.request.body
        return body is None or body.repeatable

    def _may_go_elsewhere(self, outcome: Outcome) -> bool:
        """Whether there is no reason to wait: nobody was there, and another endpoint has not been tried."""
        unreachable = isinstance(outcome, Failure) and outcome.kind in ("connect", "connect_timeout")
        return unreachable and any(url not in self._tried for url in self._call.endpoints.urls())

    def _refused_s(self) -> float:
        """Seconds until a breaker of any endpoint lets an attempt through; 0 where one does now."""
        refuses_for_s, key = self._policies.breakers.refuses_for_s, self._call.operation.key
        return min((refuses_for_s(url, key) for url in self._call.endpoints.urls()), default=0.0)

    def _hedge_after_s(self) -> float | None:
        hedger, operation = self._policies.hedger, self._call.operation
        if hedger is None or operation.retry not in ("safe", "idempotent"):
            return None
        return hedger.of(operation.key).delay_s()


def _decisive(outcome: Outcome) -> bool:
    """Whether nothing better is to be expected of the other attempt."""
    return isinstance(outcome, Answer) and outcome.status < 500 and outcome.status != 429
